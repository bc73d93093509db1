/// Random numbers for jitter (xorshift64*). Not for secrets.
struct Random {
  private var state: UInt64

  init(seed: UInt64) { state = seed | 1 }

  /// A number from 0 up to and including `limit`.
  mutating func upTo(_ limit: Int64) -> Int64 {
    guard limit > 0, limit < .max else { return max(0, limit) }
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    let scrambled = state &* 0x2545_F491_4F6C_DD1D
    return Int64(scrambled % UInt64(limit + 1))
  }
}
