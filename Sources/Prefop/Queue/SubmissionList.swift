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
    if let last { last.next = submission } else { first = submission }
    last = submission
    count += 1
  }

  mutating func popFirst() -> Submission? {
    guard let taken = first else { return nil }
    remove(taken, after: nil)
    return taken
  }

  /// Moves all with this tag to another list; returns how many there were.
  mutating func move(_ tag: UInt64, to other: inout SubmissionList) -> Int {
    var moved = 0
    var previous: Submission?
    var current = first
    while let submission = current {
      current = submission.next
      if submission.tag == tag {
        remove(submission, after: previous)
        unsafe submission.complete(.cancelled)
        other.append(submission)
        moved += 1
      } else {
        previous = submission
      }
    }
    return moved
  }

  @inline(never)
  private mutating func remove(_ submission: Submission, after previous: Submission?) {
    if let previous { previous.next = submission.next } else { first = submission.next }
    if last == submission { last = previous }
    count -= 1
  }
}
