import CLibcurl

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
      let forHTTP = try Self.proxy(unsafe CText.span(given), "options.proxy")
      let forHTTPS = try Self.proxy(unsafe CText.span(given), "options.proxy")
      let exceptions = try Self.text(nil)
      self.forHTTP = forHTTP
      self.forHTTPS = forHTTPS
      self.exceptions = exceptions
    } else {
      let forHTTP = try Self.proxy(first("http_proxy", "all_proxy", "ALL_PROXY", if: readsEnvironment), "http_proxy")
      let forHTTPS = try Self.proxy(
        first("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", if: readsEnvironment), "https_proxy")
      let exceptions = try Self.text(first("no_proxy", "NO_PROXY", if: readsEnvironment))
      self.forHTTP = forHTTP
      self.forHTTPS = forHTTPS
      self.exceptions = exceptions
    }
  }

  var isUsedForHTTP: Bool { forHTTP.count > 1 }

  /// A proxy that libcurl will take. It is checked here because libcurl would
  /// complain only later, and would print the whole of it, password and all.
  private static func proxy(_ text: Span<UInt8>?, _ name: StaticString) throws(Failure) -> Bytes {
    let ended = try Self.text(text)
    guard ended.count > 1 else { return ended }
    guard let url = unsafe curl_url() else { throw .outOfMemory }
    defer { unsafe curl_url_cleanup(url) }
    let flags = UInt32(CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME)
    let code = unsafe ended.withCString { unsafe curl_url_set(url, CURLUPART_URL, $0, flags) }
    if code == CURLUE_OUT_OF_MEMORY { throw .outOfMemory }
    var scheme: UnsafeMutablePointer<CChar>?
    guard code == CURLUE_OK, unsafe curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK else {
      throw Failure(.configuration, "{name} is no URL of a proxy", name: name)
    }
    defer { unsafe curl_free(scheme) }
    guard isProxyScheme(unsafe CText.span(scheme)) else {
      throw Failure(
        .configuration,
        "{name} has a scheme that is not of a proxy: give http, https, socks4, socks4a, socks5 or socks5h",
        name: name)
    }
    return ended
  }

  private static func isProxyScheme(_ scheme: Span<UInt8>) -> Bool {
    scheme.equals("http") || scheme.equals("https") || scheme.equals("socks4") || scheme.equals("socks4a")
      || scheme.equals("socks5") || scheme.equals("socks5h")
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

/// The first of the variables that is set, when the environment is read at all.
@_lifetime(immortal)
private func first(
  _ first: StaticString, _ second: StaticString, _ third: StaticString = "", _ fourth: StaticString = "",
  if readsEnvironment: Bool
) -> Span<UInt8>? {
  guard readsEnvironment else { return nil }
  if let value = Environment.value(first) { return value }
  if let value = Environment.value(second) { return value }
  if let value = Environment.value(third) { return value }
  return Environment.value(fourth)
}
