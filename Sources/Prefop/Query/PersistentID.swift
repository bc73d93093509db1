/// The id of a task, as pfop handed it out: opaque, but fit for a URL.
struct PersistentID: ~Escapable {
  let text: Span<UInt8>

  /// How many bytes from the beginning need no escape: nearly always all.
  private let plainCount: Int

  private static var lengthLimit: Int { 256 }

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) throws(Failure) {
    guard !text.isEmpty else { throw Failure(.argument, "persistent_id is empty: give the id that pfop returned") }
    guard text.count <= Self.lengthLimit else {
      throw Failure(
        .argument, "persistent_id has {number} bytes: at most {limit}", number: text.count, limit: Self.lengthLimit)
    }
    var plainCount = 0
    while plainCount < text.count, Self.isUnreserved(text[plainCount]) { plainCount += 1 }
    for index in plainCount..<text.count where text[index].isControl {
      throw Failure(
        .argument, "persistent_id {text} has a control character at byte {number}", number: index, text: text)
    }
    self.text = text
    self.plainCount = plainCount
  }

  /// Appends the id as a query string has it: a blank as "+", everything but
  /// letters, digits and "-_.~" as %XX.
  func appendEscaped(to target: inout Bytes) throws(OutOfMemory) {
    try target.reserve(text.count * 3)
    target.appendReserved(text.extracting(0..<plainCount))
    for index in plainCount..<text.count {
      let byte = text[index]
      if Self.isUnreserved(byte) {
        target.appendReserved(byte)
      } else if byte == UInt8(ascii: " ") {
        target.appendReserved(UInt8(ascii: "+"))
      } else {
        target.appendReserved(UInt8(ascii: "%"))
        target.appendReserved(Hex.capitalDigit(byte >> 4))
        target.appendReserved(Hex.capitalDigit(byte & 0x0F))
      }
    }
  }

  /// RFC 3986: letters, digits and "-_.~", one bit for each ASCII code.
  @inline(__always)
  private static func isUnreserved(_ byte: UInt8) -> Bool {
    let bits: UInt64 = byte < 0x40 ? 0x03FF_6000_0000_0000 : byte < 0x80 ? 0x47FF_FFFE_87FF_FFFE : 0
    return bits >> UInt64(byte & 0x3F) & 1 == 1
  }
}
