/// What an error says to a person: one line, as `prefop_error.message` holds it.
typealias Message = InlineText<512>

/// Text with a number in it, written as a literal. Its parts stay in the program's
/// text, so nothing is allocated.
extension InlineText: ExpressibleByStringInterpolation {
  @inline(never)
  init(stringLiteral literal: StaticString) {
    self.init()
    append(literal)
  }

  init(stringInterpolation interpolation: StringInterpolation) {
    self = interpolation.text
  }

  struct StringInterpolation: StringInterpolationProtocol {
    var text: InlineText<capacity>

    init(literalCapacity: Int, interpolationCount: Int) { text = InlineText() }

    mutating func appendLiteral(_ literal: StaticString) { text.append(literal) }
    mutating func appendInterpolation(_ number: Int) { text.append(number) }
    mutating func appendInterpolation(_ literal: StaticString) { text.append(literal) }

    mutating func appendInterpolation<let other: Int>(_ value: InlineText<other>) {
      text.append(value.span)
    }

    /// Text of the caller or the network: quoted, shortened, made printable.
    mutating func appendInterpolation(_ value: borrowing Span<UInt8>) {
      text.appendExcerpt(value)
    }
  }
}

extension InlineText {
  /// How many bytes of foreign text a message shows.
  private static var excerptLimit: Int { 60 }

  /// How many bytes of a file's name.
  private static var nameLimit: Int { 200 }

  /// Appends foreign text in quotes; what is long is cut, what is not printable
  /// shows as "?".
  @inline(never)
  mutating func appendExcerpt(_ value: borrowing Span<UInt8>) {
    append(UInt8(ascii: "\""))
    appendShortened(value)
    append(UInt8(ascii: "\""))
  }

  /// Appends the beginning of foreign text; what is not printable shows as "?".
  @inline(never)
  mutating func appendShortened(_ value: borrowing Span<UInt8>) {
    let shown = min(value.count, Self.excerptLimit)
    appendPrintable(value.extracting(first: shown))
    if shown < value.count { append("...") }
  }

  /// Appends the name of a file. Of a long one the end, which tells more.
  @inline(never)
  mutating func appendEnd(of name: borrowing Span<UInt8>) {
    var start = max(0, name.count - Self.nameLimit)
    if start > 0 { append("...") }
    while start < name.count, name[start] & 0b1100_0000 == 0b1000_0000 { start += 1 }
    appendPrintable(name.extracting(start..<name.count))
  }

  /// Whether a character is a control of C1 (U+0080 to U+009F), or one of the
  /// separators U+2028 and U+2029, with which some readers end a line.
  private static func endsLine(_ character: Span<UInt8>) -> Bool {
    switch character.count {
    case 2: character[0] == 0xC2 && character[1] < 0xA0
    case 3: character[0] == 0xE2 && character[1] == 0x80 && 0xA8...0xA9 ~= character[2]
    default: false
    }
  }

  /// Appends foreign text on one line: control characters show as blanks, what
  /// is not UTF-8 shows as "?".
  @inline(never)
  mutating func appendPrintable(_ value: borrowing Span<UInt8>) {
    var index = 0
    while index < value.count, 0x20...0x7E ~= value[index] { index += 1 }
    append(value.extracting(0..<index))
    while index < value.count {
      let byte = value[index]
      if byte < 0x80 {
        append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: " ") : byte)
        index += 1
      } else if let length = UTF8Validation.validSequence(in: value, at: index) {
        guard count + length < capacity else { return }
        if Self.endsLine(value.extracting(index..<index + length)) {
          append(UInt8(ascii: " "))
        } else {
          append(value.extracting(index..<index + length))
        }
        index += length
      } else {
        append(UInt8(ascii: "?"))
        index += 1
      }
    }
  }
}
