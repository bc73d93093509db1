import CLibcurl
import CPlatform

/// The request's own headers: one list for the life of a handle, changed in
/// place, so that a query takes no memory for them.
@safe
struct HeaderList: ~Copyable {
  /// In the order in which they are sent; the optional ones last.
  private enum Slot: Int {
    case userAgent, acceptEncoding, contentType, date, authorization

    static var count: Int { 5 }
  }

  private let nodes: UnsafeMutablePointer<curl_slist>
  private var userAgent = Bytes()
  private var acceptEncoding = Bytes()
  private var contentType = Bytes()
  private var date = Bytes()
  private var authorization = Bytes()

  private static var dateName: StaticString { "X-Qiniu-Date: " }
  private static var authorizationName: StaticString { "Authorization: Qiniu " }

  static func make(userAgent: Span<UInt8>) throws(OutOfMemory) -> HeaderList {
    let memory = try unsafe allocate(byteCount(of: curl_slist.self, count: Slot.count))
    var list = unsafe HeaderList(memory.bindMemory(to: curl_slist.self, capacity: Slot.count))
    try list.fill(userAgent)
    return list
  }

  private mutating func fill(_ userAgent: Span<UInt8>) throws(OutOfMemory) {
    try self.userAgent.append(userAgent)
    try acceptEncoding.append("Accept-Encoding: ")
    try acceptEncoding.append(Self.encodings)
    try acceptEncoding.append(0)
    try contentType.append("Content-Type: application/x-www-form-urlencoded")
    try contentType.append(0)
    try date.append(Self.dateName)
    try date.append(QiniuDate(secondsSince1970: 0).text.span)
    try date.append(0)
    connect()
  }

  private init(_ nodes: UnsafeMutablePointer<curl_slist>) {
    unsafe self.nodes = nodes
    for index in 0..<Slot.count {
      unsafe (nodes + index).initialize(to: curl_slist(data: nil, next: nil))
    }
  }

  deinit { unsafe free(nodes) }

  /// What libcurl takes as CURLOPT_HTTPHEADER.
  var head: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(nodes) }

  /// Room for an access key's token; the signature is filled in for each query.
  mutating func setAccessKey(_ key: Span<UInt8>) throws(OutOfMemory) {
    var line = Bytes()
    try line.append(Self.authorizationName)
    try line.append(key)
    try line.append(UInt8(ascii: ":"))
    try line.append(SignatureText(repeating: UInt8(ascii: "=")).span)
    try line.append(0)
    swap(&authorization, &line)
    // The old line may hold a valid token.
    line.wipe()
    connect()
  }

  mutating func setDate(_ text: InlineArray<16, UInt8>) {
    date.replace(at: Self.dateName.utf8CodeUnitCount, with: text.span)
  }

  mutating func setSignature(_ text: SignatureText) {
    authorization.replace(at: authorization.count - 1 - text.count, with: text.span)
  }

  /// Which of the optional headers the next request carries.
  mutating func send(date sendsDate: Bool, authorization sendsAuthorization: Bool) {
    let first: Slot? = sendsDate ? .date : sendsAuthorization ? .authorization : nil
    link(.contentType, to: first)
    link(.date, to: sendsAuthorization ? .authorization : nil)
  }

  private func link(_ slot: Slot, to next: Slot?) {
    unsafe nodes[slot.rawValue].next = nil
    if let next { unsafe nodes[slot.rawValue].next = nodes + next.rawValue }
  }

  /// Points the nodes at the lines, which may have moved.
  private func connect() {
    unsafe nodes[Slot.userAgent.rawValue].data = userAgent.withAddress { unsafe Self.text($0) }
    unsafe nodes[Slot.acceptEncoding.rawValue].data = acceptEncoding.withAddress { unsafe Self.text($0) }
    unsafe nodes[Slot.contentType.rawValue].data = contentType.withAddress { unsafe Self.text($0) }
    unsafe nodes[Slot.date.rawValue].data = date.withAddress { unsafe Self.text($0) }
    unsafe nodes[Slot.authorization.rawValue].data = authorization.withAddress { unsafe Self.text($0) }
    link(.userAgent, to: .acceptEncoding)
    link(.acceptEncoding, to: .contentType)
  }

  private static func text(_ line: UnsafeMutablePointer<UInt8>?) -> UnsafeMutablePointer<CChar>? {
    unsafe UnsafeMutableRawPointer(line)?.assumingMemoryBound(to: CChar.self)
  }

  /// The header that libcurl would send itself for all that it can decode.
  private static var encodings: StaticString {
    let brotli = Curl.offers(CURL_VERSION_BROTLI)
    let zstd = Curl.offers(CURL_VERSION_ZSTD)
    guard Curl.offers(CURL_VERSION_LIBZ) else { return "identity" }
    return brotli
      ? (zstd ? "deflate, gzip, br, zstd" : "deflate, gzip, br") : (zstd ? "deflate, gzip, zstd" : "deflate, gzip")
  }
}
