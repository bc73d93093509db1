/// Hexadecimal digits.
enum Hex {
  @inline(__always)
  static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// The number of the two digits at `index`.
  static func byte(in text: borrowing Span<UInt8>, at index: Int) -> UInt8? {
    guard index >= 0, text.count - index >= 2, let high = value(of: text[index]), let low = value(of: text[index + 1])
    else { return nil }
    return high << 4 | low
  }

  /// The digit of a number below 16.
  static func smallDigit(_ value: UInt8) -> UInt8 { digit(value, ten: UInt8(ascii: "a")) }
  static func capitalDigit(_ value: UInt8) -> UInt8 { digit(value, ten: UInt8(ascii: "A")) }

  private static func digit(_ value: UInt8, ten: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : ten + (value - 10)
  }
}
