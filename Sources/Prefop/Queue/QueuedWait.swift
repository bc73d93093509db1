import CPrefop

/// What a submission that waits for its task remembers from poll to poll.
@safe
struct QueuedWait {
  var wait: Wait

  /// Requests of the polls so far.
  var attempts = 0

  /// A completion for each change, or one at the end only.
  let reportsChanges: Bool

  /// The completion that can be taken is not its last.
  var hasMore = false

  /// When to poll next.
  var next = Instant.never

  /// Of the last answer's state; nil: none came.
  private var lastDigest: UInt64?

  init(_ options: borrowing QueryOptions, from start: Instant, seed: UInt64) {
    wait = Wait(options, from: start, seed: seed)
    reportsChanges = options.reportsChanges
  }

  /// Whether an answer tells another state than the one before, or is the first.
  mutating func notices(_ task: UnsafeMutablePointer<prefop_task>) -> Bool {
    let digest = unsafe TaskState(task).digest
    defer { lastDigest = digest }
    return digest != lastDigest
  }
}
