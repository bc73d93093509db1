import CPrefop

/// The wait for a task to finish, without clock and network: it is told how each
/// poll ended, and says when the next one is due. A poll is one query.
@safe
struct Wait {
  private var schedule: WaitSchedule

  /// Milliseconds for the whole wait.
  private let timeout: Int64

  /// A wait that is given no time ends after a day.
  private static var defaultTimeout: Int64 { 24 * 60 * 60 * 1000 }

  init(_ options: borrowing QueryOptions, from start: Instant, seed: UInt64) {
    timeout = options.timeout ?? Self.defaultTimeout
    schedule = WaitSchedule(
      start: start, deadline: start.advanced(by: timeout), limits: options.pauses, seed: seed)
  }

  var deadline: Instant { schedule.deadline }

  /// Milliseconds for a poll: what the client gives to a query, or what is left.
  func pollTimeout(_ settings: borrowing Settings, at now: Instant) -> Int64 {
    min(settings.timeout, now.milliseconds(until: deadline))
  }

  /// When to poll again after an answer; nil: the task is finished.
  mutating func answered(
    _ task: UnsafeMutablePointer<prefop_task>, _ report: borrowing Report, at now: Instant
  ) -> Instant? {
    guard unsafe !TaskCode.isFinished(task.pointee.code) else { return nil }
    unsafe learnAge(of: task, report, at: now)
    return schedule.next(retryAfter: report.retryAfter, at: now)
  }

  /// When to poll again after a failure; nil: the next poll would do no better.
  mutating func failed(_ status: Status, _ report: borrowing Report, at now: Instant) -> Instant? {
    switch status {
    case .memory: return nil
    case .notFound where schedule.mayAppear(at: now): break
    case .notFound: return nil
    default: guard report.isRetryable else { return nil }
    }
    return schedule.next(isRateLimited: status == .rateLimited, retryAfter: report.retryAfter, at: now)
  }

  /// Both dates are the service's: this machine's clock may be wrong.
  private mutating func learnAge(
    of task: UnsafeMutablePointer<prefop_task>, _ report: borrowing Report, at now: Instant
  ) {
    guard let answered = Curl.milliseconds(ofDate: report.date),
      let created = unsafe CreationDate.milliseconds(CText.span(task.pointee.created_at))
    else { return }
    let (age, overflows) = answered.subtractingReportingOverflow(created)
    if !overflows { schedule.learn(age: age, at: now) }
  }

  /// Tells how far the task was when the time was over, and what the last poll
  /// failed of, if it did.
  @inline(never)
  func describeTimeout(_ task: UnsafeMutablePointer<prefop_task>?, in report: inout Report) {
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
  }
}

extension Report {
  /// The next poll of a wait: what the one before said is no part of what this
  /// one says.
  mutating func beginPoll() {
    message.removeAll()
    isRetryable = false
    retryAfter = 0
    date.removeAll()
  }
}
