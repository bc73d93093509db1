import CLibcurl
import CPlatform

/// A host to ask: its scheme, and its authority exactly as the Host header has
/// it, which is also what is signed.
@safe
struct Endpoint: ~Copyable {
  let isHTTPS: Bool
  private let authorityText: Bytes

  /// Parsed once and handed to every transfer; never changed afterwards.
  let url: UnsafeMutableRawPointer

  var authority: Span<UInt8> { @_lifetime(borrow self) get { authorityText.span } }

  init(_ address: HostAddress, isHTTPS: Bool) throws(Failure) {
    let authority = try Self.authority(of: address, isHTTPS: isHTTPS)
    let url = unsafe try Self.makeURL(address, isHTTPS: isHTTPS)
    self.isHTTPS = isHTTPS
    authorityText = authority
    unsafe self.url = url
  }

  func equals(_ other: borrowing Endpoint) -> Bool {
    isHTTPS == other.isHTTPS && authority.equals(other.authority)
  }

  deinit { unsafe curl_url_cleanup(OpaquePointer(url)) }

  /// With the host as libcurl will send it: it shortens IPv6 addresses, and writes
  /// odd IPv4 ones in the usual form.
  private static func authority(of address: HostAddress, isHTTPS: Bool) throws(Failure) -> Bytes {
    let url = unsafe try makeURL(address, isHTTPS: isHTTPS)
    defer { unsafe curl_url_cleanup(OpaquePointer(url)) }
    var host: UnsafeMutablePointer<CChar>?
    guard unsafe curl_url_get(OpaquePointer(url), CURLUPART_HOST, &host, 0) == CURLUE_OK else { throw .outOfMemory }
    defer { unsafe curl_free(host) }
    do throws(OutOfMemory) {
      return try address.authority(host: unsafe CText.span(host), isHTTPS: isHTTPS)
    } catch {
      throw .outOfMemory
    }
  }

  private static func makeURL(_ address: HostAddress, isHTTPS: Bool) throws(Failure) -> UnsafeMutableRawPointer {
    guard let url = unsafe curl_url() else { throw .outOfMemory }
    do throws(Failure) {
      try unsafe set(url, CURLUPART_SCHEME, isHTTPS ? "https" : "http")
      try unsafe set(url, CURLUPART_HOST, address.host)
      if let port = address.port {
        let text: InlineText<8> = "\(port)"
        try unsafe set(url, CURLUPART_PORT, text.span)
      }
      try unsafe set(url, CURLUPART_PATH, "/")
    } catch {
      unsafe curl_url_cleanup(url)
      throw error
    }
    return unsafe UnsafeMutableRawPointer(url)
  }

  private static func set(_ url: OpaquePointer, _ part: CURLUPart, _ text: StaticString) throws(Failure) {
    try unsafe set(url, part, Span(_unsafeStart: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private static func set(_ url: OpaquePointer, _ part: CURLUPart, _ text: Span<UInt8>) throws(Failure) {
    var ended = InlineText<256>()
    ended.append(text)
    let code = unsafe ended.withCString { unsafe curl_url_set(url, part, $0, 0) }
    guard code == CURLUE_OK else {
      if code == CURLUE_OUT_OF_MEMORY { throw .outOfMemory }
      throw Failure(.configuration, "api_hosts: libcurl does not take a host")
    }
  }
}
