enum UTF8Encoding {
  /// The bytes of a character, the first one lowest. A surrogate has the three
  /// bytes that it would have.
  static func bytes(of scalar: UInt32) -> UInt32 {
    func tail(_ shift: UInt32) -> UInt32 { 0x80 | scalar >> shift & 0x3F }
    switch scalar {
    case ..<0x80: return scalar
    case ..<0x800: return 0xC0 | scalar >> 6 | tail(0) << 8
    case ..<0x10000: return 0xE0 | scalar >> 12 | tail(6) << 8 | tail(0) << 16
    default: return 0xF0 | scalar >> 18 | tail(12) << 8 | tail(6) << 16 | tail(0) << 24
    }
  }
}
