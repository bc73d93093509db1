/// Which containers are open, one bit each: 1 an object, 0 an array.
struct JSONNesting {
  static var limit: Int { 1024 }

  private var bits = InlineArray<16, UInt64>(repeating: 0)
  private var depth = 0

  /// Whether the innermost container is an object; nil when none is open.
  var top: Bool? {
    guard depth > 0 else { return nil }
    return bits[(depth - 1) / 64] & mask(depth - 1) != 0
  }

  /// False when there is no room for one more.
  mutating func push(isObject: Bool) -> Bool {
    guard depth < Self.limit else { return false }
    if isObject { bits[depth / 64] |= mask(depth) } else { bits[depth / 64] &= ~mask(depth) }
    depth += 1
    return true
  }

  mutating func pop() -> Bool {
    guard depth > 0 else { return false }
    depth -= 1
    return true
  }

  private func mask(_ level: Int) -> UInt64 { 1 << UInt64(level % 64) }
}
