import CPlatform
import CPrefop

/// How a submission goes on that is asked for until its task is finished. Between
/// two polls it has no flight, only a timer.
extension Queue {
  /// A query has its answer.
  @inline(never)
  mutating func answered(
    _ slot: Int, _ flight: Reference<Flight>, _ task: UnsafeMutablePointer<prefop_task>, at now: Instant
  ) {
    guard let submission = flight.value.submission else { return }
    unsafe submission.replaceTask(with: task)
    let next = unsafe submission.isWait ? submission.wait.wait.answered(task, flight.value.report, at: now) : nil
    vacate(slot, flight)
    guard let next else { return complete(submission, .ok) }
    submission.wait.next = next
    let isNews = unsafe submission.wait.notices(task)
    if submission.wait.reportsChanges, isNews {
      tellChange(submission)
    } else {
      unsafe reports.giveBack(submission.takeReport())
      rest(submission)
    }
  }

  /// A query has failed, with the last thing to tell of it in its report. That
  /// stays with a wait until its next answer: should time run out, it is told.
  @inline(never)
  mutating func failed(_ slot: Int, _ flight: Reference<Flight>, _ status: Status, at now: Instant) {
    guard let submission = flight.value.submission else { return }
    let next = submission.isWait ? submission.wait.wait.failed(status, flight.value.report, at: now) : nil
    vacate(slot, flight)
    if let next {
      submission.wait.next = next
      rest(submission)
    } else {
      unsafe submission.replaceTask(with: nil)
      complete(submission, status)
    }
  }

  /// The completion takes the task. The wait goes on when the program has taken
  /// it: who does not care for changes is not sent more of them.
  private mutating func tellChange(_ submission: Submission) {
    submission.wait.hasMore = true
    submission.status = .ok
    submission.place = .completed
    timers.remove(submission)
    completed.append(submission)
  }

  mutating func rest(_ submission: Submission) {
    submission.place = .resting
    timers.set(submission, at: submission.wait.next)
  }

  /// The time of a wait has come that is not in a flight: to poll, or to end.
  mutating func wake(_ submission: Submission, at now: Instant) {
    let deadline = submission.wait.wait.deadline
    guard now >= deadline else {
      submission.place = .due
      due.append(submission)
      // It may have to stand in line until then.
      timers.set(submission, at: deadline)
      return
    }
    withdraw(submission)
    endInTimeout(submission)
  }

  /// Without memory it ends all the same, and the details are lost.
  private mutating func endInTimeout(_ submission: Submission) {
    if unsafe submission.report == nil {
      do throws(OutOfMemory) {
        let report = try unsafe reports.take()
        unsafe report.pointee.attempts = submission.wait.attempts
        unsafe submission.give(report)
      } catch {}
    }
    if let report = unsafe submission.report {
      unsafe submission.wait.wait.describeTimeout(submission.task, in: &report.pointee)
    }
    complete(submission, .timeout)
  }

  /// The next to begin. Waits and first queries take turns: neither may keep the
  /// other from going on.
  mutating func takeNext() -> Submission? {
    isTurnOfDue.toggle()
    let first = isTurnOfDue ? due.popFirst() : waiting.popFirst()
    return first ?? (isTurnOfDue ? waiting.popFirst() : due.popFirst())
  }
}
