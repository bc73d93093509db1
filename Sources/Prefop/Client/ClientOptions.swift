import CPrefop

/// From the options that C gives to the settings of a client: checked, with the
/// defaults filled in.
enum ClientOptions {
  private static var defaultTimeout: Int64 { 30_000 }
  private static var defaultAttemptTimeout: Int64 { 10_000 }
  private static var defaultConnectTimeout: Int64 { 3_000 }

  static func settings(from given: prefop_client_options, _ flags: ClientFlags) throws(Failure) -> Settings {
    let readsEnvironment = flags.readsEnvironment
    let isDateOff = readsEnvironment && Environment.isOn("DISABLE_QINIU_TIMESTAMP_SIGNATURE") ?? false
    let responseLimit = try unsafe limit(
      given.max_response_bytes, "max_response_bytes", default: 16 << 20, atMost: Int64(JSONReader.lengthLimit))
    let attemptLimit = try unsafe limit(Int64(given.max_attempts), "max_attempts", default: 4, atMost: 100)
    let inFlightLimit = try unsafe limit(Int64(given.max_in_flight), "max_in_flight", default: 64, atMost: 10_000)
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
      sendsDate: !flags.contains(PREFOP_CLIENT_NO_DATE) && !isDateOff)
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

  /// A limit from 1 up; 0 is the default.
  private static func limit(
    _ given: Int64, _ name: StaticString, default standard: Int64, atMost highest: Int64
  ) throws(Failure) -> Int {
    guard 0...highest ~= given else {
      throw Failure(
        .configuration, "{name} is {number}: give 1 to {limit}, or 0 for the default", name: name, number: Int(given),
        limit: Int(highest))
    }
    return Int(given == 0 ? standard : given)
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
