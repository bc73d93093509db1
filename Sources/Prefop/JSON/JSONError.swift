/// Where reading stopped, and why. Small, so that it costs the reader nothing;
/// the text for people is made at the border, while the document is alive.
struct JSONError: Error {
  var problem: Problem
  var offset: Int

  enum Problem: UInt8 {
    case expectedValue
    case expectedObject
    case expectedArray
    case expectedText
    case expectedInteger
    case expectedName
    case expectedColon
    case expectedCommaOrBrace
    case expectedCommaOrBracket
    case expectedEnd
    case integerOutOfRange
    case unfinishedText
    case controlByteInText
    case invalidEscape
    case unpairedSurrogate
    case nulInText
    case notUTF8
    case tooDeep
    case missingCode
    case workflowNotification
    case outOfMemory

    var description: StaticString {
      switch self {
      case .expectedValue: "expected a value"
      case .expectedObject: "expected an object"
      case .expectedArray: "expected an array"
      case .expectedText: "expected text"
      case .expectedInteger: "expected an integer"
      case .expectedName: "expected a member's name in quotes"
      case .expectedColon: "expected ':'"
      case .expectedCommaOrBrace: "expected ',' or '}'"
      case .expectedCommaOrBracket: "expected ',' or ']'"
      case .expectedEnd: "expected nothing after the value"
      case .integerOutOfRange: "expected an integer of 64 bits"
      case .unfinishedText: "expected the closing quote of text"
      case .controlByteInText: "expected control bytes in text to be escaped"
      case .invalidEscape: "expected an escape of RFC 8259 in text"
      case .unpairedSurrogate: "expected both halves of a surrogate pair"
      case .nulInText: "expected text without NUL"
      case .notUTF8: "expected UTF-8"
      case .tooDeep: "expected at most 1024 levels of nesting"
      case .missingCode: "expected a member \"code\""
      case .workflowNotification:
        "expected a task, but this is the notification of a workflow (\"ops\", no \"code\"), which has another form"
      case .outOfMemory: "out of memory"
      }
    }
  }
}
