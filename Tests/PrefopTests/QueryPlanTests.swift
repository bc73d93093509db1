import Testing

@testable import Prefop

/// The state machine of a query, in virtual time.
struct QueryPlanTests {
  private func plan(attempts: Int = 4, attemptTimeout: Int64 = 1_000, deadline: Int64 = 30_000) -> QueryPlan {
    QueryPlan(attemptLimit: attempts, attemptTimeout: attemptTimeout, deadline: at(deadline), seed: 1)
  }

  /// Plays a query in which each attempt takes 10 ms and ends as told; returns
  /// the hosts asked and the instant of the end.
  private func play(
    _ plan: inout QueryPlan, hosts hostCount: Int = 3, retryAfter: Int64 = 0,
    _ outcome: (_ host: Int, _ attempt: Int) -> Outcome
  ) -> (hosts: [Int], end: Int64) {
    var now: Int64 = 0
    var host = -1
    var hosts: [Int] = []
    for _ in 0..<10_000 {
      switch plan.next(at: at(now)) {
      case .nextHost:
        if host + 1 < hostCount {
          host += 1
          plan.begin()
        } else {
          plan.endOfHosts(at: at(now))
        }
      case .send(let deadline):
        #expect(deadline > at(now))
        hosts.append(host)
        now += 10
        _ = plan.received(outcome(host, hosts.count), retryAfter: retryAfter, at: at(now))
      case .pause(let end):
        #expect(end > at(now))
        now = end.milliseconds
      case .finished:
        return (hosts, now)
      }
    }
    Issue.record("the query never ends")
    return (hosts, now)
  }

  @Test func anAnswerEndsIt() {
    var plan = plan()
    #expect(play(&plan) { _, _ in .task }.hosts == [0])
    #expect(plan.lastOutcome == .task)
  }

  @Test func aPermanentErrorEndsIt() {
    for status in [400, 401, 403, 404, 418, 501, 579, 612, 631] {
      var plan = plan()
      #expect(play(&plan) { _, _ in .status(status) }.hosts == [0], "status \(status)")
    }
  }

  @Test func aServerErrorIsTriedAgainThereThenAtTheNextHost() {
    var plan = plan(attempts: 3)
    #expect(play(&plan, hosts: 2) { _, _ in .status(503) }.hosts == [0, 0, 0, 1, 1, 1])
    #expect(!plan.isOutOfTime)
  }

  @Test func aRefusedConnectionMovesOnAtOnce() {
    var plan = plan()
    let (hosts, end) = play(&plan) { _, _ in .unreachable }
    #expect(hosts == [0, 1, 2])
    #expect(end == 30, "no pauses")
  }

  @Test func aHealthyHostBehindBadOnesAnswers() {
    for bad: Outcome in [.unresolved, .unreachable, .untrusted, .broken, .timedOut, .hijacked, .notATask, .status(502)]
    {
      var plan = plan()
      _ = play(&plan) { host, _ in host == 2 ? .task : bad }
      #expect(plan.lastOutcome == .task, "\(bad)")
    }
  }

  @Test func aHostThatHangsLeavesTimeForTheNext() {
    var plan = plan(attempts: 3)
    #expect(play(&plan) { host, _ in host == 2 ? .task : .timedOut }.hosts == [0, 1, 2])
    plan = self.plan(attempts: 3)
    #expect(play(&plan, hosts: 2) { _, _ in .timedOut }.hosts == [0, 1, 1, 1], "the last one is asked again")
  }

  @Test func aStaleConnectionIsReplacedAtOnceButOnlyOnce() {
    var plan = plan()
    #expect(plan.next(at: at(0)) == .nextHost)
    plan.begin()
    #expect(plan.next(at: at(0)) == .send(deadline: at(1_000)))
    #expect(plan.received(.stale, retryAfter: 0, at: at(5)) == .open)
    #expect(plan.next(at: at(5)) == .send(deadline: at(1_005)))
    _ = plan.received(.stale, retryAfter: 0, at: at(6))
    #expect(plan.lastOutcome == .broken)
  }

  @Test func aStaleConnectionIsNotTheHostsFault() {
    var plan = plan(attempts: 1)
    plan.begin()
    #expect(plan.received(.stale, retryAfter: 0, at: at(1)) == .open, "also when there may be no other attempt")
    #expect(plan.next(at: at(1)) == .nextHost)
  }

  @Test func theServiceIsGivenTheTimeItAskedFor() {
    var plan = plan(attempts: 3)
    let (hosts, end) = play(&plan, hosts: 1, retryAfter: 5_000) { _, _ in .status(429) }
    #expect(hosts == [0, 0, 0])
    #expect(end == 10_030)
  }

  @Test func aPauseThatTheTimeDoesNotAllowIsNotTaken() {
    var plan = plan(deadline: 1_000)
    let (hosts, end) = play(&plan, retryAfter: 5_000) { _, _ in .status(429) }
    #expect(hosts == [0, 1, 2], "another host may answer at once")
    #expect(end == 30)
    #expect(plan.lastOutcome == .status(429))
    #expect(!plan.isOutOfTime, "what the service said is the better answer")
  }

  @Test func theWholeTimeWinsOverTheAttempts() {
    var plan = plan(deadline: 25)
    plan.begin()
    #expect(plan.next(at: at(0)) == .send(deadline: at(25)))
    _ = plan.received(.timedOut, retryAfter: 0, at: at(25))
    #expect(plan.next(at: at(25)) == .finished)
    plan = self.plan(deadline: 25)
    plan.begin()
    #expect(plan.received(.unreachable, retryAfter: 0, at: at(26)) == .open, "it was not the host's fault alone")
    #expect(plan.next(at: at(26)) == .finished)
    #expect(plan.isOutOfTime)
  }

  /// Of what an attempt says of its host.
  @Test func aHostIsBlamedForWhatIsItsFault() {
    for outcome: Outcome in [.unresolved, .unreachable, .untrusted, .timedOut, .notATask] {
      var plan = plan()
      plan.begin()
      #expect(plan.received(outcome, retryAfter: 0, at: at(1)) == .bad, "\(outcome)")
    }
    for outcome: Outcome in [.status(503), .hijacked, .broken] {
      var plan = plan(attempts: 2)
      plan.begin()
      #expect(plan.received(outcome, retryAfter: 0, at: at(1)) == .open, "it gets another chance")
      #expect(plan.received(outcome, retryAfter: 0, at: at(2)) == .bad, "\(outcome)")
    }
    for outcome: Outcome in [.task, .status(400), .status(401), .status(612), .status(579)] {
      var plan = plan()
      plan.begin()
      #expect(plan.received(outcome, retryAfter: 0, at: at(1)) == .well, "\(outcome)")
    }
    for outcome: Outcome in [.status(429), .status(573), .tooLarge, .outOfMemory, .system] {
      var plan = plan(attempts: 1)
      plan.begin()
      #expect(plan.received(outcome, retryAfter: 0, at: at(1)) == .open, "\(outcome)")
    }
  }

  @Test func aLostRequestIsNoAttemptAndNobodysFault() {
    var plan = plan(attempts: 2)
    plan.begin()
    for now in 1...2 {
      #expect(plan.received(.lost, retryAfter: 0, at: at(Int64(now))) == .open)
      #expect(plan.next(at: at(Int64(now))) == .send(deadline: at(Int64(now) + 1_000)), "sent again at once")
    }
    #expect(plan.received(.broken, retryAfter: 0, at: at(3)) == .open, "the first attempt of two")
    plan.begin()
    #expect(plan.received(.lost, retryAfter: 0, at: at(4)) == .open, "and not the host's fault either")
    #expect(plan.next(at: at(4)) == .finished, "not for ever")
    #expect(plan.lastOutcome?.status == .system)
  }

  @Test func anotherRegionMayHaveWhatOneHasNot() {
    var plan = plan()
    plan.begin()
    #expect(plan.received(.status(612), retryAfter: 0, mayBeElsewhere: true, at: at(1)) == .well)
    #expect(plan.next(at: at(1)) == .nextHost)
    plan.endOfHosts(at: at(1))
    #expect(plan.next(at: at(1)) == .finished)
    #expect(plan.lastOutcome == .status(612))
  }

  @Test func noTimeLimitDoesNotOverflow() {
    var plan = QueryPlan(attemptLimit: 1, attemptTimeout: .max, deadline: at(1_000).advanced(by: .max), seed: 1)
    plan.begin()
    #expect(plan.next(at: at(1_000)) == .send(deadline: .never))
  }

  @Test func pausesGrowButNeverBeyondTwoSeconds() {
    var backoff = Backoff(seed: 7)
    var limit: Int64 = 50
    for _ in 0..<20 {
      let pause = backoff.nextPause()
      #expect((0...limit).contains(pause))
      limit = min(limit * 2, 2_000)
    }
    backoff.reset()
    #expect(backoff.nextPause() <= 50)
  }

  @Test func jitterCoversTheWholeRange() {
    var random = Random(seed: 3)
    var seen: Set<Int64> = []
    for _ in 0..<1_000 { seen.insert(random.upTo(9)) }
    #expect(seen == Set(0...9))
    #expect(random.upTo(0) == 0)
    #expect(random.upTo(-1) == 0)
  }
}
