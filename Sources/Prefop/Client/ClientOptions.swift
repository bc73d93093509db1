import CPrefop

/// From the options that C gives to the settings of a client: checked, with the
/// defaults filled in.
enum ClientOptions {
  private static var defaultTimeout: Int64 { 30_000 }
  private static var defaultAttemptTimeout: Int64 { 10_000 }
  private static var defaultConnectTimeout: Int64 { 3_000 }
  private static var defaultResponseLimit: Int64 { 16 << 20 }
  private static var responseLimitLimit: Int64 { Int64(JSONReader.lengthLimit) }
  private static var defaultAttemptLimit: Int32 { 4 }
  private static var attemptLimitLimit: Int32 { 100 }
  private static var defaultInFlightLimit: Int32 { 64 }
  private static var inFlightLimitLimit: Int32 { 10_000 }

  static func settings(from given: prefop_client_options, _ flags: ClientFlags) throws(Failure) -> Settings {
    let readsEnvironment = flags.readsEnvironment
    let isDateOff = readsEnvironment && Environment.isOn("DISABLE_QINIU_TIMESTAMP_SIGNATURE") ?? false
    let responseLimit = try unsafe responseLimit(given.max_response_bytes)
    let attemptLimit = try unsafe attemptLimit(given.max_attempts)
    let inFlightLimit = try unsafe inFlightLimit(given.max_in_flight)
    let proxy = try unsafe ProxySettings(given.proxy, readsEnvironment: readsEnvironment)
    let trustStore = try unsafe TrustStore(given.ca_file, readsEnvironment: readsEnvironment)
    let userAgent = try unsafe UserAgent.header(with: CText.span(given.user_agent))
    return unsafe Settings(
      proxy: proxy,
      trustStore: trustStore,
      userAgent: userAgent,
      timeout: Duration.given(given.timeout_ms, default: defaultTimeout),
      attemptTimeout: Duration.given(given.attempt_timeout_ms, default: defaultAttemptTimeout),
      connectTimeout: Duration.given(given.connect_timeout_ms, default: defaultConnectTimeout),
      responseLimit: responseLimit,
      attemptLimit: attemptLimit,
      inFlightLimit: inFlightLimit,
      allowsAnonymous: flags.contains(PREFOP_CLIENT_ALLOW_ANONYMOUS),
      sendsDate: !flags.contains(PREFOP_CLIENT_NO_DATE) && !isDateOff,
      readsEnvironment: readsEnvironment)
  }

  static func directory(
    from given: prefop_client_options, _ flags: ClientFlags, _ profile: borrowing Profile
  ) throws(Failure) -> Directory {
    let isTLSOff =
      flags.readsEnvironment && Environment.isOn("DISABLE_QINIU_SECURE_PROTOCOL") ?? profile.disablesSecureProtocol
    var bucketHosts: Span<UInt8>? = unsafe given.bucket_hosts == nil ? nil : CText.span(given.bucket_hosts)
    var bucketName: StaticString = "bucket_hosts"
    if bucketHosts == nil, flags.readsEnvironment {
      bucketHosts = Environment.value("QINIU_BUCKET_URL")
      bucketName = "QINIU_BUCKET_URL"
    }
    if bucketHosts == nil { bucketHosts = profile.bucketHosts }
    return try unsafe Directory(
      apiHosts: given.api_hosts == nil ? nil : CText.span(given.api_hosts),
      bucketHosts: bucketHosts, named: bucketName,
      preferHTTPS: !flags.contains(PREFOP_CLIENT_USE_HTTP) && !isTLSOff,
      asksForRegions: !flags.contains(PREFOP_CLIENT_NO_DISCOVERY))
  }

  private static func responseLimit(_ given: Int64) throws(Failure) -> Int {
    guard 0...responseLimitLimit ~= given else {
      throw Failure(
        .configuration, "max_response_bytes is {number}: give 1 to {limit}, or 0 for the default", number: Int(given),
        limit: Int(responseLimitLimit))
    }
    return Int(given == 0 ? defaultResponseLimit : given)
  }

  private static func attemptLimit(_ given: Int32) throws(Failure) -> Int {
    guard 0...attemptLimitLimit ~= given else {
      throw Failure(
        .configuration, "max_attempts is {number}: give 1 to {limit}, or 0 for the default", number: Int(given),
        limit: Int(attemptLimitLimit))
    }
    return Int(given == 0 ? defaultAttemptLimit : given)
  }

  private static func inFlightLimit(_ given: Int32) throws(Failure) -> Int {
    guard 0...inFlightLimitLimit ~= given else {
      throw Failure(
        .configuration, "max_in_flight is {number}: give 1 to {limit}, or 0 for the default", number: Int(given),
        limit: Int(inFlightLimitLimit))
    }
    return Int(given == 0 ? defaultInFlightLimit : given)
  }
}

/// The flags of a client's options, all of them known.
struct ClientFlags {
  private let bits: UInt32

  init(_ bits: UInt32) throws(Failure) {
    let known = UInt32(
      PREFOP_CLIENT_ALLOW_ANONYMOUS | PREFOP_CLIENT_USE_HTTP | PREFOP_CLIENT_NO_ENVIRONMENT
        | PREFOP_CLIENT_NO_DISCOVERY | PREFOP_CLIENT_NO_DATE)
    guard bits & ~known == 0 else {
      throw Failure(
        .unsupported, "options.flags has bits that version 1.0 does not know: {number}", number: Int(bits & ~known))
    }
    self.bits = bits
  }

  var readsEnvironment: Bool { !contains(PREFOP_CLIENT_NO_ENVIRONMENT) }

  func contains(_ flag: Int) -> Bool { bits & UInt32(flag) != 0 }
}
