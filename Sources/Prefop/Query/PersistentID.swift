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
    for index in text.indices where text[index].isControl {
      throw Failure(
        .argument, "persistent_id {text} has a control character at byte {number}", number: index, text: text)
    }
    self.text = text
  }

  /// Appends the id as a query string has it: a blank as "+", everything but
  /// letters, digits and "-_.~" as %XX.
  func appendEscaped(to target: inout Bytes) throws(OutOfMemory) {
    try target.reserve(text.count * 3)
    for index in text.indices {
      let byte = text[index]
      if Self.isUnreserved(byte) {
        target.appendReserved(byte)
      } else if byte == UInt8(ascii: " ") {
        target.appendReserved(UInt8(ascii: "+"))
      } else {
        target.appendReserved(UInt8(ascii: "%"))
        target.appendReserved(Self.hexDigit(byte >> 4))
        target.appendReserved(Self.hexDigit(byte & 0x0F))
      }
    }
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"): true
    default: byte.isLetter || byte.isDigit
    }
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + (value - 10)
  }
}
