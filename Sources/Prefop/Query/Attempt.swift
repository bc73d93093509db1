import CLibcurl
import CPrefop

/// One request and its answer.
@safe
struct Attempt {
  var outcome: Outcome
  var httpStatus = 0
  var curlCode = 0
  var retryAfter: Int64 = 0

  /// The task, when the outcome is one.
  var task: UnsafeMutablePointer<prefop_task>?

  /// A signal came, and the call was to heed it.
  var isInterrupted = false
}

extension Engine {
  /// Sends one request to one host, on the caller's thread. The outcome is a
  /// task as soon as the answer is Qiniu's and a success: what it holds is yet to
  /// be read. `detail` receives what libcurl says of a failure.
  mutating func exchange(
    _ settings: borrowing Settings, _ host: HostReference, isSigned: Bool, responseLimit: Int,
    until deadline: Instant, isInterruptible: Bool, detail: inout Message
  ) throws(Failure) -> Attempt {
    try prepare(settings, host, isSigned: isSigned, responseLimit: responseLimit)
    guard let handle = unsafe transfer.value.handle else { throw .outOfMemory }
    let end = unsafe multi.value.run(handle, until: deadline, isInterruptible: isInterruptible)
    switch end {
    case .deadline: return transfer.value.judgeTimeout()
    case .interrupted:
      var attempt = transfer.value.judgeTimeout()
      attempt.isInterrupted = true
      return attempt
    case .broken(let isOutOfMemory): return unsafe Attempt(outcome: isOutOfMemory ? .outOfMemory : .system)
    case .finished(let code):
      let attempt = transfer.value.judge(code, settings, &detail)
      if attempt.mayHaveTaintedTrust { multi.value.retire() }
      return attempt
    }
  }

  private mutating func prepare(
    _ settings: borrowing Settings, _ host: HostReference, isSigned: Bool, responseLimit: Int
  ) throws(Failure) {
    multi.value.forkGuard.enter()
    defer { multi.value.forkGuard.leave() }
    try unsafe transfer.value.prepare(
      settings, host, isSigned: isSigned, responseLimit: responseLimit, at: transfer.rawAddress)
    let seconds = settings.sendsDate ? Clock.secondsSince1970 : nil
    transfer.value.sign(
      with: isSigned ? Reference(signer) : nil, host: host.endpoint.authority, secondsSince1970: seconds)
  }
}

extension Transfer {
  /// Makes an outcome of what libcurl says, and of what came.
  @inline(never)
  mutating func judge(
    _ code: CURLcode, _ settings: borrowing Settings, _ detail: inout Message
  ) -> Attempt {
    let status = httpStatus
    var attempt = unsafe Attempt(outcome: .broken, httpStatus: status, curlCode: Int(code.rawValue))
    attempt.retryAfter = status >= 300 ? retryAfter : 0
    if isOutOfMemory {
      attempt.outcome = .outOfMemory
    } else if head.isComplete, status >= 300 {
      attempt.outcome = .status(status)
    } else if isTooLarge {
      attempt.outcome = .tooLarge
    } else if code != CURLE_OK {
      attempt.outcome = .transport(code, self)
      switch attempt.outcome {
      case .untrusted, .broken, .timedOut: nameProxy(code, settings.proxy, in: &detail)
      default: break
      }
      if code == CURLE_SSL_CACERT_BADFILE {
        settings.trustStore.describeFault(in: &detail)
      } else {
        describeError(in: &detail)
      }
      if attempt.outcome == .untrusted {
        let result = proxyVerifyResult
        TLSAdvice.append(code, verifyResult: result == 0 ? verifyResult : result, to: &detail)
      }
      fail()
    } else if !head.isComplete || !(200...299 ~= status) {
      attempt.outcome = .broken
    } else if !head.isFromQiniu {
      attempt.outcome = .hijacked
    } else {
      attempt.outcome = .task
    }
    return attempt
  }
}

extension Attempt {
  /// An authority's certificate that OpenSSL 3.0 had no memory to look at counts as
  /// a wrong one for as long as it is kept, and libcurl keeps those of a multi
  /// handle for a day. Nothing tells that from a peer that is not to be trusted.
  var mayHaveTaintedTrust: Bool { outcome == .untrusted }
}

extension Transfer {
  /// Makes an outcome of what came before the time was over. The head of an answer
  /// can say enough.
  @inline(never)
  func judgeTimeout() -> Attempt {
    var attempt = unsafe Attempt(outcome: .timedOut)
    let status = httpStatus
    guard head.isComplete, status >= 200 else { return attempt }
    attempt.httpStatus = status
    if status >= 300 {
      attempt.outcome = .status(status)
      attempt.retryAfter = retryAfter
    }
    return attempt
  }
}

extension Attempt {
  /// Reads the task in the answer that came. `detail` receives what is wrong
  /// when there is none.
  mutating func readTask(in body: Span<UInt8>, using draft: inout TaskDraft, _ detail: inout Message) {
    do throws(Failure) {
      unsafe task = try unsafe TaskParsing.task(body, using: &draft, fault: &detail)
    } catch {
      outcome = error.status == .memory ? .outOfMemory : .notATask
    }
  }
}

extension Report {
  /// A request goes out.
  mutating func begin() {
    if !message.isEmpty { message.removeAll() }
    attempts += 1
  }

  /// Keeps what came of a request for a task, whatever becomes of later ones.
  mutating func record(_ attempt: Attempt, from host: HostReference, _ head: ResponseHead) {
    self.host = host
    if attempt.curlCode != 0 { curlCode = attempt.curlCode }
    guard attempt.httpStatus != 0 else { return }
    httpStatus = attempt.httpStatus
    retryAfter = attempt.retryAfter
    requestID = head.requestID
    date = head.date
  }
}
