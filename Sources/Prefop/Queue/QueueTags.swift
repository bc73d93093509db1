/// What is cancelled, found by its tag.
extension Queue {
  /// Ends all queries with this tag; returns how many there were.
  mutating func cancel(_ tag: UInt64) -> Int {
    if !tags.isMade { indexAll() }
    var count = 0
    while let submission = tags.isMade ? tags.first(tag) : firstOpen(tag) {
      withdraw(submission)
      complete(submission, .cancelled)
      count += 1
    }
    announce()
    return count
  }

  /// Takes a submission from where it is.
  @inline(never)
  mutating func withdraw(_ submission: Submission) {
    switch submission.place {
    case .waiting: waiting.remove(submission)
    case .due: due.remove(submission)
    case .flying: takeOff(submission)
    case .resting: break
    case .completed: completed.remove(submission)
    }
  }

  /// A flight gives its query up.
  private mutating func takeOff(_ submission: Submission) {
    let flight = Reference(flights[submission.slot])
    abort(submission.slot, flight)
    vacate(submission.slot, flight)
  }

  /// Without memory there is no index, and cancelling takes longer.
  mutating func enterTag(of submission: Submission) {
    guard tags.isMade else { return }
    do throws(OutOfMemory) { try tags.insert(submission) } catch { tags.drop() }
  }

  private mutating func indexAll() {
    var made = TagIndex()
    do throws(OutOfMemory) { try made.make(for: pendingCount) } catch { return }
    forEachOpen { submission in
      do throws(OutOfMemory) { try made.insert(submission) } catch { made.drop() }
      return made.isMade
    }
    tags = made
  }

  private func firstOpen(_ tag: UInt64) -> Submission? {
    var found: Submission?
    forEachOpen { submission in
      if submission.tag == tag { found = submission }
      return found == nil
    }
    return found
  }

  /// Runs `body` with the submissions that have not ended, until it says false.
  private func forEachOpen(_ body: (Submission) -> Bool) {
    for index in flights.indices {
      if let submission = flights[index].value.submission, !body(submission) { return }
    }
    for index in timers.indices where timers[index].place == .resting {
      guard body(timers[index]) else { return }
    }
    guard waiting.forEach(body), due.forEach(body) else { return }
    _ = completed.forEach { submission in !(submission.isWait && submission.wait.hasMore) || body(submission) }
  }
}
