import Testing

@testable import Prefop

/// The state machine of a query, in virtual time.
struct QueryPlanTests {
  private func plan(hosts: Int = 3, attempts: Int = 4, attemptTimeout: Int64 = 1_000, deadline: Int64 = 30_000)
    -> QueryPlan
  {
    QueryPlan(hostCount: hosts, attemptLimit: attempts, attemptTimeout: attemptTimeout, deadline: at(deadline), seed: 1)
  }

  /// Plays a query in which each attempt takes 10 ms and ends as told; returns
  /// the hosts asked and the instant of the end.
  private func play(
    _ plan: inout QueryPlan, retryAfter: Int64 = 0, _ outcome: (_ host: Int, _ attempt: Int) -> Outcome
  ) -> (hosts: [Int], end: Int64) {
    var now: Int64 = 0
    var hosts: [Int] = []
    for _ in 0..<10_000 {
      switch plan.next(at: at(now)) {
      case .send(let host, let deadline):
        #expect(deadline > at(now))
        hosts.append(host)
        now += 10
        plan.received(outcome(host, hosts.count), retryAfter: retryAfter, at: at(now))
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
    var plan = plan(hosts: 2, attempts: 3)
    #expect(play(&plan) { _, _ in .status(503) }.hosts == [0, 0, 0, 1, 1, 1])
    #expect(plan.attempts == 6)
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
    var plan = plan(hosts: 3, attempts: 3)
    #expect(play(&plan) { host, _ in host == 2 ? .task : .timedOut }.hosts == [0, 1, 2])
    plan = self.plan(hosts: 2, attempts: 3)
    #expect(play(&plan) { _, _ in .timedOut }.hosts == [0, 1, 1, 1], "the last one is asked again")
  }

  @Test func aStaleConnectionIsReplacedAtOnceButOnlyOnce() {
    var plan = plan(hosts: 1, attempts: 4)
    #expect(plan.next(at: at(0)) == .send(host: 0, deadline: at(1_000)))
    plan.received(.stale, retryAfter: 0, at: at(5))
    #expect(plan.next(at: at(5)) == .send(host: 0, deadline: at(1_005)))
    plan.received(.stale, retryAfter: 0, at: at(6))
    #expect(plan.lastOutcome == .broken)
  }

  @Test func theServiceIsGivenTheTimeItAskedFor() {
    var plan = plan(hosts: 1, attempts: 3)
    let (hosts, end) = play(&plan, retryAfter: 5_000) { _, _ in .status(429) }
    #expect(hosts == [0, 0, 0])
    #expect(end == 10_030)
  }

  @Test func aPauseThatTheTimeDoesNotAllowIsNotTaken() {
    var plan = plan(hosts: 1, deadline: 1_000)
    let (hosts, end) = play(&plan, retryAfter: 5_000) { _, _ in .status(429) }
    #expect(hosts == [0])
    #expect(end == 10)
    #expect(plan.lastOutcome == .status(429))
    #expect(!plan.isOutOfTime, "what the service said is the better answer")
  }

  @Test func theWholeTimeWinsOverTheAttempts() {
    var plan = plan(hosts: 3, deadline: 25)
    #expect(plan.next(at: at(0)) == .send(host: 0, deadline: at(25)))
    plan.received(.timedOut, retryAfter: 0, at: at(25))
    #expect(plan.next(at: at(25)) == .finished)
    plan = self.plan(deadline: 25)
    _ = plan.next(at: at(0))
    plan.received(.unreachable, retryAfter: 0, at: at(26))
    #expect(plan.next(at: at(26)) == .finished)
    #expect(plan.isOutOfTime)
  }

  @Test func noTimeLimitDoesNotOverflow() {
    var plan = QueryPlan(
      hostCount: 1, attemptLimit: 1, attemptTimeout: .max, deadline: at(1_000).advanced(by: .max), seed: 1)
    #expect(plan.next(at: at(1_000)) == .send(host: 0, deadline: .never))
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
