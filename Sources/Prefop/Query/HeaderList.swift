import CLibcurl

/// The request's own header fields, changed in place, so that a query takes no
/// memory for them.
///
/// libcurl writes every byte of a line it makes twice, one byte at a time, and
/// compares every entry of its list with every field that it knows; both are a
/// good part of what a query costs. So its own lines are switched off, and ours
/// are all in the last entry, line ends and all.
@safe
struct HeaderList: ~Copyable {
  private typealias Entries = InlineArray<4, curl_slist>

  private let entries: Box<Entries>

  /// Whether there is an Authorization line.
  private(set) var isSigned = false

  /// All lines, separated by CR LF, ended by NUL. The Host line is the first, once
  /// a host is set.
  private var lines = Bytes()
  private var hostCount = 0
  private var dateOffset = 0
  private var signatureOffset = 0

  /// The place of the host that is set.
  private var place: Int?

  /// Bytes of all lines at most, without the host, and what the caller gives.
  private static var fixedCount: Int { 160 }

  /// Bytes of a Host line without the host.
  private static var hostLineCount: Int { 8 }

  init() throws(OutOfMemory) {
    unsafe entries = try unsafe Box(Entries(repeating: curl_slist(data: nil, next: nil)))
    switchOff(0, "Host:")
    switchOff(1, "Accept:")
    switchOff(2, "Accept-Encoding:")
  }

  deinit { lines.wipe() }

  /// A field without a value is one that libcurl does not send.
  private func switchOff(_ index: Int, _ field: StaticString) {
    let text = unsafe UnsafeMutableRawPointer(mutating: field.utf8Start)
    unsafe entries.value[index].data = text.assumingMemoryBound(to: CChar.self)
    unsafe entries.value[index].next = address(of: index + 1)
  }

  private func address(of index: Int) -> UnsafeMutablePointer<curl_slist> {
    unsafe entries.rawAddress.assumingMemoryBound(to: curl_slist.self) + index
  }

  var isEmpty: Bool { lines.isEmpty }

  /// What libcurl takes as CURLOPT_HTTPHEADER.
  var head: UnsafeMutableRawPointer { unsafe entries.rawAddress }

  /// The lines for requests that this key signs; for unsigned ones when it is empty.
  mutating func setAccessKey(_ key: Span<UInt8>, _ settings: borrowing Settings) throws(OutOfMemory) {
    let userAgent = settings.userAgent.span
    // Set only together with the lines: appending can fail at any point.
    var newDateOffset = 0
    var newSignatureOffset = 0
    var next = Bytes()
    // At once: room that is doubled as it runs out is kept for good.
    try next.reserve(hostCount + Self.fixedCount + userAgent.count + key.count)
    try next.append(lines.span.extracting(0..<hostCount))
    try next.append("Accept-Encoding: ")
    try next.append(Self.encodings)
    try next.append("\r\n")
    try next.append(userAgent.extracting(0..<userAgent.count - 1))
    try next.append("\r\nContent-Type: application/x-www-form-urlencoded")
    if settings.sendsDate {
      try next.append("\r\nX-Qiniu-Date: ")
      newDateOffset = next.count - hostCount
      try next.append(QiniuDate(secondsSince1970: 0).text.span)
    }
    if !key.isEmpty {
      try next.append("\r\nAuthorization: Qiniu ")
      try next.append(key)
      try next.append(UInt8(ascii: ":"))
      newSignatureOffset = next.count - hostCount
      try next.append(SignatureText(repeating: UInt8(ascii: "=")).span)
    }
    try next.append(0)
    isSigned = !key.isEmpty
    dateOffset = newDateOffset
    signatureOffset = newSignatureOffset
    take(&next)
  }

  /// The host that requests go to, as it is signed; a key must have been set.
  mutating func setHost(_ host: HostReference) throws(OutOfMemory) {
    guard place != host.place else { return }
    let rest = hostCount
    var next = Bytes()
    try next.reserve(Self.hostLineCount + host.endpoint.authority.count + lines.count - rest)
    try next.append("Host: ")
    try next.append(host.endpoint.authority)
    try next.append("\r\n")
    let newHostCount = next.count
    try next.append(lines.span.extracting(rest..<lines.count))
    hostCount = newHostCount
    place = host.place
    take(&next)
  }

  private mutating func take(_ next: inout Bytes) {
    swap(&lines, &next)
    // The old lines may hold a valid token.
    next.wipe()
    unsafe address(of: Entries.count - 1).pointee.data = lines.withAddress { start in
      unsafe UnsafeMutableRawPointer(start)?.assumingMemoryBound(to: CChar.self)
    }
  }

  mutating func setDate(_ text: InlineArray<16, UInt8>) { lines.replace(at: hostCount + dateOffset, with: text.span) }
  mutating func setSignature(_ text: SignatureText) {
    lines.replace(at: hostCount + signatureOffset, with: text.span)
  }

  /// What every server speaks and libcurl can decode; others are as good as never
  /// chosen, and longer to write.
  private static var encodings: StaticString { Curl.offers(CURL_VERSION_LIBZ) ? "gzip" : "identity" }
}
