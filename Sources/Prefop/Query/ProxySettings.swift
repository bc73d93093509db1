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
      let forHTTP = try Self.proxy(ofFirst: "http_proxy", "all_proxy", "ALL_PROXY", if: readsEnvironment)
      let forHTTPS = try Self.proxy(
        ofFirst: "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", if: readsEnvironment)
      let exceptions = try Self.text(
        readsEnvironment ? Environment.value(name(ofFirst: "no_proxy", "NO_PROXY")) : nil)
      self.forHTTP = forHTTP
      self.forHTTPS = forHTTPS
      self.exceptions = exceptions
    }
  }

  var isUsedForHTTP: Bool { forHTTP.count > 1 }
  var hasExceptions: Bool { exceptions.count > 1 }

  /// Names the proxy for such hosts, without user and password, if it is one that
  /// speaks TLS.
  @inline(never)
  func describeTLS(isForHTTPS: Bool, in text: inout Message) {
    if isForHTTPS { Self.describeTLS(forHTTPS, in: &text) } else { Self.describeTLS(forHTTP, in: &text) }
  }

  @inline(never)
  private static func describeTLS(_ proxy: borrowing Bytes, in text: inout Message) {
    // Without memory it stays unnamed.
    guard proxy.span.hasPrefix("https:", ignoringCase: true), let url = unsafe curl_url() else { return }
    defer { unsafe curl_url_cleanup(url) }
    _ = unsafe proxy.withCString { unsafe curl_url_set(url, CURLUPART_URL, $0, 0) }
    text.append("at the proxy ")
    unsafe append(url, CURLUPART_HOST, to: &text)
    text.append(":")
    unsafe append(url, CURLUPART_PORT, to: &text)
    text.append(": ")
  }

  @inline(never)
  private static func append(_ url: OpaquePointer, _ part: CURLUPart, to text: inout Message) {
    var value: UnsafeMutablePointer<CChar>?
    guard unsafe curl_url_get(url, part, &value, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK else { return }
    text.appendPrintable(unsafe CText.span(value))
    unsafe curl_free(value)
  }

  @inline(never)
  private static func proxy(
    ofFirst first: StaticString, _ second: StaticString, _ third: StaticString, _ fourth: StaticString = "",
    if readsEnvironment: Bool
  ) throws(Failure) -> Bytes {
    guard readsEnvironment else { return try text(nil) }
    let variable = name(ofFirst: first, second, third, fourth)
    return try proxy(Environment.value(variable), variable)
  }

  /// A proxy that libcurl will take. It is checked here because libcurl would
  /// complain only later, and would print the whole of it, password and all.
  @inline(never)
  private static func proxy(_ text: Span<UInt8>?, _ name: StaticString) throws(Failure) -> Bytes {
    guard let text, !text.isEmpty else { return try Self.text(nil) }
    guard !hasEscapedControl(text) else {
      throw Failure(.configuration, "{name} has an escaped control character in it", name: name)
    }
    let ended = try Self.text(text)
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

  /// "socks" is version 4.
  @inline(never)
  private static func isProxyScheme(_ scheme: Span<UInt8>) -> Bool {
    scheme.equals("http") || scheme.equals("https") || scheme.equals("socks") || scheme.equals("socks4")
      || scheme.equals("socks4a") || scheme.equals("socks5") || scheme.equals("socks5h")
  }

  /// "%00" to "%1F". When the user or the password has one, libcurl 7.88 passes
  /// the proxy by and connects to the host itself, with no word of it.
  @inline(never)
  private static func hasEscapedControl(_ text: Span<UInt8>) -> Bool {
    var index = 0
    while index + 2 < text.count {
      if text[index] == UInt8(ascii: "%"), text[index + 1] == UInt8(ascii: "0") || text[index + 1] == UInt8(ascii: "1"),
        isHexDigit(text[index + 2])
      {
        return true
      }
      index += 1
    }
    return false
  }

  @inline(never)
  private static func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "F"),
      UInt8(ascii: "a")...UInt8(ascii: "f"):
      true
    default: false
    }
  }

  @inline(never)
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

/// The name of the first of the variables that is set; "": none is.
@inline(never)
private func name(
  ofFirst first: StaticString, _ second: StaticString, _ third: StaticString = "", _ fourth: StaticString = ""
) -> StaticString {
  if Environment.value(first) != nil { return first }
  if Environment.value(second) != nil { return second }
  if Environment.value(third) != nil { return third }
  return Environment.value(fourth) != nil ? fourth : ""
}
