/// Tells a person, in one line, why a query failed.
struct QueryFailure {
  let last: Attempt
  let timeout: Int64

  /// Fills the report in. `answer`: the body of the last one.
  func describe(
    _ query: borrowing Query, answer: Span<UInt8>, _ settings: borrowing Settings, _ report: inout Report
  ) -> Failure {
    // A certificate that cannot be trusted is what somebody must know of, even
    // if the hosts after it failed in another way.
    if !query.isOutOfTime, !query.lastOutcome.isAnswer, let distrust = query.trail.distrust {
      return describe(distrust.host, distrust.reason, query, settings, &report)
    }
    let outcome = query.lastOutcome
    report.isRetryable = query.isOutOfTime || outcome.isRetryable
    let detail = report.message
    report.message.removeAll()
    if query.isOutOfTime {
      report.message.append("no answer within ")
      report.message.append(Int(timeout))
      report.message.append(" ms; the last attempt: ")
    }
    if let host = query.trail.last?.host {
      report.message.append(host.endpoint.authority)
      report.message.append(": ")
    }
    describe(outcome, answer, detail, &report.message)
    if let stop = query.trail.last {
      report.message.append(attempts: stop.attempts)
      query.trail.describeOthers(than: stop.host, in: &report.message)
    }
    return Failure(query.isOutOfTime ? .timeout : outcome.status, "")
  }

  private func describe(
    _ host: HostReference, _ reason: InlineText<256>, _ query: borrowing Query, _ settings: borrowing Settings,
    _ report: inout Report
  ) -> Failure {
    report.isRetryable = query.trail.mayPass
    report.message.removeAll()
    report.message.append(host.endpoint.authority)
    report.message.append(": ")
    report.message.append(reason.span)
    if settings.trustStore.isMissing {
      report.message.append("; no certificate authorities were found: give ca_file, or have one of ")
      report.message.append(TrustStore.systemPlaces)
    }
    query.trail.describeOthers(than: host, in: &report.message)
    return Failure(.tls, "")
  }

  private func describe(_ outcome: Outcome, _ answer: Span<UInt8>, _ detail: Message, _ message: inout Message) {
    switch outcome {
    case .status(let status): describe(httpStatus: status, answer, &message)
    case .task: break
    case .hijacked:
      message.append(
        "the answer is not Qiniu's: it has neither X-Reqid nor X-Log; is there a proxy or a captive portal?")
    case .notATask:
      message.append("the answer holds no task: ")
      message.append(detail.span)
    case .tooLarge: message.append("the answer has more bytes than max_response_bytes allows")
    case .timedOut where last.curlCode == 0:
      if last.httpStatus != 0 {
        message.append("HTTP ")
        message.append(last.httpStatus)
        message.append(", but not all of the answer, ")
      } else {
        message.append("no answer ")
      }
      message.append("in the time allowed for one attempt")
    case .outOfMemory: message.append("out of memory")
    case .timedOut, .unresolved, .unreachable, .untrusted, .broken, .stale, .lost, .system:
      describeTransport(detail, &message)
    }
  }

  private func describe(httpStatus: Int, _ answer: Span<UInt8>, _ message: inout Message) {
    message.append("HTTP ")
    message.append(httpStatus)
    let text = ServiceText.read(answer)
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
