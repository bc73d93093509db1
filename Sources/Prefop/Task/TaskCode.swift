import CPrefop

/// What a task's or an item's code says.
enum TaskCode {
  static var succeeded: Int64 { Int64(PREFOP_CODE_SUCCEEDED) }
  static var waiting: Int64 { Int64(PREFOP_CODE_WAITING) }
  static var processing: Int64 { Int64(PREFOP_CODE_PROCESSING) }
  static var failed: Int64 { Int64(PREFOP_CODE_FAILED) }
  static var notifyFailed: Int64 { Int64(PREFOP_CODE_NOTIFY_FAILED) }

  static func name(_ code: Int64) -> StaticString {
    switch code {
    case succeeded: "succeeded"
    case waiting: "waiting"
    case processing: "processing"
    case failed: "failed"
    case notifyFailed: "notify failed"
    default: "unknown"
    }
  }

  /// Whether the task will not change any more.
  static func isFinished(_ code: Int64) -> Bool {
    code == succeeded || code == failed || code == notifyFailed
  }
}
