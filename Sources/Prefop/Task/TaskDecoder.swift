/// Reads a task's or an item's members into a draft.
enum TaskDecoder {
  static func decodeTask(_ document: Span<UInt8>, into draft: inout TaskDraft) throws(JSONError) {
    draft.reset()
    var json = JSONReader(document)
    do throws(JSONError) {
      try readTask(&json, into: &draft)
      try json.finish()
    } catch {
      draft.memberInError = json.member
      throw error
    }
    guard draft.code != nil else {
      throw JSONError(problem: draft.looksLikeWorkflow ? .workflowNotification : .missingCode, offset: 0)
    }
  }

  static func decodeItem(_ document: Span<UInt8>, into draft: inout TaskDraft) throws(JSONError) {
    draft.reset()
    var json = JSONReader(document)
    do throws(JSONError) {
      let item = try readItem(&json, objectNames: &draft.objectNames)
      try json.finish()
      try append(item, to: &draft.items)
    } catch {
      draft.memberInError = json.member
      throw error
    }
  }

  private static func readTask(_ json: inout JSONReader, into draft: inout TaskDraft) throws(JSONError) {
    try json.beginObject()
    while let name = try json.nextName() {
      switch name {
      case "id": draft.persistentID = try json.text() ?? .empty
      case "code": draft.code = try json.integer()
      case "desc": draft.description = try json.text() ?? .empty
      case "inputKey": draft.objectName = try json.text() ?? .empty
      case "inputBucket": draft.bucketName = try json.text() ?? .empty
      case "pipeline": draft.pipeline = try json.text() ?? .empty
      case "taskFrom": draft.taskFrom = try json.text() ?? .empty
      case "reqid": draft.requestID = try json.text() ?? .empty
      case "type": draft.type = try json.integer() ?? 0
      case "creationDate": draft.createdAt = try json.text() ?? .empty
      case "items": try readItems(&json, into: &draft)
      case "ops":
        draft.looksLikeWorkflow = true
        try json.skip()
      default: try json.skip()
      }
    }
  }

  private static func readItems(_ json: inout JSONReader, into draft: inout TaskDraft) throws(JSONError) {
    draft.items.removeAll()
    draft.objectNames.removeAll()
    guard try json.beginArray() else { return }
    while try json.nextElement() {
      draft.itemInError = draft.items.count
      let item = try readItem(&json, objectNames: &draft.objectNames)
      try append(item, to: &draft.items)
    }
    draft.itemInError = nil
  }

  private static func readItem(
    _ json: inout JSONReader, objectNames: inout List<JSONText>
  ) throws(JSONError) -> ItemDraft {
    var item = ItemDraft()
    let start = json.offset
    try json.beginObject()
    while let name = try json.nextName() {
      switch name {
      case "cmd": item.command = try json.text() ?? .empty
      case "code": item.code = try json.integer()
      case "desc": item.description = try json.text() ?? .empty
      case "error": item.error = try json.text() ?? .empty
      case "errorIndex": item.errorIndex = try json.integer()
      case "hash": item.hash = try json.text() ?? .empty
      case "key": item.objectName = try json.text() ?? .empty
      case "result": item.result = try json.rawValue()
      case "keys": try readObjectNames(&json, into: &objectNames, of: &item)
      case "returnOld": item.returnOld = try json.integer() ?? 0
      default: try json.skip()
      }
    }
    guard item.code != nil else { throw JSONError(problem: .missingCode, offset: start) }
    return item
  }

  private static func readObjectNames(
    _ json: inout JSONReader, into objectNames: inout List<JSONText>, of item: inout ItemDraft
  ) throws(JSONError) {
    item.firstObjectName = objectNames.count
    item.objectNameCount = 0
    guard try json.beginArray() else { return }
    while try json.nextElement() {
      // A null among names is no name to leave out: positions would shift.
      guard let name = try json.text() else {
        throw JSONError(problem: .expectedText, offset: json.offset - 4)
      }
      try append(name, to: &objectNames)
    }
    item.objectNameCount = objectNames.count - item.firstObjectName
  }

  private static func append<Element>(_ element: Element, to list: inout List<Element>) throws(JSONError) {
    do throws(OutOfMemory) {
      try list.append(element)
    } catch {
      throw JSONError(problem: .outOfMemory, offset: 0)
    }
  }
}
