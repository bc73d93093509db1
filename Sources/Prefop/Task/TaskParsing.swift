import CPrefop

/// From a document's bytes to a task in one block, or to the reason why not.
enum TaskParsing {
  static func task(
    _ document: Span<UInt8>, using draft: inout TaskDraft
  ) throws(Failure) -> UnsafeMutablePointer<prefop_task> {
    try checkLength(document)
    do throws(JSONError) {
      try TaskDecoder.decodeTask(document, into: &draft)
    } catch {
      throw failure(error, document, draft)
    }
    do throws(OutOfMemory) {
      return try unsafe TaskBlock.make(from: draft, document: document)
    } catch {
      throw .outOfMemory
    }
  }

  static func item(_ document: Span<UInt8>) throws(Failure) -> UnsafeMutablePointer<prefop_task_item> {
    try checkLength(document)
    var draft = TaskDraft()
    do throws(JSONError) {
      try TaskDecoder.decodeItem(document, into: &draft)
    } catch {
      throw failure(error, document, draft)
    }
    do throws(OutOfMemory) {
      return try unsafe TaskBlock.makeItem(from: draft, document: document)
    } catch {
      throw .outOfMemory
    }
  }

  private static func checkLength(_ document: Span<UInt8>) throws(Failure) {
    guard document.count <= JSONReader.lengthLimit else {
      throw Failure(.tooLarge, "the document has \(document.count) bytes: at most \(JSONReader.lengthLimit) are read")
    }
  }

  /// The whole story of a fault: which member, what was expected, what stood
  /// there, at which byte.
  private static func failure(
    _ error: JSONError, _ document: Span<UInt8>, _ draft: borrowing TaskDraft
  ) -> Failure {
    if error.problem == .outOfMemory { return .outOfMemory }
    var message = Message()
    if let item = draft.itemInError {
      message.append("items[")
      message.append(item)
      message.append("]")
    }
    if let member = draft.memberInError {
      if !message.isEmpty { message.append(".") }
      message.appendPrintable(member.raw(in: document))
    }
    if !message.isEmpty { message.append(": ") }
    message.append(error.problem.description)
    if document.isEmpty {
      message.append(", found nothing: the text is empty")
    } else if error.offset >= document.count {
      message.append(", found the end of the text")
    } else {
      message.append(", found ")
      message.appendExcerpt(document.extracting(error.offset..<min(document.count, error.offset + 24)))
    }
    message.append(" at byte ")
    message.append(error.offset)
    return Failure(.json, message)
  }
}
