/// Whether a host is worth asking: one that failed is set aside for a while,
/// then one query tries it. A success clears it.
struct HostHealth {
  /// Set aside until then; nil: the host is well, as far as is known.
  private(set) var setAsideUntil: Instant?

  /// Milliseconds.
  static var rest: Int64 { 600_000 }

  /// Whether this query is to ask the host. The one that comes first after the
  /// rest tries it, and until that succeeds it stays aside for the others.
  mutating func isOffered(at now: Instant) -> Bool {
    guard let end = setAsideUntil else { return true }
    guard now >= end else { return false }
    fail(at: now)
    return true
  }

  mutating func fail(at now: Instant) { setAsideUntil = now.advanced(by: Self.rest) }
  mutating func succeed() { setAsideUntil = nil }
}
