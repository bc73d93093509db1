import CPrefop

/// What is handed out of a submission: its end, or a change on the way there.
@safe
struct Completion {
  let tag: UInt64
  let status: Status

  /// The caller's.
  let task: UnsafeMutablePointer<prefop_task>?

  /// Others will come for the same submission.
  let hasMore: Bool
}
