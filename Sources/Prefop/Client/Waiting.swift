import CPlatform
import CPrefop

extension Client {
  /// Asks once, or until the task is finished, as the options say. `task`
  /// receives the answer; only `wait` leaves one there when it fails.
  func ask(
    _ id: PersistentID, _ queryOptions: QueryOptions, report: inout Report,
    task: inout UnsafeMutablePointer<prefop_task>?
  ) throws(Failure) {
    guard queryOptions.isUntilFinished else {
      unsafe task = try unsafe query(
        id, queryOptions, timeout: queryOptions.timeout ?? settings.timeout, report: &report)
      return
    }
    try unsafe wait(id, queryOptions, report: &report, task: &task)
  }

  /// Asks again and again until the task is finished, on the caller's thread.
  /// A wait that is out of time or interrupted leaves the last answer in `task`.
  private func wait(
    _ id: PersistentID, _ queryOptions: QueryOptions, report: inout Report,
    task: inout UnsafeMutablePointer<prefop_task>?
  ) throws(Failure) {
    let start = Clock.now
    var wait = Wait(
      queryOptions, from: start,
      seed: unsafe withUnsafePointer(to: &report) { unsafe Random.seed(of: $0, at: start) })
    while true {
      let next: Instant
      do throws(Failure) {
        report.beginPoll()
        let answer = try unsafe query(
          id, queryOptions, timeout: wait.pollTimeout(settings, at: Clock.now), report: &report)
        unsafe free(task)
        unsafe task = unsafe answer
        guard let due = unsafe wait.answered(answer, report, at: Clock.now) else { return }
        next = due
      } catch {
        if error.status == .interrupted { throw interruption(ofWait: &report) }
        guard let due = wait.failed(error.status, report, at: Clock.now) else {
          unsafe free(task)
          unsafe task = nil
          throw error
        }
        next = due
      }
      guard Poller.sleep(until: next, isInterruptible: queryOptions.isInterruptible) else {
        throw interruption(ofWait: &report)
      }
      guard Clock.now < wait.deadline else {
        unsafe wait.describeTimeout(task, in: &report)
        throw Failure(.timeout, "")
      }
    }
  }

  private func interruption(ofWait report: inout Report) -> Failure {
    _ = interruption(&report)
    return Failure(.interrupted, "a signal interrupted the wait")
  }
}
