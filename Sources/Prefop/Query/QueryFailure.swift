/// Tells a person, in one line, why a query failed.
struct QueryFailure {
  let plan: QueryPlan
  let last: Attempt
  let timeout: Int64

  init(plan: QueryPlan, last: Attempt, timeout: Int64) {
    self.plan = plan
    self.last = last
    self.timeout = timeout
  }

  func describe(_ engine: borrowing Engine, _ report: inout QueryReport) -> Failure {
    let outcome = plan.lastOutcome ?? .timedOut
    report.httpStatus = last.httpStatus
    report.curlCode = last.curlCode
    report.retryAfter = last.retryAfter
    report.requestID = engine.transfer.value.head.requestID
    report.isRetryable = plan.isOutOfTime || outcome.isRetryable
    var message = Message()
    if plan.isOutOfTime {
      message.append("no answer within ")
      message.append(Int(timeout))
      message.append(" ms; the last attempt: ")
    }
    if !report.host.isEmpty {
      message.append(report.host.span)
      message.append(": ")
    }
    describe(outcome, engine, &message)
    if plan.attempts > 1 {
      message.append(" (after ")
      message.append(plan.attempts)
      message.append(" attempts)")
    }
    return Failure(plan.isOutOfTime ? .timeout : outcome.status, message)
  }

  private func describe(_ outcome: Outcome, _ engine: borrowing Engine, _ message: inout Message) {
    switch outcome {
    case .status(let status): describe(httpStatus: status, engine, &message)
    case .task: break
    case .hijacked:
      message.append("the answer is not Qiniu's: it has neither X-Reqid nor X-Log; is there a proxy or a captive portal?")
    case .notATask:
      message.append("the answer holds no task: ")
      if let fault = last.fault { message.append(fault.span) }
    case .tooLarge: message.append("the answer has more bytes than max_response_bytes allows")
    case .timedOut: message.append("no answer in the time allowed for one attempt")
    case .outOfMemory: message.append("out of memory")
    case .unresolved, .unreachable, .untrusted, .broken, .stale, .system: describeTransport(engine, &message)
    }
  }

  private func describe(httpStatus: Int, _ engine: borrowing Engine, _ message: inout Message) {
    message.append("HTTP ")
    message.append(httpStatus)
    let text = ServiceText.read(engine.transfer.value.body.span)
    if !text.isEmpty {
      message.append(", ")
      message.append(text.span)
    }
    switch httpStatus {
    case 404, 612: message.append(": there is no such task; tasks are kept for 10 days, and an id belongs to one region")
    case 401: message.append(": check the access key, the secret key and this machine's clock")
    case 300...399: message.append(": redirects are not followed")
    default: break
    }
  }

  private func describeTransport(_ engine: borrowing Engine, _ message: inout Message) {
    let text = last.curlText
    if text.isEmpty { message.append("the transfer failed") } else { message.appendPrintable(text.span) }
    message.append(" (curl ")
    message.append(last.curlCode)
    message.append(")")
  }
}
