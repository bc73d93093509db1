/// Yields the decoded bytes of text that the reader has found to be well
/// formed. A lone surrogate, which only skipped text and names may hold, comes
/// out as the three bytes that it would have.
struct JSONEscapeDecoder: ~Escapable {
  private let raw: Span<UInt8>
  private var index = 0

  /// What is left of an escape's bytes, the next one lowest.
  private var pending: UInt32 = 0

  @_lifetime(copy raw)
  init(_ raw: Span<UInt8>) { self.raw = raw }

  @_lifetime(self: copy self)
  mutating func next() -> UInt8? {
    if pending != 0 { return takePending() }
    guard index < raw.count else { return nil }
    let byte = raw[index]
    index += 1
    guard byte == UInt8(ascii: "\\"), index < raw.count else { return byte }
    let escape = raw[index]
    index += 1
    return escape == UInt8(ascii: "u") ? decodeUnicode() : Self.short(escape)
  }

  /// What a one-letter escape stands for; '"', '\' and '/' stand for themselves.
  static func short(_ letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
  }

  @_lifetime(self: copy self)
  private mutating func decodeUnicode() -> UInt8 {
    var scalar = UnicodeEscape.unit(in: raw, at: index) ?? 0
    index += 4
    if UnicodeEscape.isLeadingSurrogate(scalar), let low = UnicodeEscape.escapedUnit(in: raw, at: index),
      UnicodeEscape.isTrailingSurrogate(low)
    {
      scalar = UnicodeEscape.combine(scalar, low)
      index += 6
    }
    pending = UTF8Encoding.bytes(of: scalar)
    return takePending()
  }

  /// Only the first byte of an escape can be 0, and that is taken at once.
  @_lifetime(self: copy self)
  private mutating func takePending() -> UInt8 {
    defer { pending >>= 8 }
    return UInt8(truncatingIfNeeded: pending)
  }
}

/// The numbers in "\uXXXX".
enum UnicodeEscape {
  /// The four hex digits at `index`.
  static func unit(in text: borrowing Span<UInt8>, at index: Int) -> UInt32? {
    guard index >= 0, text.count - index >= 4 else { return nil }
    var unit: UInt32 = 0
    for offset in 0..<4 {
      guard let digit = Hex.value(of: text[index + offset]) else { return nil }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  /// The number of a whole "\uXXXX" at `index`.
  static func escapedUnit(in text: borrowing Span<UInt8>, at index: Int) -> UInt32? {
    guard index >= 0, text.count - index >= 6, text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u")
    else { return nil }
    return unit(in: text, at: index + 2)
  }

  static func isLeadingSurrogate(_ unit: UInt32) -> Bool { 0xD800...0xDBFF ~= unit }
  static func isTrailingSurrogate(_ unit: UInt32) -> Bool { 0xDC00...0xDFFF ~= unit }

  static func combine(_ leading: UInt32, _ trailing: UInt32) -> UInt32 {
    0x10000 + ((leading & 0x3FF) << 10 | trailing & 0x3FF)
  }

  /// Bytes that a scalar value takes in UTF-8.
  static func utf8Count(_ scalar: UInt32) -> Int {
    switch scalar {
    case ..<0x80: 1
    case ..<0x800: 2
    case ..<0x10000: 3
    default: 4
    }
  }
}
