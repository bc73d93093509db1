/// Tells a person, in one line, why a query failed.
struct QueryFailure {
  let plan: QueryPlan
  let last: Attempt
  let timeout: Int64

  /// Fills the report in, while the engine still holds the last answer.
  func describe(_ engine: borrowing Engine, _ settings: borrowing Settings, _ report: inout Report) -> Failure {
    let outcome = plan.lastOutcome ?? .timedOut
    report.isRetryable = plan.isOutOfTime || outcome.isRetryable
    let detail = report.message
    report.message.removeAll()
    if plan.isOutOfTime {
      report.message.append("no answer within ")
      report.message.append(Int(timeout))
      report.message.append(" ms; the last attempt: ")
    }
    if !report.host.isEmpty {
      report.message.append(report.host.span)
      report.message.append(": ")
    }
    describe(outcome, engine, detail, &report.message)
    if outcome == .untrusted, settings.trustStore.isMissing {
      report.message.append("; no certificate authorities were found: give ca_file, or have one of ")
      report.message.append(TrustStore.systemPlaces)
    }
    if plan.attempts > 1 {
      report.message.append(" (after ")
      report.message.append(plan.attempts)
      report.message.append(" attempts)")
    }
    return Failure(plan.isOutOfTime ? .timeout : outcome.status, "")
  }

  private func describe(_ outcome: Outcome, _ engine: borrowing Engine, _ detail: Message, _ message: inout Message) {
    switch outcome {
    case .status(let status): describe(httpStatus: status, engine, &message)
    case .task: break
    case .hijacked:
      message.append(
        "the answer is not Qiniu's: it has neither X-Reqid nor X-Log; is there a proxy or a captive portal?")
    case .notATask:
      message.append("the answer holds no task: ")
      message.append(detail.span)
    case .tooLarge: message.append("the answer has more bytes than max_response_bytes allows")
    case .timedOut: message.append("no answer in the time allowed for one attempt")
    case .outOfMemory: message.append("out of memory")
    case .unresolved, .unreachable, .untrusted, .broken, .stale, .system: describeTransport(detail, &message)
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
    case 404, 612:
      message.append(": there is no such task; tasks are kept for 10 days, and an id belongs to one region")
    case 401: message.append(": check the access key, the secret key and this machine's clock")
    case 300...399: message.append(": redirects are not followed")
    default: break
    }
  }

  private func describeTransport(_ detail: Message, _ message: inout Message) {
    guard last.curlCode != 0 else {
      message.append(last.httpStatus == 0 ? "libcurl gave up" : "the answer ends in its header fields")
      return
    }
    if detail.isEmpty { message.append("the transfer failed") } else { message.append(detail.span) }
    message.append(" (curl ")
    message.append(last.curlCode)
    message.append(")")
  }
}
