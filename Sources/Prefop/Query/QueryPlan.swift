/// One query's life as a state machine without clock, network or memory: it is
/// told how attempts ended and says what comes next.
///
///     while true {
///       switch plan.next(at: now) {
///       case .send(let host, let deadline): plan.received(outcome, at: now)
///       case .pause(let until): sleep
///       case .finished: break
///       }
///     }
struct QueryPlan {
  enum Step: Equatable {
    /// Ask this host, until then.
    case send(host: Int, deadline: Instant)
    /// Do nothing until then.
    case pause(until: Instant)
    case finished
  }

  let deadline: Instant
  private let hostCount: Int
  private let attemptLimit: Int
  private let attemptTimeout: Int64
  private var backoff: Backoff
  private var host = 0
  private var attemptsAtHost = 0
  private var resumption: Instant?

  /// How the last attempt ended.
  private(set) var lastOutcome: Outcome?
  private(set) var attempts = 0

  /// The time for the whole query ended it.
  private(set) var isOutOfTime = false

  init(hostCount: Int, attemptLimit: Int, attemptTimeout: Int64, deadline: Instant, seed: UInt64) {
    self.hostCount = hostCount
    self.attemptLimit = attemptLimit
    self.attemptTimeout = attemptTimeout
    self.deadline = deadline
    backoff = Backoff(seed: seed)
  }

  mutating func next(at now: Instant) -> Step {
    if let lastOutcome, lastOutcome.remedy == .finish || lastOutcome.remedy == .giveUp { return .finished }
    guard host < hostCount, !isOutOfTime else { return .finished }
    guard now < deadline else {
      isOutOfTime = true
      return .finished
    }
    if let resumption, now < resumption { return .pause(until: resumption) }
    return .send(host: host, deadline: min(deadline, now.advanced(by: attemptTimeout)))
  }

  /// `retryAfter`: milliseconds that the service asked to wait.
  mutating func received(_ outcome: Outcome, retryAfter: Int64, at now: Instant) {
    attempts += 1
    attemptsAtHost += 1
    // A kept connection that broke says nothing about the host, once.
    let effective: Outcome = outcome == .stale && lastOutcome == .stale ? .broken : outcome
    lastOutcome = effective
    resumption = nil
    switch effective.remedy {
    case .finish, .giveUp: return
    case _ where now >= deadline: isOutOfTime = true
    case .nextHost: moveToNextHost()
    case .nextHostOrPause where host + 1 < hostCount: moveToNextHost()
    case .askAgain: stayOrMove(pause: 0, at: now)
    case .pause, .slowDown, .nextHostOrPause: stayOrMove(pause: max(retryAfter, backoff.nextPause()), at: now)
    }
  }

  private mutating func stayOrMove(pause: Int64, at now: Instant) {
    guard attemptsAtHost < attemptLimit else {
      moveToNextHost()
      return
    }
    let resumption = now.advanced(by: pause)
    // A pause that the time does not allow for cannot help: what is known now is
    // the better answer.
    if resumption >= deadline {
      host = hostCount
    } else {
      self.resumption = resumption
    }
  }

  private mutating func moveToNextHost() {
    host += 1
    attemptsAtHost = 0
    backoff.reset()
  }
}
