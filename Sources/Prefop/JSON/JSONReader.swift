/// A strict RFC 8259 reader that is asked for what comes next. Iterative:
/// nesting costs bits, not stack.
///
///     try json.beginObject()
///     while let name = try json.nextName() {
///       switch name {
///       case "id": id = try json.text()
///       default: try json.skip()
///       }
///     }
///     try json.finish()
///
/// `null` reads as nil. The document must be at most `lengthLimit` bytes long.
struct JSONReader: ~Copyable, ~Escapable {
  static var lengthLimit: Int { 1 << 30 }

  let document: Span<UInt8>
  private(set) var offset = 0

  /// How many containers are open.
  private var depth: Int

  /// Of the container being read, nothing was read yet.
  private var isFirst = true

  /// The member whose value is being read, for errors.
  private(set) var member: JSONText?

  /// `depth`: how many containers of a larger document are open around this one.
  @_lifetime(copy document)
  init(_ document: Span<UInt8>, depth: Int = 0) {
    self.document = document
    self.depth = depth
    member = nil
  }

  // MARK: Structure

  @_lifetime(self: copy self)
  @inline(never)
  mutating func beginObject() throws(JSONError) {
    member = nil
    skipBlanks()
    guard current == UInt8(ascii: "{") else { throw error(.expectedObject) }
    offset += 1
    depth += 1
    isFirst = true
  }

  /// The name of the next member, nil at the end of the object.
  @_lifetime(copy self)
  @inline(__always)
  mutating func nextName() throws(JSONError) -> JSONName? {
    guard let text = try nextNameText() else { return nil }
    return JSONName(raw: text.raw(in: document), hasEscapes: text.hasEscapes)
  }

  @_lifetime(self: copy self)
  private mutating func nextNameText() throws(JSONError) -> JSONText? {
    member = nil
    skipBlanks()
    if current == UInt8(ascii: "}") {
      offset += 1
      depth -= 1
      isFirst = false
      return nil
    }
    if !isFirst {
      guard current == UInt8(ascii: ",") else { throw error(.expectedCommaOrBrace) }
      offset += 1
      skipBlanks()
    }
    isFirst = false
    guard current == UInt8(ascii: "\"") else { throw error(.expectedName) }
    let text = try scanText(strict: false)
    skipBlanks()
    guard current == UInt8(ascii: ":") else { throw error(.expectedColon) }
    offset += 1
    member = text
    return text
  }

  /// Opens an array; false when `null` stands in its place.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func beginArray() throws(JSONError) -> Bool {
    skipBlanks()
    guard current == UInt8(ascii: "[") else {
      guard readNull() else { throw error(.expectedArray) }
      return false
    }
    offset += 1
    depth += 1
    isFirst = true
    return true
  }

  /// Whether another element comes, or the array ends here.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func nextElement() throws(JSONError) -> Bool {
    skipBlanks()
    if current == UInt8(ascii: "]") {
      offset += 1
      depth -= 1
      isFirst = false
      return false
    }
    if !isFirst {
      guard current == UInt8(ascii: ",") else { throw error(.expectedCommaOrBracket) }
      offset += 1
      skipBlanks()
      if current == UInt8(ascii: "]") { throw error(.expectedValue) }
    }
    isFirst = false
    return true
  }

  /// Nothing may follow the document's one value.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func finish() throws(JSONError) {
    member = nil
    skipBlanks()
    guard offset == document.count else { throw error(.expectedEnd) }
  }

  // MARK: Values

  @_lifetime(self: copy self)
  mutating func text() throws(JSONError) -> JSONText? {
    skipBlanks()
    guard current == UInt8(ascii: "\"") else {
      guard readNull() else { throw error(.expectedText) }
      return nil
    }
    return try scanText(strict: true)
  }

  /// An integer written without fraction and exponent, exactly.
  @_lifetime(self: copy self)
  mutating func integer() throws(JSONError) -> Int64? {
    skipBlanks()
    let start = offset
    let isNegative = current == UInt8(ascii: "-")
    if isNegative { offset += 1 }
    guard isDigit(current) else {
      offset = start
      guard !isNegative, readNull() else { throw error(.expectedInteger) }
      return nil
    }
    var value: Int64 = 0
    let hasLeadingZero = current == UInt8(ascii: "0")
    let firstDigit = offset
    while isDigit(current) {
      let digit = Int64(current - UInt8(ascii: "0"))
      let (product, overflowsProduct) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowsSum) =
        isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
      guard !overflowsProduct, !overflowsSum else { throw error(.integerOutOfRange, at: start) }
      value = sum
      offset += 1
    }
    let isInteger = current != UInt8(ascii: ".") && current | 0x20 != UInt8(ascii: "e")
    guard isInteger, !hasLeadingZero || offset == firstDigit + 1 else { throw error(.expectedInteger, at: start) }
    return value
  }

  /// Any value, as its exact text; nil for `null`.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func rawValue() throws(JSONError) -> JSONText? {
    skipBlanks()
    let start = offset
    if readNull() { return nil }
    try skip()
    return JSONText(start: start, end: offset, decodedCount: offset - start)
  }

  /// Passes over one value of any kind and depth.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func skip() throws(JSONError) {
    skipBlanks()
    switch current {
    case UInt8(ascii: "{"), UInt8(ascii: "["): try skipContainer()
    default: try skipScalar()
    }
  }

  @_lifetime(self: copy self)
  private mutating func skipContainer() throws(JSONError) {
    var nesting = JSONNesting()
    repeat {
      skipBlanks()
      switch current {
      case UInt8(ascii: "{"):
        try open(&nesting, isObject: true)
        if try skipName() { continue }
        _ = nesting.pop()
      case UInt8(ascii: "["):
        try open(&nesting, isObject: false)
        if try nextElement() { continue }
        _ = nesting.pop()
      default:
        try skipScalar()
      }
      // A value is complete: so may be the containers around it.
      while let isObject = nesting.top {
        isFirst = false
        if try isObject ? skipName() : nextElement() { break }
        _ = nesting.pop()
      }
    } while nesting.top != nil
    isFirst = false
  }

  @_lifetime(self: copy self)
  private mutating func open(_ nesting: inout JSONNesting, isObject: Bool) throws(JSONError) {
    guard depth < JSONNesting.limit, nesting.push(isObject: isObject) else { throw error(.tooDeep) }
    offset += 1
    depth += 1
    isFirst = true
  }

  /// Passes over a name in a skipped object; the member in error stays the one
  /// around it.
  @_lifetime(self: copy self)
  private mutating func skipName() throws(JSONError) -> Bool {
    let outer = member
    let found = try nextNameText() != nil
    member = outer
    return found
  }

  @_lifetime(self: copy self)
  private mutating func skipScalar() throws(JSONError) {
    switch current {
    case UInt8(ascii: "\""): _ = try scanText(strict: false)
    case UInt8(ascii: "t"): try readWord("true")
    case UInt8(ascii: "f"): try readWord("false")
    case UInt8(ascii: "n"): try readWord("null")
    default: try skipNumber()
    }
  }

  @_lifetime(self: copy self)
  private mutating func skipNumber() throws(JSONError) {
    let start = offset
    if current == UInt8(ascii: "-") { offset += 1 }
    if current == UInt8(ascii: "0") {
      offset += 1
    } else {
      guard skipDigits() else { throw error(.expectedValue, at: start) }
    }
    if current == UInt8(ascii: ".") {
      offset += 1
      guard skipDigits() else { throw error(.expectedValue, at: start) }
    }
    if current | 0x20 == UInt8(ascii: "e") {
      offset += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { offset += 1 }
      guard skipDigits() else { throw error(.expectedValue, at: start) }
    }
  }

  @_lifetime(self: copy self)
  private mutating func skipDigits() -> Bool {
    let start = offset
    while isDigit(current) { offset += 1 }
    return offset > start
  }

  // MARK: Tokens

  /// The byte to be read, 0 at the end: a NUL is never right outside text.
  @inline(__always)
  private var current: UInt8 {
    unsafe offset < document.count ? document[unchecked: offset] : 0
  }

  @inline(__always)
  private func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
  }

  @_lifetime(self: copy self)
  @inline(__always)
  private mutating func skipBlanks() {
    while current <= 0x20, offset < document.count {
      switch current {
      case 0x20, 0x0A, 0x0D, 0x09: offset += 1
      default: return
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func readNull() -> Bool {
    guard current == UInt8(ascii: "n") else { return false }
    let start = offset
    do throws(JSONError) {
      try readWord("null")
      return true
    } catch {
      offset = start
      return false
    }
  }

  @_lifetime(self: copy self)
  private mutating func readWord(_ word: StaticString) throws(JSONError) {
    let start = offset
    for index in 0..<word.utf8CodeUnitCount {
      guard unsafe current == word.utf8Start[index] else { throw error(.expectedValue, at: start) }
      offset += 1
    }
  }

  /// Reads text from its opening to its closing quote. `strict` text must be
  /// fit for a C string: every escape must stand for a character, but for NUL.
  @_lifetime(self: copy self)
  @inline(__always)
  private mutating func scanText(strict: Bool) throws(JSONError) -> JSONText {
    let start = offset + 1
    let end = ByteScan.endOfPlainText(document, from: start)
    // Nearly all text is plain to its end.
    guard end < document.count, unsafe document[unchecked: end] == UInt8(ascii: "\"") else {
      return try scanSpecialText(from: start, special: end, strict: strict)
    }
    offset = end + 1
    return JSONText(start: start, end: end, decodedCount: end - start)
  }

  /// Goes on at the first byte that is not plain.
  @_lifetime(self: copy self)
  @inline(never)
  private mutating func scanSpecialText(from start: Int, special: Int, strict: Bool) throws(JSONError) -> JSONText {
    var escapedAway = 0
    offset = special
    while current != UInt8(ascii: "\"") {
      guard offset < document.count else { throw error(.unfinishedText, at: start - 1) }
      if current == UInt8(ascii: "\\") {
        escapedAway += try scanEscape(strict: strict)
      } else if current < 0x20 {
        throw error(.controlByteInText)
      } else {
        guard let length = UTF8Validation.validSequence(in: document, at: offset) else { throw error(.notUTF8) }
        offset += length
      }
      offset = ByteScan.endOfPlainText(document, from: offset)
    }
    let text = JSONText(start: start, end: offset, decodedCount: offset - start - escapedAway)
    offset += 1
    return text
  }

  /// Passes over one escape; returns how many bytes shorter its meaning is.
  @_lifetime(self: copy self)
  private mutating func scanEscape(strict: Bool) throws(JSONError) -> Int {
    let start = offset
    offset += 1
    let letter = current
    offset += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return 1
    case UInt8(ascii: "u"):
      guard let unit = UnicodeEscape.unit(in: document, at: offset) else { throw error(.invalidEscape, at: start) }
      offset += 4
      if UnicodeEscape.isLeadingSurrogate(unit), let low = UnicodeEscape.escapedUnit(in: document, at: offset),
        UnicodeEscape.isTrailingSurrogate(low)
      {
        offset += 6
        return 12 - 4
      }
      let isSurrogate = UnicodeEscape.isLeadingSurrogate(unit) || UnicodeEscape.isTrailingSurrogate(unit)
      if strict, isSurrogate { throw error(.unpairedSurrogate, at: start) }
      if strict, unit == 0 { throw error(.nulInText, at: start) }
      return 6 - UnicodeEscape.utf8Count(unit)
    default:
      throw error(.invalidEscape, at: start)
    }
  }

  private func error(_ problem: JSONError.Problem, at offset: Int? = nil) -> JSONError {
    JSONError(problem: problem, offset: min(offset ?? self.offset, document.count))
  }
}
