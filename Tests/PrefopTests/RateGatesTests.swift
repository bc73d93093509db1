import Testing

@testable import Prefop

/// The pace at a host that limits the rate, in virtual time.
struct RateGatesTests {
  /// A host of a rate, and queries that go to it as the gates allow.
  private struct Scene: ~Copyable {
    var gates = RateGates()
    var now: Int64 = 1_000_000
    var sent = 0
    var refused = 0

    /// Sends one query when it may go; how long it was held.
    mutating func send(isRefused: Bool, pause: Int64 = 0) -> Int64 {
      var turn = RateGates.Turn()
      let start = now
      while let instant = gates.admit(&turn, to: 1, at: at(now)) {
        now = instant.milliseconds
        turn.isDue = true
      }
      sent += 1
      if isRefused {
        refused += 1
        gates.limit(1, turn, pause: pause, heldCount: 0, at: at(now))
      } else {
        _ = gates.ease(1, at: at(now))
      }
      return now - start
    }
  }

  @Test func nothingIsHeldAtAHostThatLimitsNothing() {
    var scene = Scene()
    for _ in 0..<1_000 {
      let held = scene.send(isRefused: false)
      #expect(held == 0)
    }
  }

  @Test func theFirstRefusalMakesThePauseThatWasAskedFor() {
    var scene = Scene()
    _ = scene.send(isRefused: true, pause: 1_500)
    let held = scene.send(isRefused: false)
    #expect(held == 1_500)
  }

  @Test func otherHostsAreFree() {
    var gates = RateGates()
    gates.limit(1, RateGates.Turn(), pause: 1_000, heldCount: 0, at: at(5))
    var turn = RateGates.Turn()
    let held = gates.admit(&turn, to: 2, at: at(5))
    #expect(held == nil)
  }

  @Test func oneRefusalAmongManyAnswersMakesNoPause() {
    var scene = Scene()
    for _ in 0..<100 { _ = scene.send(isRefused: false) }
    _ = scene.send(isRefused: true, pause: 10_000)
    let held = scene.send(isRefused: false)
    #expect(held <= 20)
  }

  @Test func intervalsGrowWithEachRefusalAndShrinkWithAnswers() {
    var scene = Scene()
    for _ in 0..<20 { _ = scene.send(isRefused: true) }
    let slow = scene.send(isRefused: false)
    #expect(slow == 250)
    var last = slow
    for _ in 0..<1_000 { last = scene.send(isRefused: false) }
    #expect(last == 0)
    let isFree = scene.gates.isEmpty
    #expect(isFree)
  }

  @Test func aBurstThatIsRefusedCountsOnce() {
    var gates = RateGates()
    for _ in 0..<64 { gates.limit(1, RateGates.Turn(), pause: 0, heldCount: 0, at: at(100)) }
    var turns: [Int64] = []
    for _ in 0..<3 {
      var turn = RateGates.Turn()
      turns.append(gates.admit(&turn, to: 1, at: at(100))?.milliseconds ?? 100)
    }
    #expect(turns == [100, 120, 140])
  }

  @Test func whoHasWaitedGoesBeforeThoseThatCome() {
    var gates = RateGates()
    gates.limit(1, RateGates.Turn(), pause: 0, heldCount: 0, at: at(0))
    var held: [RateGates.Turn] = []
    for _ in 0..<5 {
      var turn = RateGates.Turn()
      _ = gates.admit(&turn, to: 1, at: at(0))
      held.append(turn)
    }
    // The first of them goes, and is refused: the turns of the four are void.
    gates.limit(1, held.removeFirst(), pause: 0, heldCount: 4, at: at(10))
    var newcomer = RateGates.Turn()
    let last = gates.admit(&newcomer, to: 1, at: at(10))
    for (index, turn) in held.enumerated() {
      var turn = turn
      turn.isDue = true
      let renewed = gates.admit(&turn, to: 1, at: at(20 * Int64(index + 1)))
      #expect(renewed == at(50 + 40 * Int64(index)))
    }
    #expect(last == at(210))
  }

  @Test func thoseThatAreHeldGoSoonerWhenTheHostAnswers() {
    var gates = RateGates()
    gates.limit(1, RateGates.Turn(), pause: 0, heldCount: 0, at: at(0))
    var turns: [RateGates.Turn] = []
    for _ in 0..<10 {
      var turn = RateGates.Turn()
      _ = gates.admit(&turn, to: 1, at: at(0))
      turns.append(turn)
    }
    #expect(turns.map(\.time) == (0..<10).map { $0 * 20_000 })
    var answers = 0
    var canGoSooner = false
    while !canGoSooner {
      canGoSooner = gates.ease(1, at: at(0))
      answers += 1
    }
    #expect(20...24 ~= answers)
    for index in turns.indices { _ = gates.advance(&turns[index], at: 1, now: at(0)) }
    #expect(turns.map(\.time) == (0..<10).map { $0 * 10_000 })
  }

  /// The service allows so many a second; how many of 2,000 queries it refuses.
  @Test(arguments: [20, 50, 200, 1_000])
  func itFindsTheRateOfTheService(rate: Int) {
    var scene = Scene()
    var tokens = 1.0
    var filled = scene.now
    while scene.sent < 2_000 {
      var turn = RateGates.Turn()
      while let instant = scene.gates.admit(&turn, to: 1, at: at(scene.now)) {
        scene.now = instant.milliseconds
        turn.isDue = true
      }
      tokens = min(Double(rate) / 10 + 1, tokens + Double(scene.now - filled) * Double(rate) / 1_000)
      filled = scene.now
      scene.sent += 1
      if tokens < 1 {
        scene.refused += 1
        scene.gates.limit(1, turn, pause: 0, heldCount: 0, at: at(scene.now))
      } else {
        tokens -= 1
        _ = scene.gates.ease(1, at: at(scene.now))
      }
    }
    let refused = scene.refused
    #expect(refused < 300, "of 2,000")
    let seconds = Double(scene.now - 1_000_000) / 1_000
    #expect(seconds < 2_000 / Double(rate) * 2.5)
  }
}
