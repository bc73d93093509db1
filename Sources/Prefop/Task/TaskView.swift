import CPrefop

/// A task as C hands it in, seen as spans. It reads no member that the caller's
/// struct does not have, and no array past its count.
@safe
struct TaskView: ~Escapable {
  private let task: prefop_task

  @_lifetime(immortal)
  init(_ pointer: UnsafePointer<prefop_task>) throws(Failure) {
    unsafe task = try CallerStruct.read(pointer, "task")
    guard unsafe task.reserved == 0 else { throw Failure(.unsupported, "task.reserved must be 0") }
    guard unsafe task.item_count == 0 || task.items != nil else {
      throw Failure(.argument, "task.items is NULL, but item_count is {number}", number: unsafe task.item_count)
    }
    guard unsafe task.item_count >= 0 else { throw Failure(.argument, "task.item_count is too large") }
  }

  var persistentID: Span<UInt8> { @_lifetime(copy self) get { unsafe text(task.persistent_id) } }
  var code: Int64 { unsafe task.code }
  var description: Span<UInt8> { @_lifetime(copy self) get { unsafe text(task.description) } }
  var objectName: Span<UInt8> { @_lifetime(copy self) get { unsafe text(task.object_name) } }
  var bucketName: Span<UInt8> { @_lifetime(copy self) get { unsafe text(task.bucket_name) } }
  var pipeline: Span<UInt8> { @_lifetime(copy self) get { unsafe text(task.pipeline) } }
  var taskFrom: Span<UInt8> { @_lifetime(copy self) get { unsafe text(task.task_from) } }
  var requestID: Span<UInt8> { @_lifetime(copy self) get { unsafe text(task.request_id) } }
  var type: Int64 { unsafe task.type }
  var createdAt: Span<UInt8> { @_lifetime(copy self) get { unsafe text(task.created_at) } }
  var itemCount: Int { unsafe task.item_count }

  @_lifetime(copy self)
  func item(at index: Int) throws(Failure) -> TaskItemView {
    guard index >= 0, index < itemCount, let item = unsafe task.items[index] else {
      throw Failure(
        .argument, "task.items[{number}] is NULL, but item_count is {limit}", number: index, limit: itemCount)
    }
    return try unsafe TaskItemView(item)
  }

  @_lifetime(copy self)
  private func text(_ pointer: UnsafePointer<CChar>?) -> Span<UInt8> {
    unsafe _overrideLifetime(CText.span(pointer), copying: self)
  }
}

/// An item as C hands it in, seen as spans.
@safe
struct TaskItemView: ~Escapable {
  private let item: prefop_task_item

  @_lifetime(immortal)
  init(_ pointer: UnsafePointer<prefop_task_item>) throws(Failure) {
    unsafe item = try CallerStruct.read(pointer, "item")
    guard unsafe item.reserved == 0 else { throw Failure(.unsupported, "item.reserved must be 0") }
    guard unsafe item.object_name_count == 0 || item.object_names != nil else {
      throw Failure(
        .argument, "object_names is NULL, but object_name_count is {number}", number: unsafe item.object_name_count)
    }
    guard unsafe item.object_name_count >= 0 else {
      throw Failure(.argument, "object_name_count is too large")
    }
  }

  var command: Span<UInt8> { @_lifetime(copy self) get { unsafe text(item.command) } }
  var code: Int64 { unsafe item.code }
  var description: Span<UInt8> { @_lifetime(copy self) get { unsafe text(item.description) } }
  var error: Span<UInt8> { @_lifetime(copy self) get { unsafe text(item.error) } }
  var errorIndex: Int64? { unsafe item.error_index == -1 ? nil : item.error_index }
  var hash: Span<UInt8> { @_lifetime(copy self) get { unsafe text(item.hash) } }
  var objectName: Span<UInt8> { @_lifetime(copy self) get { unsafe text(item.object_name) } }
  var hasResult: Bool { unsafe item.result != nil }
  var result: Span<UInt8> { @_lifetime(copy self) get { unsafe text(item.result) } }
  var objectNameCount: Int { unsafe item.object_name_count }
  var returnOld: Int64 { unsafe item.return_old }

  /// A name in the list of several; nil where C has a NULL.
  @_lifetime(copy self)
  func objectName(at index: Int) -> Span<UInt8>? {
    guard index >= 0, index < objectNameCount, let name = unsafe item.object_names[index] else { return nil }
    return unsafe text(name)
  }

  @_lifetime(copy self)
  private func text(_ pointer: UnsafePointer<CChar>?) -> Span<UInt8> {
    unsafe _overrideLifetime(CText.span(pointer), copying: self)
  }
}
