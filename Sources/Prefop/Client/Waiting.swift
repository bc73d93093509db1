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
  /// Each poll is one query. A wait that is out of time or interrupted leaves
  /// the last answer in `task`.
  private func wait(
    _ id: PersistentID, _ queryOptions: QueryOptions, report: inout Report,
    task: inout UnsafeMutablePointer<prefop_task>?
  ) throws(Failure) {
    let start = Clock.now
    let timeout = queryOptions.timeout ?? Self.waitTimeout
    var schedule = WaitSchedule(
      start: start, deadline: start.advanced(by: timeout), limits: queryOptions.pauses,
      seed: unsafe withUnsafePointer(to: &report) { unsafe Random.seed(of: $0, at: start) })
    while true {
      var isRateLimited = false
      do throws(Failure) {
        try unsafe poll(id, queryOptions, until: schedule.deadline, &report, &task)
        guard let answer = unsafe task, unsafe !TaskCode.isFinished(answer.pointee.code) else { return }
        unsafe Self.learnAge(of: answer, report, &schedule)
      } catch {
        if error.status == .interrupted { throw interruption(ofWait: &report) }
        guard isPassing(error, report, schedule) else {
          unsafe Self.replace(&task, with: nil)
          throw error
        }
        isRateLimited = error.status == .rateLimited
      }
      let next = schedule.next(isRateLimited: isRateLimited, retryAfter: report.retryAfter, at: Clock.now)
      guard Poller.sleep(until: next, isInterruptible: queryOptions.isInterruptible) else {
        throw interruption(ofWait: &report)
      }
      guard Clock.now < schedule.deadline else { throw unsafe Self.outOfTime(timeout, task, &report) }
    }
  }

  /// A wait that is given no time ends after a day.
  private static var waitTimeout: Int64 { 24 * 60 * 60 * 1000 }

  /// One query, in the client's time for it or what is left of the wait's.
  private func poll(
    _ id: PersistentID, _ queryOptions: QueryOptions, until deadline: Instant, _ report: inout Report,
    _ task: inout UnsafeMutablePointer<prefop_task>?
  ) throws(Failure) {
    // What the poll before said is no part of what this one says.
    report.message.removeAll()
    report.isRetryable = false
    report.retryAfter = 0
    report.date.removeAll()
    let timeout = min(settings.timeout, Clock.now.milliseconds(until: deadline))
    let answer = try unsafe query(id, queryOptions, timeout: timeout, report: &report)
    unsafe Self.replace(&task, with: answer)
  }

  /// Whether the next poll may do better.
  private func isPassing(_ failure: Failure, _ report: borrowing Report, _ schedule: WaitSchedule) -> Bool {
    switch failure.status {
    case .memory: false
    case .notFound: schedule.mayAppear(at: Clock.now)
    default: report.isRetryable
    }
  }

  /// Both dates are the service's: this machine's clock may be wrong.
  private static func learnAge(
    of task: UnsafeMutablePointer<prefop_task>, _ report: borrowing Report, _ schedule: inout WaitSchedule
  ) {
    guard let answered = Curl.milliseconds(ofDate: report.date),
      let created = unsafe CreationDate.milliseconds(CText.span(task.pointee.created_at))
    else { return }
    let (age, overflows) = answered.subtractingReportingOverflow(created)
    if !overflows { schedule.learn(age: age, at: Clock.now) }
  }

  private static func replace(
    _ task: inout UnsafeMutablePointer<prefop_task>?, with newer: UnsafeMutablePointer<prefop_task>?
  ) {
    unsafe free(task)
    unsafe task = newer
  }

  private func interruption(ofWait report: inout Report) -> Failure {
    _ = interruption(&report)
    return Failure(.interrupted, "a signal interrupted the wait")
  }

  /// Tells how far the task was, and what the last poll failed of, if it did.
  private static func outOfTime(
    _ timeout: Int64, _ task: UnsafeMutablePointer<prefop_task>?, _ report: inout Report
  ) -> Failure {
    let detail = report.message
    report.isRetryable = true
    report.message.removeAll()
    report.message.append("not finished within ")
    report.message.append(Int(timeout))
    report.message.append(" ms")
    if let task = unsafe task {
      report.message.append(": code ")
      report.message.append(unsafe Int(task.pointee.code))
      report.message.append(", ")
      report.message.append(unsafe TaskCode.name(task.pointee.code))
    }
    if !detail.isEmpty {
      report.message.append("; the last poll: ")
      report.message.append(detail.span)
    }
    return Failure(.timeout, "")
  }
}
