import CLibcurl

/// The request's own header fields, changed in place, so that a query takes no
/// memory for them.
///
/// They are one entry of libcurl's list, lines and all: libcurl compares every
/// entry with every field that it knows, which for five entries is a twentieth
/// of a query. The line that libcurl must see, lest it adds its own, is first.
@safe
struct HeaderList: ~Copyable {
  private let node: Box<curl_slist>

  /// Whether there is an Authorization line.
  private(set) var isSigned = false

  /// All lines, separated by CR LF, ended by NUL.
  private var lines = Bytes()
  private var dateOffset = 0
  private var signatureOffset = 0

  /// Bytes of all lines at most, without what the caller gives of them.
  private static var fixedCount: Int { 180 }

  init() throws(OutOfMemory) {
    unsafe node = try unsafe Box(curl_slist(data: nil, next: nil))
  }

  deinit { lines.wipe() }

  var isEmpty: Bool { lines.isEmpty }

  /// What libcurl takes as CURLOPT_HTTPHEADER.
  var head: UnsafeMutableRawPointer { unsafe node.rawAddress }

  /// The lines for requests that this key signs; for unsigned ones when it is empty.
  mutating func setAccessKey(_ key: Span<UInt8>, _ settings: borrowing Settings) throws(OutOfMemory) {
    let userAgent = settings.userAgent.span
    // Set only together with the lines: appending can fail at any point.
    var newDateOffset = 0
    var newSignatureOffset = 0
    var next = Bytes()
    // At once: room that is doubled as it runs out is kept for good.
    try next.reserve(Self.fixedCount + userAgent.count + key.count)
    try next.append("Accept-Encoding: ")
    try next.append(Self.encodings)
    try next.append("\r\n")
    try next.append(userAgent.extracting(0..<userAgent.count - 1))
    try next.append("\r\nContent-Type: application/x-www-form-urlencoded")
    if settings.sendsDate {
      try next.append("\r\nX-Qiniu-Date: ")
      newDateOffset = next.count
      try next.append(QiniuDate(secondsSince1970: 0).text.span)
    }
    if !key.isEmpty {
      try next.append("\r\nAuthorization: Qiniu ")
      try next.append(key)
      try next.append(UInt8(ascii: ":"))
      newSignatureOffset = next.count
      try next.append(SignatureText(repeating: UInt8(ascii: "=")).span)
    }
    try next.append(0)
    isSigned = !key.isEmpty
    dateOffset = newDateOffset
    signatureOffset = newSignatureOffset
    swap(&lines, &next)
    // The old lines may hold a valid token.
    next.wipe()
    unsafe node.value.data = lines.withAddress { start in
      unsafe UnsafeMutableRawPointer(start)?.assumingMemoryBound(to: CChar.self)
    }
  }

  mutating func setDate(_ text: InlineArray<16, UInt8>) { lines.replace(at: dateOffset, with: text.span) }
  mutating func setSignature(_ text: SignatureText) { lines.replace(at: signatureOffset, with: text.span) }

  /// The header that libcurl would send itself for all that it can decode.
  private static var encodings: StaticString {
    let brotli = Curl.offers(CURL_VERSION_BROTLI)
    let zstd = Curl.offers(CURL_VERSION_ZSTD)
    guard Curl.offers(CURL_VERSION_LIBZ) else { return "identity" }
    return brotli
      ? (zstd ? "deflate, gzip, br, zstd" : "deflate, gzip, br") : (zstd ? "deflate, gzip, zstd" : "deflate, gzip")
  }
}
