/// Pauses before the same host is asked again: full jitter, from 50 ms doubling
/// to 2 s.
struct Backoff {
  private var limit: Int64 = 50
  private var random: Random

  private static var longest: Int64 { 2_000 }

  init(seed: UInt64) { random = Random(seed: seed) }

  mutating func nextPause() -> Int64 {
    defer { limit = min(limit * 2, Self.longest) }
    return random.upTo(limit)
  }

  mutating func reset() { limit = 50 }
}
