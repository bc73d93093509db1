/// Where reading stopped, and why. Nothing of the document goes into it, since
/// that may be a secret.
struct TOMLError: Error {
  var problem: Problem
  var offset: Int

  enum Problem: UInt8 {
    case byteOrderMark
    case controlByte
    case expectedBoolean
    case expectedBracket
    case expectedComma
    case expectedEquals
    case expectedKey
    case expectedLineEnd
    case expectedTable
    case expectedText
    case expectedValue
    case invalidDate
    case invalidEscape
    case notUTF8
    case outOfMemory
    case repeatedKey
    case unfinishedText

    /// The template of a failure.
    var description: StaticString {
      switch self {
      case .byteOrderMark: "expected no byte order mark: save the file without it"
      case .controlByte: "expected no control characters but tabs and line ends"
      case .expectedBoolean: "{name} must be true or false"
      case .expectedComma: "expected a comma, or the end of the array or inline table"
      case .expectedBracket: "expected \"]\" after the name of the table"
      case .expectedEquals: "expected \"=\" after the key"
      case .expectedKey: "expected a key"
      case .expectedLineEnd: "expected the end of the line"
      case .expectedTable: "the profile must be a table"
      case .expectedText: "{name} must be a string"
      case .expectedValue: "expected a value of TOML"
      case .invalidDate: "expected a date or time that there is"
      case .invalidEscape: "expected an escape of TOML after \"\\\""
      case .notUTF8: "expected UTF-8"
      case .outOfMemory: "out of memory"
      case .repeatedKey: "this key or table is there before"
      case .unfinishedText: "expected the closing quote"
      }
    }
  }

  /// Where it is for a person.
  func line(in document: Span<UInt8>) -> Int {
    var line = 1
    for index in 0..<min(offset, document.count) where document[index] == UInt8(ascii: "\n") { line += 1 }
    return line
  }
}
