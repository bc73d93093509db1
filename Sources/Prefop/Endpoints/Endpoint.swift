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
    let authority = try orFailure { () throws(OutOfMemory) in try address.authority(isHTTPS: isHTTPS) }
    let url = unsafe try Self.makeURL(address, isHTTPS: isHTTPS)
    self.isHTTPS = isHTTPS
    authorityText = authority
    unsafe self.url = url
  }

  deinit { unsafe curl_url_cleanup(OpaquePointer(url)) }

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
