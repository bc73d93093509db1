/// Why a call fails: the status that it returns, and one line for a person.
///
/// It is thrown through many functions, so it is small: the line is made at the
/// border, of a template and what is put into it.
///
///     throw Failure(.configuration, "{name}: the host {text} is too long", name: list, text: host)
@safe
struct Failure: Error, @unchecked Sendable {
  var status: Status

  /// Index of the item of a task that is at fault, if one is.
  var item: Int?

  private let template: StaticString
  private let name: StaticString
  private let number: Int
  private let limit: Int
  private let text: UnsafePointer<UInt8>?
  private let textCount: Int

  /// `text` must be the caller's, or static: it is read when the call returns.
  init(
    _ status: Status, _ template: StaticString, name: StaticString = "", number: Int = 0, limit: Int = 0,
    text: Span<UInt8> = Span()
  ) {
    self.status = status
    self.template = template
    self.name = name
    self.number = number
    self.limit = limit
    unsafe self.text = text.withUnsafeBufferPointer { $0.baseAddress }
    textCount = text.count
  }

  static var outOfMemory: Failure { Failure(.memory, "out of memory") }

  /// The line, with "{name}", "{number}", "{limit}" and "{text}" filled in.
  func render(into message: inout Message) {
    if let item {
      message.append("items[")
      message.append(item)
      message.append("].")
    }
    let template = template.span
    var index = 0
    while index < template.count {
      let rest = template.extracting(index..<template.count)
      if rest.hasPrefix("{name}") {
        message.append(name)
        index += 6
      } else if rest.hasPrefix("{number}") {
        message.append(number)
        index += 8
      } else if rest.hasPrefix("{limit}") {
        message.append(limit)
        index += 7
      } else if rest.hasPrefix("{text}") {
        if let text = unsafe text { message.appendExcerpt(unsafe Span(_unsafeStart: text, count: textCount)) }
        index += 6
      } else {
        message.append(template[index])
        index += 1
      }
    }
  }
}

/// Runs what can only run out of memory, where that is one failure of several.
@inline(__always)
func orFailure<R: ~Copyable>(_ body: () throws(OutOfMemory) -> R) throws(Failure) -> R {
  do throws(OutOfMemory) {
    return try body()
  } catch {
    throw .outOfMemory
  }
}
