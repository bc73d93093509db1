/// Looks at eight bytes at once, as one integer, for what text in JSON may not
/// hold as it is.
enum ByteScan {
  private static var ones: UInt64 { 0x0101_0101_0101_0101 }
  private static var highBits: UInt64 { 0x8080_8080_8080_8080 }

  /// Index of the first byte at or after `start` that is a quote, a backslash,
  /// a control byte or not ASCII; `text.count` when there is none.
  @inline(__always)
  static func endOfPlainText(_ text: Span<UInt8>, from start: Int) -> Int {
    let bytes = unsafe text.bytes
    let count = text.count
    var index = start
    while count - index >= 8 {
      // In bounds: eight bytes are left.
      let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
      let found = special(in: UInt64(littleEndian: word))
      if found != 0 { return index + found.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < count {
      let byte = unsafe text[unchecked: index]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 || byte >= 0x80 { return index }
      index += 1
    }
    return count
  }

  /// The high bit of each byte that is special. A subtraction sets it where the
  /// byte was smaller than what is taken away, and leaves it where the byte was
  /// not ASCII, which is special too. Bytes above the lowest such one may be
  /// marked wrongly, by its borrow, so only the lowest counts; that is why it
  /// may wrap.
  @inline(__always)
  private static func special(in word: UInt64) -> UInt64 {
    let quotes = (word ^ (ones * UInt64(UInt8(ascii: "\"")))) &- ones
    let backslashes = (word ^ (ones * UInt64(UInt8(ascii: "\\")))) &- ones
    let controls = word &- ones * 0x20
    return (quotes | backslashes | controls | word) & highBits
  }
}
