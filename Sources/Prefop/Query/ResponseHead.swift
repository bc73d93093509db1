/// What an answer's header fields tell that matters here.
struct ResponseHead {
  /// X-Reqid: names the request to Qiniu's support.
  private(set) var requestID = InlineText<64>()

  /// X-Log was there: like X-Reqid, only Qiniu's own servers send it.
  private(set) var hasLog = false

  /// Date: when the server says it answered.
  private(set) var date = InlineText<64>()

  /// The empty line that ends the fields has come.
  private(set) var isComplete = false

  var isFromQiniu: Bool { hasLog || !requestID.isEmpty }

  /// Takes one line as it came. A status line begins anew: answers of class 1xx
  /// come before the final one.
  mutating func read(line: Span<UInt8>) {
    guard !line.isEmpty else { return }
    switch line[0] | 0x20 {
    case UInt8(ascii: "x"):
      readField(line)
    case UInt8(ascii: "d") where line.hasPrefix("date:", ignoringCase: true):
      date.removeAll()
      date.append(line.extracting(5..<line.count).trimmed)
    case UInt8(ascii: "h") where line.hasPrefix("http/", ignoringCase: true):
      self = ResponseHead()
    default:
      if line[0] == 0x0D || line[0] == 0x0A { isComplete = true }
    }
  }

  private mutating func readField(_ line: Span<UInt8>) {
    if line.hasPrefix("x-reqid:", ignoringCase: true) {
      // Of several the first counts: what a proxy adds comes after it.
      guard requestID.isEmpty else { return }
      requestID.appendPrintable(line.extracting(8..<line.count).trimmed)
    } else if line.hasPrefix("x-log:", ignoringCase: true) {
      hasLog = !line.extracting(6..<line.count).trimmed.isEmpty
    }
  }
}
