/// Writes a task's or an item's JSON as the service does: of the members that it
/// does not always send, those that are empty or zero are left out.
struct TaskEncoder: ~Copyable {
  private var json: JSONWriter
  private var itemIndex: Int?

  @inline(never)
  static func encode(_ task: TaskView) throws(Failure) -> Bytes {
    var encoder = try TaskEncoder()
    try encoder.write(task)
    return try encoder.take()
  }

  @inline(never)
  static func encode(_ item: TaskItemView) throws(Failure) -> Bytes {
    var encoder = try TaskEncoder()
    try encoder.write(item)
    return try encoder.take()
  }

  private init() throws(Failure) {
    do throws(JSONWriteError) {
      json = try JSONWriter(capacity: 1024)
    } catch {
      throw .outOfMemory
    }
  }

  @inline(never)
  private mutating func take() throws(Failure) -> Bytes {
    do throws(JSONWriteError) {
      return try json.take()
    } catch {
      throw .outOfMemory
    }
  }

  @inline(never)
  private mutating func write(_ task: TaskView) throws(Failure) {
    try structure { json throws(JSONWriteError) in try json.beginObject() }
    try member("id", task.persistentID)
    try member("code", task.code)
    try member("desc", task.description)
    try member("inputKey", task.objectName)
    try member("inputBucket", task.bucketName)
    try optional("pipeline", task.pipeline)
    try optional("taskFrom", task.taskFrom)
    try member("reqid", task.requestID)
    if task.type != 0 { try member("type", task.type) }
    try optional("creationDate", task.createdAt)
    try structure { json throws(JSONWriteError) in
      try json.name("items")
      try json.beginArray()
    }
    for index in 0..<task.itemCount {
      itemIndex = index
      do throws(Failure) {
        try write(task.item(at: index))
      } catch {
        throw fault(error)
      }
    }
    try structure { json throws(JSONWriteError) in
      try json.endArray()
      try json.endObject()
    }
  }

  @inline(never)
  private mutating func write(_ item: TaskItemView) throws(Failure) {
    try structure { json throws(JSONWriteError) in try json.beginObject() }
    try member("cmd", item.command)
    try member("code", item.code)
    try member("desc", item.description)
    try optional("error", item.error)
    if let errorIndex = item.errorIndex { try member("errorIndex", errorIndex) }
    try member("hash", item.hash)
    try member("key", item.objectName)
    if item.hasResult { try writeResult(item.result) }
    if item.objectNameCount > 0 { try writeObjectNames(of: item) }
    try member("returnOld", item.returnOld)
    try structure { json throws(JSONWriteError) in try json.endObject() }
  }

  @inline(never)
  private mutating func writeObjectNames(of item: TaskItemView) throws(Failure) {
    try structure { json throws(JSONWriteError) in
      try json.name("keys")
      try json.beginArray()
    }
    for index in 0..<item.objectNameCount {
      guard let name = item.objectName(at: index) else {
        throw Failure(
          .argument, "keys[{number}] is NULL, but object_name_count is {limit}", number: index,
          limit: item.objectNameCount)
      }
      do throws(JSONWriteError) { try json.text(name) } catch { throw failure(error, "keys", name) }
    }
    try structure { json throws(JSONWriteError) in try json.endArray() }
  }

  /// `null` reads as absent, so it is not written.
  @inline(never)
  private mutating func writeResult(_ result: Span<UInt8>) throws(Failure) {
    guard result.count <= JSONReader.lengthLimit else {
      throw Failure(.argument, "result is longer than 1 GiB")
    }
    var value: JSONText?
    do throws(JSONError) {
      // The item, the list of items and the task are open around it.
      var reader = JSONReader(result, depth: itemIndex == nil ? 1 : 3)
      value = try reader.rawValue()
      try reader.finish()
    } catch {
      throw Failure(
        .argument, "result is not one JSON value: {name} at byte {number}", name: error.problem.description,
        number: error.offset)
    }
    guard let value else { return }
    try structure { json throws(JSONWriteError) in
      try json.name("result")
      try json.raw(value.raw(in: result))
    }
  }

  @inline(never)
  private mutating func member(_ name: StaticString, _ text: Span<UInt8>) throws(Failure) {
    do throws(JSONWriteError) {
      try json.name(name)
      try json.text(text)
    } catch {
      throw failure(error, name, text)
    }
  }

  @inline(never)
  private mutating func member(_ name: StaticString, _ value: Int64) throws(Failure) {
    try structure { json throws(JSONWriteError) in
      try json.name(name)
      try json.integer(value)
    }
  }

  @inline(never)
  private mutating func optional(_ name: StaticString, _ text: Span<UInt8>) throws(Failure) {
    if !text.isEmpty { try member(name, text) }
  }

  /// What can fail only for want of memory.
  @inline(never)
  private mutating func structure(_ body: (inout JSONWriter) throws(JSONWriteError) -> Void) throws(Failure) {
    do throws(JSONWriteError) {
      try body(&json)
    } catch {
      throw .outOfMemory
    }
  }

  @inline(never)
  private func failure(_ error: JSONWriteError, _ name: StaticString, _ text: Span<UInt8>) -> Failure {
    switch error {
    case .outOfMemory: .outOfMemory
    case .notUTF8(let offset):
      Failure(.argument, "{name} is not UTF-8 at byte {number}: {text}", name: name, number: offset, text: text)
    }
  }

  /// Says in which item the fault is.
  @inline(never)
  private func fault(_ failure: Failure) -> Failure {
    var failure = failure
    failure.item = itemIndex
    return failure
  }
}
