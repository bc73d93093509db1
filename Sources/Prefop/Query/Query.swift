/// One query from its first host to its answer, without clock and network: it
/// says what to do next, and is told what came of it. When it needs to know the
/// regions it asks the bucket service in the same way.
struct Query: ~Copyable {
  enum Request: Equatable {
    case task
    case regions(ofBucket: Bool)
  }

  enum Step {
    /// Ask this host, until then.
    case send(Request, HostReference, deadline: Instant)
    /// Do nothing until then.
    case pause(until: Instant)
    /// Wait, until then, for the query that is asking for the regions.
    case wait(ofBucket: Bool, until: Instant)
    case finished
  }

  private var task: QueryLeg

  /// The way to the bucket service, while it is being asked.
  private var regions: QueryLeg?
  private var isOfBucket = false

  /// A certificate was not trusted before that.
  private var hadDistrust = false

  private let attemptTimeout: Int64
  private let seed: UInt64
  private(set) var trail = Trail()

  /// Requests to one host of the bucket service: there are others.
  private static var regionAttemptLimit: Int { 3 }

  init(route: Route, attemptLimit: Int, attemptTimeout: Int64, deadline: Instant, seed: UInt64) {
    task = QueryLeg(
      plan: QueryPlan(attemptLimit: attemptLimit, attemptTimeout: attemptTimeout, deadline: deadline, seed: seed),
      route: route)
    self.attemptTimeout = attemptTimeout
    self.seed = seed
  }

  /// How the last attempt ended, whoever was asked.
  var lastOutcome: Outcome { task.plan.lastOutcome ?? .timedOut }
  var isOutOfTime: Bool { task.plan.isOutOfTime }
  var deadline: Instant { task.plan.deadline }

  mutating func next(
    _ directory: borrowing Lock<Directory>, _ subject: RegionSubject, at now: Instant
  ) throws(Failure) -> Step {
    while true {
      if let step = try nextForRegions(directory, subject, at: now) { return step }
      switch task.plan.next(at: now) {
      case .send(let deadline):
        if let host = task.host { return .send(.task, host, deadline: deadline) }
      case .pause(let end): return .pause(until: end)
      case .finished: return .finished
      case .nextHost:
        switch try nextHost(directory, subject, at: now) {
        case .ask(let host):
          task.host = host
          task.plan.begin()
        case .askForRegions(let ofBucket):
          isOfBucket = ofBucket
          hadDistrust = trail.distrust != nil
          regions = QueryLeg(
            plan: QueryPlan(
              attemptLimit: Self.regionAttemptLimit, attemptTimeout: attemptTimeout, deadline: shareOfTime(from: now),
              seed: seed),
            route: Route())
        case .wait(let ofBucket):
          // Whoever asks may be a queue that nobody runs.
          return .wait(ofBucket: ofBucket, until: min(shareOfTime(from: now), now.advanced(by: attemptTimeout)))
        case .end: task.plan.endOfHosts(at: now)
        }
      }
    }
  }

  /// Nothing was sent yet, and its time begins only now.
  mutating func postpone(to deadline: Instant) { task.plan.postpone(to: deadline) }

  /// What came of a request. What the bucket service answered is stored already.
  mutating func received(
    _ outcome: Outcome, retryAfter: Int64, reason: Message, _ directory: borrowing Lock<Directory>, at now: Instant
  ) {
    if regions != nil {
      if outcome != .task, let host = regions?.host { trail.record(outcome, at: host, reason: reason) }
      regions?.received(outcome, retryAfter, directory, at: now)
      if outcome == .task {
        regions = nil
        // Another host of the bucket service could do without.
        if !hadDistrust { trail.forgetDistrust() }
      }
      // To go on without the regions would hide it.
      if outcome == .outOfMemory { task.plan.end(with: outcome) }
    } else {
      if outcome != .task, let host = task.host { trail.record(outcome, at: host, reason: reason) }
      task.received(outcome, retryAfter, directory, at: now)
    }
  }

  /// The query that was waited for did not end in time: this one goes on without
  /// knowing the regions.
  mutating func gaveUpWaiting() { task.route.passOverRegions() }

  /// To be called when the query ends before it is finished: others may wait for
  /// the regions that it asks for.
  mutating func abandon(_ directory: borrowing Lock<Directory>, _ subject: RegionSubject, at now: Instant) {
    guard regions != nil else { return }
    endRegions(directory, subject, isLasting: false, at: now)
  }

  /// nil: the bucket service need not be asked, or not any more.
  private mutating func nextForRegions(
    _ directory: borrowing Lock<Directory>, _ subject: RegionSubject, at now: Instant
  ) throws(Failure) -> Step? {
    while let step = regions?.plan.next(at: now) {
      switch step {
      case .send(let deadline):
        if let host = regions?.host { return .send(.regions(ofBucket: isOfBucket), host, deadline: deadline) }
      case .pause(let end): return .pause(until: end)
      case .finished:
        let isOurs = regions?.plan.isOutOfTime ?? false || regions?.plan.lastOutcome == .outOfMemory
        endRegions(directory, subject, isLasting: !isOurs, at: now)
      case .nextHost:
        let step = try directory.withLock { directory throws(Failure) in
          try regions?.route.next(&directory, subject, at: now)
        }
        if case .ask(let host) = step {
          regions?.host = host
          regions?.plan.begin()
        } else {
          regions?.plan.endOfHosts(at: now)
        }
      }
    }
    return nil
  }

  private mutating func nextHost(
    _ directory: borrowing Lock<Directory>, _ subject: RegionSubject, at now: Instant
  ) throws(Failure) -> Route.Step {
    try directory.withLock { directory throws(Failure) in try task.route.next(&directory, subject, at: now) }
  }

  private mutating func endRegions(
    _ directory: borrowing Lock<Directory>, _ subject: RegionSubject, isLasting: Bool, at now: Instant
  ) {
    regions = nil
    directory.withLock { directory in
      directory.regions.fail(subject.part(ofBucket: isOfBucket), isLasting: isLasting, at: now)
    }
  }

  /// Half of the time that is left: the task must still be asked for.
  private func shareOfTime(from now: Instant) -> Instant {
    let left = now.milliseconds(until: task.plan.deadline)
    return task.plan.deadline == .never ? .never : now.advanced(by: left / 2)
  }
}
