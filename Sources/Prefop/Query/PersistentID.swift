/// The id of a task, as pfop handed it out: opaque, but fit for a URL.
struct PersistentID: ~Escapable {
  let text: Span<UInt8>

  private static var lengthLimit: Int { 256 }

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) throws(Failure) {
    guard !text.isEmpty else { throw Failure(.argument, "persistent_id is empty: give the id that pfop returned") }
    guard text.count <= Self.lengthLimit else {
      throw Failure(
        .argument, "persistent_id has {number} bytes: at most {limit}", number: text.count, limit: Self.lengthLimit)
    }
    for index in text.indices where !Self.isUnreserved(text[index]) && text[index].isControl {
      throw Failure(
        .argument, "persistent_id {text} has a control character at byte {number}", number: index, text: text)
    }
    self.text = text
  }

  /// Appends the id as a query string has it: a blank as "+", everything but
  /// letters, digits and "-_.~" as %XX.
  func appendEscaped(to target: inout Bytes) throws(OutOfMemory) {
    try target.reserve(text.count * 3)
    var index = 0
    while index < text.count {
      // Nearly every id is one run that needs no escape.
      let start = index
      while index < text.count, Self.isUnreserved(text[index]) { index += 1 }
      target.appendReserved(text.extracting(start..<index))
      guard index < text.count else { return }
      let byte = text[index]
      index += 1
      if byte == UInt8(ascii: " ") {
        target.appendReserved(UInt8(ascii: "+"))
      } else {
        target.appendReserved(UInt8(ascii: "%"))
        target.appendReserved(Self.hexDigit(byte >> 4))
        target.appendReserved(Self.hexDigit(byte & 0x0F))
      }
    }
  }

  /// RFC 3986: letters, digits and "-_.~", one bit for each ASCII code.
  @inline(__always)
  private static func isUnreserved(_ byte: UInt8) -> Bool {
    let bits: UInt64 = byte < 0x40 ? 0x03FF_6000_0000_0000 : byte < 0x80 ? 0x47FF_FFFE_87FF_FFFE : 0
    return bits >> UInt64(byte & 0x3F) & 1 == 1
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + (value - 10)
  }
}
