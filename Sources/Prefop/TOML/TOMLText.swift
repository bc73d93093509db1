/// A key or a string in a document, without its quotes.
struct TOMLText {
  let start: Int
  let end: Int

  /// Backslashes begin escapes.
  let hasEscapes: Bool

  /// Appends what well-formed text means. There must be room for it as it is
  /// written: no escape is shorter than what it stands for.
  @inline(never)
  func decode(in document: Span<UInt8>, into target: inout Secret) {
    var index = start
    while index < end {
      let byte = document[index]
      index += 1
      // A line end is one line feed. Any other CR is written as an escape.
      if byte == UInt8(ascii: "\r") { continue }
      guard hasEscapes, byte == UInt8(ascii: "\\"), index < end else {
        target.appendReserved(byte)
        continue
      }
      let letter = document[index]
      if letter.isBlank {
        // An escaped line end takes the blanks after it away, too.
        while index < end, document[index].isBlank { index += 1 }
        continue
      }
      index += 1
      guard let scalar = TOMLEscape.scalar(letter, in: document, at: index) else {
        target.appendReserved(JSONEscapeDecoder.short(letter))
        continue
      }
      index += TOMLEscape.digitCount(letter)
      var bytes = UTF8Encoding.bytes(of: scalar)
      repeat {
        target.appendReserved(UInt8(truncatingIfNeeded: bytes))
        bytes >>= 8
      } while bytes != 0
    }
  }
}

/// The numbers in "\uXXXX" and "\UXXXXXXXX".
enum TOMLEscape {
  static func digitCount(_ letter: UInt8) -> Int {
    switch letter {
    case UInt8(ascii: "u"): 4
    case UInt8(ascii: "U"): 8
    default: 0
    }
  }

  /// The character whose number is at `index`, behind the letter; nil when there
  /// is none.
  @inline(never)
  static func scalar(_ letter: UInt8, in text: Span<UInt8>, at index: Int) -> UInt32? {
    let digitCount = digitCount(letter)
    guard digitCount > 0 else { return nil }
    var scalar: UInt32 = 0
    for place in index..<index + digitCount {
      guard let digit = Hex.value(of: text[place]) else { return nil }
      scalar = scalar << 4 | UInt32(digit)
    }
    return 0xD800...0xDFFF ~= scalar || scalar > 0x10_FFFF ? nil : scalar
  }
}
