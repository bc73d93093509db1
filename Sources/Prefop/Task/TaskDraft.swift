/// What one pass over a document found: where each text stands, not the text.
/// A repeated member costs nothing, and every fault of the document shows
/// before memory is taken for the task. Kept and reused between answers.
struct TaskDraft: ~Copyable {
  var persistentID = JSONText.empty
  var code: Int64?
  var description = JSONText.empty
  var objectName = JSONText.empty
  var bucketName = JSONText.empty
  var pipeline = JSONText.empty
  var taskFrom = JSONText.empty
  var requestID = JSONText.empty
  var type: Int64 = 0
  var createdAt = JSONText.empty
  var items = List<ItemDraft>()

  /// The "keys" of all items, each item's in one run.
  var objectNames = List<JSONText>()

  /// A member that only a workflow's notification has was there.
  var looksLikeWorkflow = false

  /// Which item, and which member, was being read when reading failed.
  var itemInError: Int?
  var memberInError: JSONText?

  /// Gives back what one large answer took.
  mutating func trim() {
    items.removeAll(keepingAtMost: 64)
    objectNames.removeAll(keepingAtMost: 256)
  }

  mutating func reset() {
    persistentID = .empty
    code = nil
    description = .empty
    objectName = .empty
    bucketName = .empty
    pipeline = .empty
    taskFrom = .empty
    requestID = .empty
    type = 0
    createdAt = .empty
    items.removeAll()
    objectNames.removeAll()
    looksLikeWorkflow = false
    itemInError = nil
    memberInError = nil
  }
}

struct ItemDraft {
  var command = JSONText.empty
  var code: Int64?
  var description = JSONText.empty
  var error = JSONText.empty
  var errorIndex: Int64?
  var hash = JSONText.empty
  var objectName = JSONText.empty
  var result: JSONText?
  var firstObjectName = 0
  var objectNameCount = 0
  var returnOld: Int64 = 0
}
