/// How many answers came of late.
struct RateMeter {
  private var start = Instant(milliseconds: 0)
  private var recent = 0

  /// Of the window before this one; 0: it was not the one right before.
  private var former = 0

  /// Milliseconds.
  private static var window: Int64 { 1_000 }

  /// A burst that took less says nothing of a rate.
  private static var leastTime: Int64 { 50 }

  mutating func record(at now: Instant) {
    turnOver(at: now)
    recent += 1
  }

  /// In the last second or two.
  mutating func count(at now: Instant) -> Int {
    turnOver(at: now)
    return max(recent, former)
  }

  /// Microseconds between two answers, on average.
  mutating func interval(at now: Instant) -> Int64 {
    turnOver(at: now)
    let time = max(Self.leastTime, start.milliseconds(until: now)) + (former > 0 ? Self.window : 0)
    return time * 1_000 / Int64(max(1, recent + former))
  }

  private mutating func turnOver(at now: Instant) {
    let age = start.milliseconds(until: now)
    guard age >= Self.window else { return }
    former = age < 2 * Self.window ? recent : 0
    recent = 0
    start = now
  }
}
