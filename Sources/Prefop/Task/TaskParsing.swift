import CPrefop

/// From a document's bytes to a task in one block, or to the reason why not.
enum TaskParsing {
  @inline(never)
  static func task(
    _ document: Span<UInt8>, using draft: inout TaskDraft, fault: inout Message
  ) throws(Failure) -> UnsafeMutablePointer<prefop_task> {
    try checkLength(document)
    do throws(JSONError) {
      try TaskDecoder.decodeTask(document, into: &draft)
    } catch {
      throw failure(error, document, draft, &fault)
    }
    do throws(OutOfMemory) {
      return try unsafe TaskBlock.make(from: draft, document: document)
    } catch {
      throw .outOfMemory
    }
  }

  @inline(never)
  static func item(_ document: Span<UInt8>, fault: inout Message) throws(Failure) -> UnsafeMutablePointer<
    prefop_task_item
  > {
    try checkLength(document)
    var draft = TaskDraft()
    do throws(JSONError) {
      try TaskDecoder.decodeItem(document, into: &draft)
    } catch {
      throw failure(error, document, draft, &fault)
    }
    do throws(OutOfMemory) {
      return try unsafe TaskBlock.makeItem(from: draft, document: document)
    } catch {
      throw .outOfMemory
    }
  }

  @inline(never)
  private static func checkLength(_ document: Span<UInt8>) throws(Failure) {
    guard document.count <= JSONReader.lengthLimit else {
      throw Failure(
        .tooLarge, "the document has {number} bytes: at most {limit} are read", number: document.count,
        limit: JSONReader.lengthLimit)
    }
  }

  /// Writes the whole story of a fault while the document is alive: which
  /// member, what was expected, what stood there, at which byte.
  @inline(never)
  private static func failure(
    _ error: JSONError, _ document: Span<UInt8>, _ draft: borrowing TaskDraft, _ message: inout Message
  ) -> Failure {
    if error.problem == .outOfMemory { return .outOfMemory }
    if let item = draft.itemInError {
      message.append("items[")
      message.append(item)
      message.append("]")
    }
    if let member = draft.memberInError {
      if !message.isEmpty { message.append(".") }
      message.appendShortened(member.raw(in: document))
    }
    if !message.isEmpty { message.append(": ") }
    message.append(error.problem.description)
    if document.isEmpty {
      message.append(", found nothing: the text is empty")
    } else {
      if error.offset >= document.count {
        message.append(", found the end of the text")
      } else {
        message.append(", found ")
        message.appendExcerpt(excerpt(of: document, from: error.offset))
      }
      message.append(" at byte ")
      message.append(error.offset)
    }
    return Failure(.json, "")
  }

  /// A few bytes of the document; none of a character that is cut in two.
  @_lifetime(copy document)
  @inline(never)
  private static func excerpt(of document: Span<UInt8>, from start: Int) -> Span<UInt8> {
    var end = min(document.count, start + 24)
    while end < document.count, end > start + 1, document[end] & 0b1100_0000 == 0b1000_0000 { end -= 1 }
    return document.extracting(start..<end)
  }
}
