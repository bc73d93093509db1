/// The tokens of TOML 1.0, one after the other.
///
/// The document ends with a NUL, and `checkBytes` sees to it that it has no
/// other. Nothing steps over a NUL. A CR is always half of a line end.
///
/// Offsets stay within the document, whose size is limited far below what an
/// integer holds. They are added with &+ only to spare the many checks for what
/// cannot happen.
struct TOMLScanner: ~Copyable, ~Escapable {
  let document: Span<UInt8>
  var offset = 0

  @_lifetime(copy document)
  init(_ document: Span<UInt8>) { self.document = document }

  @_lifetime(self: copy self)
  @inline(never)
  mutating func checkBytes() throws(TOMLError) {
    if document.hasPrefix("\u{FEFF}") { throw error(.byteOrderMark) }
    while offset < document.count - 1 {
      guard let length = UTF8Validation.validSequence(in: document, at: offset) else { throw error(.notUTF8) }
      let isAllowed =
        !current.isControl || current == UInt8(ascii: "\t") || current == UInt8(ascii: "\n")
        || current == UInt8(ascii: "\r") && byte(at: 1) == UInt8(ascii: "\n")
      guard isAllowed else { throw error(.controlByte) }
      offset &+= length
    }
    offset = 0
  }

  /// The byte to be read, 0 at the end.
  var current: UInt8 { byte(at: 0) }

  /// A byte further on, or of those passed over; 0 beyond the end.
  private func byte(at distance: Int) -> UInt8 {
    let index = offset &+ distance
    return unsafe document.indices ~= index ? document[unchecked: index] : 0
  }

  func error(_ problem: TOMLError.Problem) -> TOMLError { TOMLError(problem: problem, offset: offset) }

  // MARK: Small steps

  /// Passes over a byte if it is there.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func skip(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    offset &+= 1
    return true
  }

  @_lifetime(self: copy self)
  @inline(never)
  mutating func expect(_ byte: UInt8, or problem: TOMLError.Problem) throws(TOMLError) {
    guard skip(byte) else { throw error(problem) }
  }

  /// Passes over text of this form if it is there; "0" stands for any digit.
  @_lifetime(self: copy self)
  @inline(never)
  private mutating func skip(_ form: StaticString) -> Bool {
    for index in 0..<form.utf8CodeUnitCount {
      let wanted = unsafe form.utf8Start[index]
      let byte = byte(at: index)
      guard byte == wanted || wanted == UInt8(ascii: "0") && byte.isDigit else { return false }
    }
    offset &+= form.utf8CodeUnitCount
    return true
  }

  @_lifetime(self: copy self)
  @inline(never)
  mutating func skipBlanks() {
    while current.isBlank, current != UInt8(ascii: "\n") { offset &+= 1 }
  }

  /// Passes over blanks and a comment, up to the end of the line.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func skipBlanksAndComment() {
    skipBlanks()
    guard current == UInt8(ascii: "#") else { return }
    while current != 0, current != UInt8(ascii: "\n") { offset &+= 1 }
  }

  @_lifetime(self: copy self)
  @inline(never)
  mutating func skipBlankLines() {
    repeat { skipBlanksAndComment() } while skip(UInt8(ascii: "\n"))
  }

  // MARK: Text

  /// One part of a key.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func name() throws(TOMLError) -> TOMLText {
    if isAtQuote { return try text(mayHaveLines: false) }
    let start = offset
    while current.isLetter || current.isDigit || current == UInt8(ascii: "_") || current == UInt8(ascii: "-") {
      offset &+= 1
    }
    guard offset > start else { throw error(.expectedKey) }
    return TOMLText(start: start, end: offset, hasEscapes: false)
  }

  var isAtQuote: Bool { current == UInt8(ascii: "\"") || current == UInt8(ascii: "'") }

  /// A string of any of the four kinds, or of the two that have no lines.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func text(mayHaveLines: Bool = true) throws(TOMLError) -> TOMLText {
    let opening = offset
    let quote = current
    let hasLines = mayHaveLines && isAtThree(quote)
    offset &+= hasLines ? 3 : 1
    if hasLines {
      // The line end after the opening quotes is not part of the text.
      _ = skip(UInt8(ascii: "\r"))
      _ = skip(UInt8(ascii: "\n"))
    }
    let start = offset
    while !(hasLines ? isAtThree(quote) : current == quote) {
      guard current != 0, hasLines || current != UInt8(ascii: "\n") else {
        offset = opening
        throw error(.unfinishedText)
      }
      if quote == UInt8(ascii: "\""), skip(UInt8(ascii: "\\")) {
        try skipEscape(hasLines)
      } else {
        offset &+= 1
      }
    }
    // Up to two quotes before the closing ones are.
    for _ in 0..<2 where hasLines && byte(at: 3) == quote { offset &+= 1 }
    let end = offset
    offset &+= hasLines ? 3 : 1
    return TOMLText(start: start, end: end, hasEscapes: quote == UInt8(ascii: "\""))
  }

  private func isAtThree(_ quote: UInt8) -> Bool {
    current == quote && byte(at: 1) == quote && byte(at: 2) == quote
  }

  /// Passes over what follows a backslash.
  @_lifetime(self: copy self)
  private mutating func skipEscape(_ hasLines: Bool) throws(TOMLError) {
    let letter = current
    switch letter {
    case UInt8(ascii: "b"), UInt8(ascii: "t"), UInt8(ascii: "n"), UInt8(ascii: "f"), UInt8(ascii: "r"),
      UInt8(ascii: "\""), UInt8(ascii: "\\"):
      offset &+= 1
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      guard TOMLEscape.scalar(letter, in: document, at: offset + 1) != nil else { throw error(.invalidEscape) }
      offset &+= 1 &+ TOMLEscape.digitCount(letter)
    default:
      // The blanks after an escaped line end need no care: they are text.
      skipBlanks()
      guard hasLines, current == UInt8(ascii: "\n") else { throw error(.invalidEscape) }
    }
  }

  // MARK: Other scalars

  /// Passes over a value that is neither array nor inline table.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func skipScalar() throws(TOMLError) {
    if isAtQuote {
      _ = try text()
    } else if skip("0000-00-00") {
      try finishDate()
    } else if skip("00:00:00") {
      try finishTime()
    } else if !skip("true"), !skip("false") {
      try skipNumber()
    }
  }

  @_lifetime(self: copy self)
  private mutating func skipNumber() throws(TOMLError) {
    if !skip(UInt8(ascii: "+")), !skip(UInt8(ascii: "-")), current == UInt8(ascii: "0") {
      switch byte(at: 1) {
      case UInt8(ascii: "x"): return try skipDigits(after: 2, 16)
      case UInt8(ascii: "o"): return try skipDigits(after: 2, 8)
      case UInt8(ascii: "b"): return try skipDigits(after: 2, 2)
      default: break
      }
    }
    if skip("inf") || skip("nan") { return }
    if !skip(UInt8(ascii: "0")) { try skipDigits() }
    if skip(UInt8(ascii: ".")) { try skipDigits() }
    guard skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) else { return }
    if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
    try skipDigits()
  }

  /// Passes over digits, between which single underscores may stand.
  @_lifetime(self: copy self)
  @inline(never)
  private mutating func skipDigits(after count: Int = 0, _ radix: UInt8 = 10) throws(TOMLError) {
    offset &+= count
    repeat {
      guard isDigit(radix) else { throw error(.expectedValue) }
      repeat { offset &+= 1 } while isDigit(radix)
    } while skip(UInt8(ascii: "_"))
  }

  private func isDigit(_ radix: UInt8) -> Bool {
    guard let digit = Hex.value(of: current) else { return false }
    return digit < radix
  }

  // MARK: Dates and times

  @_lifetime(self: copy self)
  private mutating func finishDate() throws(TOMLError) {
    let century = number(10)
    let year = number(8)
    let month = number(5)
    let day = number(2)
    let isLeap = (year == 0 ? century : year) & 3 == 0
    let days = month == 2 ? (isLeap ? 29 : 28) : 30 | (month ^ month >> 3) & 1
    guard century | year != 0, 1...12 ~= month, 1...days ~= day else { throw error(.invalidDate) }
    // A blank before a time is part of the value, before anything else it is not.
    let isTimed = current | 0x20 == UInt8(ascii: "t") || current == UInt8(ascii: " ") && byte(at: 1).isDigit
    guard isTimed else { return }
    offset &+= 1
    guard skip("00:00:00") else { throw error(.invalidDate) }
    try finishTime()
    if skip(UInt8(ascii: "Z")) || skip(UInt8(ascii: "z")) { return }
    guard skip(UInt8(ascii: "+")) || skip(UInt8(ascii: "-")) else { return }
    guard skip("00:00"), number(5) < 24, number(2) < 60 else { throw error(.invalidDate) }
  }

  @_lifetime(self: copy self)
  @inline(never)
  private mutating func finishTime() throws(TOMLError) {
    guard number(8) < 24, number(5) < 60, number(2) < 60 else { throw error(.invalidDate) }
    guard skip(UInt8(ascii: ".")) else { return }
    guard current.isDigit else { throw error(.invalidDate) }
    while current.isDigit { offset &+= 1 }
  }

  /// The number of two digits that were passed over: below 100, so that nothing
  /// wraps.
  @inline(never)
  private func number(_ distance: Int) -> UInt8 {
    (byte(at: 0 &- distance) &- UInt8(ascii: "0")) &* 10 &+ (byte(at: 1 &- distance) &- UInt8(ascii: "0"))
  }
}
