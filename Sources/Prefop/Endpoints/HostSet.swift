/// Some of a client's hosts, by their places in its table.
struct HostSet {
  private var bits = InlineArray<8, UInt32>(repeating: 0)

  static var capacity: Int { 256 }

  func contains(_ place: Int) -> Bool {
    guard 0..<Self.capacity ~= place else { return false }
    return bits[place >> 5] >> UInt32(place & 31) & 1 == 1
  }

  mutating func insert(_ place: Int) {
    guard 0..<Self.capacity ~= place else { return }
    bits[place >> 5] |= 1 << UInt32(place & 31)
  }

  mutating func remove(_ place: Int) {
    guard 0..<Self.capacity ~= place else { return }
    bits[place >> 5] &= ~(1 << UInt32(place & 31))
  }

  mutating func formUnion(_ other: HostSet) {
    for index in bits.indices { bits[index] |= other.bits[index] }
  }
}
