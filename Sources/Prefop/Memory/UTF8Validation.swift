/// Well-formed UTF-8 as RFC 3629 has it: no overlong forms, no surrogates,
/// nothing above U+10FFFF.
enum UTF8Validation {
  /// Bytes of the sequence that a lead byte announces, 0 when none begins so.
  static func sequenceLength(lead: UInt8) -> Int {
    switch lead {
    case 0x00...0x7F: 1
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 0
    }
  }

  /// Length of the well-formed sequence at `index`, nil when there is none.
  @inline(never)
  static func validSequence(in text: borrowing Span<UInt8>, at index: Int) -> Int? {
    guard index >= 0, index < text.count else { return nil }
    let lead = text[index]
    let length = sequenceLength(lead: lead)
    guard length > 0, length <= text.count - index else { return nil }
    guard length > 1 else { return 1 }
    guard secondByteRange(lead: lead).contains(text[index + 1]) else { return nil }
    for offset in 2..<max(2, length) where text[index + offset] & 0b1100_0000 != 0b1000_0000 {
      return nil
    }
    return length
  }

  /// The second byte carries the limits of RFC 3629, section 4.
  private static func secondByteRange(lead: UInt8) -> ClosedRange<UInt8> {
    switch lead {
    case 0xE0: 0xA0...0xBF
    case 0xED: 0x80...0x9F
    case 0xF0: 0x90...0xBF
    case 0xF4: 0x80...0x8F
    default: 0x80...0xBF
    }
  }
}
