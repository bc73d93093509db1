/// One query's life as a state machine without clock, network or memory: it is
/// told how attempts ended and says what comes next.
///
///     while true {
///       switch plan.next(at: now) {
///       case .nextHost: if let host = ... { plan.begin() } else { plan.endOfHosts(at: now) }
///       case .send(let deadline): plan.received(outcome, ..., at: now)
///       case .pause(let until): sleep
///       case .finished: return
///       }
///     }
struct QueryPlan {
  enum Step: Equatable {
    /// Choose another host.
    case nextHost
    /// Ask the host, until then.
    case send(deadline: Instant)
    /// Do nothing until then.
    case pause(until: Instant)
    case finished
  }

  /// What an attempt tells of the host that was asked.
  enum Verdict: Equatable {
    /// It is well.
    case well
    /// It is not to be asked for some time.
    case bad
    /// Nothing, or nothing yet.
    case open
  }

  private enum Phase {
    case choosing, asking, over
  }

  private(set) var deadline: Instant
  private let attemptLimit: Int
  private let attemptTimeout: Int64
  private var backoff: Backoff
  private var phase = Phase.choosing
  private var attemptsAtHost = 0

  /// How often a request was lost, and so not counted as an attempt.
  private var losses = 0
  private var resumption: Instant?

  /// Another host is to be chosen.
  var isChoosing: Bool { phase == .choosing }

  /// How the last attempt ended.
  private(set) var lastOutcome: Outcome?

  /// The time for the whole query ended it.
  private(set) var isOutOfTime = false

  init(attemptLimit: Int, attemptTimeout: Int64, deadline: Instant, seed: UInt64) {
    self.attemptLimit = attemptLimit
    self.attemptTimeout = attemptTimeout
    self.deadline = deadline
    backoff = Backoff(seed: seed)
  }

  /// Nothing was sent yet, and its time begins only now.
  mutating func postpone(to deadline: Instant) { self.deadline = deadline }

  @inline(never)
  mutating func next(at now: Instant) -> Step {
    guard phase != .over else { return .finished }
    guard now < deadline else {
      isOutOfTime = true
      phase = .over
      return .finished
    }
    if phase == .choosing { return .nextHost }
    if let resumption, now < resumption { return .pause(until: resumption) }
    return .send(deadline: min(deadline, now.advanced(by: attemptTimeout)))
  }

  /// A host is chosen.
  @inline(never)
  mutating func begin() {
    phase = .asking
    attemptsAtHost = 0
    resumption = nil
    backoff.reset()
  }

  /// There is no host but those asked. One that did not answer in time is
  /// asked again; its turn was cut short only for the sake of others.
  @inline(never)
  mutating func endOfHosts(at now: Instant) {
    guard lastOutcome?.remedy == .nextHostOrPause, attemptsAtHost > 0, attemptsAtHost < attemptLimit else {
      phase = .over
      return
    }
    phase = pause(backoff.nextPause(), at: now) ? .asking : .over
  }

  /// `retryAfter`: milliseconds that the service asked to wait. `mayBeElsewhere`:
  /// that this host has no such task does not say that none has.
  @inline(never)
  mutating func received(
    _ outcome: Outcome, retryAfter: Int64, mayBeElsewhere: Bool = false, at now: Instant
  ) -> Verdict {
    if outcome == .lost, losses < attemptLimit {
      losses += 1
      lastOutcome = outcome
      resumption = nil
      return .open
    }
    attemptsAtHost += 1
    // A kept connection that broke says nothing about the host, once.
    let effective: Outcome = outcome == .stale && lastOutcome == .stale ? .broken : outcome
    lastOutcome = effective
    resumption = nil
    let remedy = effective.remedy
    if remedy == .finish || remedy == .giveUp {
      phase = mayBeElsewhere && effective.status == .notFound ? .choosing : .over
      return effective.isAnswer ? .well : .open
    }
    guard now < deadline else {
      isOutOfTime = true
      phase = .over
      return .open
    }
    switch remedy {
    case .nextHost, .nextHostOrPause:
      phase = .choosing
      return .bad
    case .askAgain where effective == .lost:
      // It would go on for ever.
      phase = .over
      return .open
    case .askAgain: return stayOrMove(pause: 0, at: now)
    default: return stayOrMove(pause: max(retryAfter, backoff.nextPause()), at: now)
    }
  }

  /// Ends the query, whatever came before.
  @inline(never)
  mutating func end(with outcome: Outcome) {
    lastOutcome = outcome
    phase = .over
  }

  private mutating func stayOrMove(pause milliseconds: Int64, at now: Instant) -> Verdict {
    guard attemptsAtHost < attemptLimit else {
      phase = .choosing
      return isHostsFault ? .bad : .open
    }
    // Another host may answer at once.
    if !pause(milliseconds, at: now) { phase = .choosing }
    return .open
  }

  /// Not that the rate is limited, nor that a kept connection broke.
  private var isHostsFault: Bool {
    switch lastOutcome?.remedy {
    case .slowDown, .askAgain: false
    default: true
    }
  }

  /// False: the time does not allow for the pause, so it cannot help. What is
  /// known now is the better answer then.
  @inline(never)
  private mutating func pause(_ milliseconds: Int64, at now: Instant) -> Bool {
    let end = now.advanced(by: milliseconds)
    guard end < deadline else { return false }
    resumption = end
    return true
  }
}
