import Foundation
import Testing

@testable import Prefop

/// When a wait asks again, in virtual time.
struct WaitScheduleTests {
  static let defaults = WaitSchedule.Limits(shortest: 1_000, longest: 1_800_000)
  static let day: Int64 = 86_400_000

  private func schedule(
    _ limits: WaitSchedule.Limits = defaults, start: Int64 = 0, deadline: Instant = at(day), seed: UInt64 = 1
  ) -> WaitSchedule {
    WaitSchedule(start: at(start), deadline: deadline, limits: limits, seed: seed)
  }

  @Test func aYoungTaskIsAskedForAfterTheShortestPause() {
    var schedule = schedule(start: 50)
    #expect(schedule.next(at: at(50)) == at(1_050))
    #expect(schedule.next(at: at(5_050)) == at(6_050))
  }

  @Test func pausesAreASixthToAFifthOfTheAge() {
    for seed in UInt64(0)..<200 {
      var schedule = schedule(seed: seed * 977)
      for age in [10_000, 60_000, 3_600_000] as [Int64] {
        let pause = schedule.next(at: at(age)).milliseconds - age
        #expect(age / 6...age / 5 ~= pause)
      }
    }
  }

  @Test func notAllAskTogether() {
    let due = Set(
      (0..<100).map { seed in
        var schedule = schedule(seed: UInt64(seed) * 2)
        return schedule.next(at: at(600_000)).milliseconds
      })
    #expect(due.count > 90)
  }

  @Test func theLongestPauseHolds() {
    var schedule = schedule(WaitSchedule.Limits(shortest: 20, longest: 3_000), deadline: .never)
    for age in [20_000, Self.day, .max / 2] as [Int64] {
      #expect(2_500...3_000 ~= schedule.next(at: at(age)).milliseconds - age, "at \(age)")
    }
  }

  @Test func equalLimitsMakeEvenPauses() {
    var schedule = schedule(WaitSchedule.Limits(shortest: 5_000, longest: 5_000))
    for age in [0, 5_000, 500_000] as [Int64] { #expect(schedule.next(at: at(age)) == at(age + 5_000)) }
    #expect(schedule.next(isRateLimited: true, at: at(0)) == at(5_000))
  }

  @Test func anOldTaskIsAskedForAtItsAge() {
    var schedule = schedule(start: 1_000)
    schedule.learn(age: 600_000, at: at(1_000))
    #expect(100_000...120_000 ~= schedule.next(at: at(1_000)).milliseconds - 1_000)
  }

  @Test func aDateInTheFutureCountsAsNow() {
    for age in [-1, -Self.day, .min] as [Int64] {
      var schedule = schedule()
      schedule.learn(age: age, at: at(0))
      #expect(schedule.next(at: at(0)) == at(1_000))
    }
  }

  @Test func aYoungerDateDoesNotTurnTheAgeBack() {
    var schedule = schedule()
    schedule.learn(age: 5_000, at: at(600_000))
    #expect(schedule.next(at: at(600_000)) >= at(700_000))
  }

  @Test func anAbsurdAgeIsHarmless() {
    for age in [Self.day * 4_000_000, .max] as [Int64] {
      var schedule = schedule(deadline: .never)
      schedule.learn(age: age, at: at(Self.day))
      let pause = schedule.next(at: at(Self.day)).milliseconds - Self.day
      #expect(1_000...1_800_000 ~= pause)
    }
  }

  @Test func aLimitedRateDoublesPausesUntilItIsNone() {
    var schedule = schedule(WaitSchedule.Limits(shortest: 1_000, longest: 10_000))
    for (index, pause) in ([2_000, 4_000, 8_000, 10_000, 10_000] as [Int64]).enumerated() {
      let due = schedule.next(isRateLimited: true, at: at(0)).milliseconds
      #expect(pause - pause / 6...pause ~= due, "the \(index + 1)th time")
    }
    #expect(schedule.next(at: at(0)) == at(1_000))
    for _ in 0..<100 { _ = schedule.next(isRateLimited: true, at: at(0)) }
    #expect(schedule.next(isRateLimited: true, at: at(0)) <= at(10_000))
  }

  @Test func whatTheServiceAsksForIsKept() {
    var schedule = schedule(WaitSchedule.Limits(shortest: 10, longest: 20))
    #expect(schedule.next(isRateLimited: true, retryAfter: 5_000, at: at(0)) == at(5_000))
    #expect(schedule.next(retryAfter: 5, at: at(0)) == at(10), "a shorter pause than ours is not kept")
  }

  @Test func aSenselessRequestIsKeptForAnHour() {
    var schedule = schedule(deadline: .never)
    #expect(schedule.next(retryAfter: .max, at: at(0)) == at(3_600_000))
  }

  @Test func aPauseThatTheServiceAsksForMayOutlastTheWait() {
    for pause in [60_000, .max] as [Int64] {
      var schedule = schedule(deadline: at(30_000))
      #expect(schedule.next(retryAfter: pause, at: at(0)) == at(30_000))
    }
  }

  @Test func theLastPollIsASecondBeforeTheEnd() {
    var schedule = schedule(deadline: at(100_000))
    #expect(schedule.next(at: at(90_000)) == at(99_000))
    #expect(schedule.next(at: at(99_000)) == at(100_000))
    #expect(schedule.next(at: at(98_500)) == at(100_000), "too close to the one before")
    #expect(schedule.next(at: at(100_000)) == at(100_000))
    #expect(schedule.next(at: at(200_000)) == at(100_000))
  }

  @Test func aWaitOfLessThanAPauseIsOnePoll() {
    var schedule = schedule(deadline: at(300))
    #expect(schedule.next(at: at(5)) == at(300))
  }

  @Test func veryLongWaitsDoNotOverflow() {
    let start: Int64 = 1_000_000_000
    for time in [31 * Self.day, 1 << 53, .max] as [Int64] {
      let deadline = at(start).advanced(by: time)
      var schedule = schedule(start: start, deadline: deadline)
      var now = at(start)
      for _ in 0..<200 where now < deadline { now = schedule.next(at: now) }
      #expect(now > at(start + Self.day))
      _ = schedule.next(at: at(.max - 1))
      _ = schedule.next(at: at(.max))
    }
    var slow = schedule(WaitSchedule.Limits(shortest: .max, longest: .max), deadline: .never)
    #expect(slow.next(isRateLimited: true, retryAfter: .max, at: at(5)) == .never)
  }

  @Test func aFreshTaskMayBeUnknown() {
    let schedule = schedule(start: 500)
    #expect(schedule.mayAppear(at: at(500)))
    #expect(schedule.mayAppear(at: at(10_499)))
    #expect(!schedule.mayAppear(at: at(10_500)))
  }
}

/// What a schedule costs and how late it notices, over durations from a second
/// to six hours. With PREFOP_SCHEDULE in the environment it prints the table from
/// which the defaults were chosen.
struct WaitCostTests {
  private struct Cost {
    var requests = 0
    var meanLag = 0.0
    var worstBand = 0.0
    var worst = 0.0
  }

  static let longest: Int64 = 6 * 3_600_000
  private static let seeds: UInt64 = 100

  /// The instants of all polls until six hours have passed.
  private func polls(_ limits: WaitSchedule.Limits, seed: UInt64) -> [Int64] {
    var schedule = WaitSchedule(start: at(0), deadline: .never, limits: limits, seed: seed &* 0x9E37_79B9_7F4A_7C15)
    var polls: [Int64] = [0]
    while let last = polls.last, last < Self.longest { polls.append(schedule.next(at: at(last)).milliseconds) }
    return polls
  }

  /// Durations that double thirty times over, in bands of a third.
  private func cost(_ limits: WaitSchedule.Limits) -> Cost {
    var cost = Cost()
    var bands: [Int: [Double]] = [:]
    for seed in 0..<Self.seeds {
      let polls = polls(limits, seed: seed)
      cost.requests = max(cost.requests, polls.count)
      var duration = 1_000.0
      var index = 0
      while duration <= Double(Self.longest) {
        while Double(polls[index]) < duration { index += 1 }
        let lag = Double(polls[index]) - duration
        // What is less than the shortest pause counts as none.
        let ratio = lag <= Double(limits.shortest) ? 0 : lag / duration
        cost.worst = max(cost.worst, ratio)
        bands[Int(log(duration / 1_000) / log(4.0 / 3)), default: []].append(lag / max(duration, 10_000))
        duration *= 1.003
      }
    }
    let means = bands.values.map { $0.reduce(0, +) / Double($0.count) }
    cost.meanLag = means.reduce(0, +) / Double(means.count)
    cost.worstBand = means.max() ?? 0
    return cost
  }

  @Test func sixHoursTakeSixtyRequestsAndATenthOnAverage() {
    let cost = cost(WaitScheduleTests.defaults)
    #expect(cost.requests <= 60)
    #expect(cost.worstBand <= 0.1)
    #expect(cost.worst <= 0.2)
  }

  @Test func anHourTakesFortyFive() {
    for seed in 0..<Self.seeds {
      #expect(polls(WaitScheduleTests.defaults, seed: seed).count { $0 < 3_600_000 } <= 45)
    }
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["PREFOP_SCHEDULE"] != nil))
  func table() {
    func percent(_ part: Double) -> String { String(format: "%10.1f %%", part * 100) }
    print("pauses, at most       longest      requests in 6 h   lag, mean  worst band       worst")
    for part in [10, 8, 6, 5, 4] as [Int64] {
      for longest in [30, 300, 900, 1_800, 3_600] as [Int64] {
        let limits = WaitSchedule.Limits(shortest: 1_000, longest: longest * 1_000, part: part)
        let cost = cost(limits)
        let isDefault = limits == WaitScheduleTests.defaults
        print(
          String(format: "age / %-2d %15d s %18d ", Int(part), Int(longest), cost.requests)
            + percent(cost.meanLag) + percent(cost.worstBand) + percent(cost.worst) + (isDefault ? "  <- default" : ""))
      }
    }
  }
}
