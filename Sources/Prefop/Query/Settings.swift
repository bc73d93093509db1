/// How a client's queries behave: every default filled in, every text ours.
/// Made once, never changed.
struct Settings: ~Copyable {
  let proxy: ProxySettings

  let trustStore: TrustStore

  /// The whole header line, ended by NUL.
  let userAgent: Bytes

  /// Milliseconds for a whole query, for one request, and for connecting.
  let timeout: Int64
  let attemptTimeout: Int64
  let connectTimeout: Int64

  /// Bytes of an answer.
  let responseLimit: Int

  /// Requests to one host.
  let attemptLimit: Int

  /// Queries that a queue has under way at once.
  let inFlightLimit: Int

  let allowsAnonymous: Bool
  let sendsDate: Bool
}
