/// Submissions in the order in which they came. They are its own: what is left
/// in it goes with it.
struct SubmissionList: ~Copyable {
  private(set) var first: Submission?
  private var last: Submission?
  private(set) var count = 0

  init() {}

  deinit {
    var left = first
    while let submission = left {
      left = submission.next
      submission.destroy()
    }
  }

  var isEmpty: Bool { count == 0 }

  @inline(never)
  mutating func append(_ submission: Submission) {
    submission.next = nil
    submission.previous = last
    if let last { last.next = submission } else { first = submission }
    last = submission
    count += 1
  }

  /// Runs `body` with each until it says false, and says whether it did not.
  func forEach(_ body: (Submission) -> Bool) -> Bool {
    var left = first
    while let submission = left {
      guard body(submission) else { return false }
      left = submission.next
    }
    return true
  }

  mutating func popFirst() -> Submission? {
    guard let taken = first else { return nil }
    remove(taken)
    return taken
  }

  /// Takes one that is in this list.
  @inline(never)
  mutating func remove(_ submission: Submission) {
    if let previous = submission.previous { previous.next = submission.next } else { first = submission.next }
    if let next = submission.next { next.previous = submission.previous } else { last = submission.previous }
    count -= 1
  }
}
