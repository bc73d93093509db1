/// Random numbers for jitter (xorshift64*, which multiplies modulo 2^64). Not for
/// secrets.
struct Random {
  private var state: UInt64

  init(seed: UInt64) { state = seed | 1 }

  /// A seed that differs between threads that begin at once: each has something of
  /// its own at another address. Forked children of one process have the same
  /// addresses, and so the same seed if they ask in the same millisecond.
  static func seed(of address: UnsafeRawPointer, at now: Instant) -> UInt64 {
    let place = UInt64(UInt(bitPattern: address))
    return (UInt64(bitPattern: now.milliseconds) ^ place).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15).low
  }

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
