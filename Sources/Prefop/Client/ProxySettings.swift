/// The proxies for http and https hosts, and the hosts that need none. Always
/// told to libcurl, so that it reads no environment itself.
struct ProxySettings: ~Copyable {
  /// Each ended by NUL; "" for none.
  let forHTTP: Bytes
  let forHTTPS: Bytes
  let exceptions: Bytes

  /// A given proxy serves every host; NULL takes the environment's, as curl
  /// reads it: `http_proxy` only in lower case, because a web server can be made
  /// to set HTTP_PROXY by a request's "Proxy" header.
  init(_ given: UnsafePointer<CChar>?, readsEnvironment: Bool) throws(Failure) {
    if let given = unsafe given {
      let forHTTP = try Self.text(unsafe CText.span(given))
      let forHTTPS = try Self.text(unsafe CText.span(given))
      let exceptions = try Self.text(nil)
      self.forHTTP = forHTTP
      self.forHTTPS = forHTTPS
      self.exceptions = exceptions
    } else {
      let forHTTP = try Self.first("http_proxy", "all_proxy", "ALL_PROXY", if: readsEnvironment)
      let forHTTPS = try Self.first("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", if: readsEnvironment)
      let exceptions = try Self.first("no_proxy", "NO_PROXY", if: readsEnvironment)
      self.forHTTP = forHTTP
      self.forHTTPS = forHTTPS
      self.exceptions = exceptions
    }
  }

  var isUsedForHTTP: Bool { forHTTP.count > 1 }

  /// The first of the variables that is set.
  private static func first(
    _ first: StaticString, _ second: StaticString, _ third: StaticString = "", _ fourth: StaticString = "",
    if readsEnvironment: Bool
  ) throws(Failure) -> Bytes {
    guard readsEnvironment else { return try text(nil) }
    if let value = Environment.value(first) { return try text(value) }
    if let value = Environment.value(second) { return try text(value) }
    if let value = Environment.value(third) { return try text(value) }
    return try text(Environment.value(fourth))
  }

  private static func text(_ text: Span<UInt8>?) throws(Failure) -> Bytes {
    do throws(OutOfMemory) {
      var copy = Bytes()
      if let text { try copy.append(text) }
      try copy.append(0)
      return copy
    } catch {
      throw .outOfMemory
    }
  }
}
