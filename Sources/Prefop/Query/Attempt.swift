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
    case .deadline: return unsafe Attempt(outcome: .timedOut)
    case .interrupted: return unsafe Attempt(outcome: .timedOut, isInterrupted: true)
    case .broken(let isOutOfMemory): return unsafe Attempt(outcome: isOutOfMemory ? .outOfMemory : .system)
    case .finished(let code): return judge(code, settings, &detail)
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
      with: signer.value, isSigned: isSigned, host: host.endpoint.authority, secondsSince1970: seconds)
  }

  /// Makes an outcome of what libcurl says, and of what came.
  private mutating func judge(
    _ code: CURLcode, _ settings: borrowing Settings, _ detail: inout Message
  ) -> Attempt {
    let status = transfer.value.httpStatus
    var attempt = unsafe Attempt(outcome: .broken, httpStatus: status, curlCode: Int(code.rawValue))
    attempt.retryAfter = status >= 300 ? transfer.value.retryAfter : 0
    if transfer.value.isOutOfMemory {
      attempt.outcome = .outOfMemory
    } else if transfer.value.head.isComplete, status >= 300 {
      attempt.outcome = .status(status)
    } else if transfer.value.isTooLarge {
      attempt.outcome = .tooLarge
    } else if code != CURLE_OK {
      attempt.outcome = .transport(code, transfer.value)
      transfer.value.describeError(in: &detail)
      if attempt.outcome == .untrusted {
        TLSAdvice.append(code, verifyResult: transfer.value.verifyResult, to: &detail)
      }
      transfer.value.reset()
    } else if !transfer.value.head.isComplete || !(200...299 ~= status) {
      attempt.outcome = .broken
    } else if !transfer.value.head.isFromQiniu {
      attempt.outcome = .hijacked
    } else {
      attempt.outcome = .task
    }
    return attempt
  }

  /// Reads the task of the answer that came. `detail` receives what is wrong
  /// when there is none.
  mutating func readTask(into attempt: inout Attempt, _ detail: inout Message) {
    do throws(Failure) {
      unsafe attempt.task = try unsafe TaskParsing.task(transfer.value.body.span, using: &draft.value, fault: &detail)
    } catch {
      attempt.outcome = error.status == .memory ? .outOfMemory : .notATask
    }
  }
}

extension Report {
  /// Keeps what an answer said, whatever becomes of later attempts.
  mutating func record(_ attempt: Attempt, _ head: ResponseHead) {
    httpStatus = attempt.httpStatus
    retryAfter = attempt.retryAfter
    requestID = head.requestID
    date = head.date
  }
}
