/// Text in the query of a URL: a blank as "+", everything but letters, digits
/// and "-_.~" as %XX.
enum QueryEscape {
  /// `plainCount`: how many bytes from the beginning are known to need no escape.
  static func append(_ text: Span<UInt8>, plainCount: Int = 0, to target: inout Bytes) throws(OutOfMemory) {
    try target.reserve(plainCount + (text.count - plainCount) * 3)
    target.appendReserved(text.extracting(0..<plainCount))
    for index in plainCount..<text.count {
      let byte = text[index]
      if isUnreserved(byte) {
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
  static func isUnreserved(_ byte: UInt8) -> Bool {
    let bits: UInt64 = byte < 0x40 ? 0x03FF_6000_0000_0000 : byte < 0x80 ? 0x47FF_FFFE_87FF_FFFE : 0
    return bits >> UInt64(byte & 0x3F) & 1 == 1
  }
}
