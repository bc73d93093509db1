import CCrypto

extension Span<UInt8> {
  @inline(never)
  func equals(_ literal: StaticString, ignoringCase: Bool = false) -> Bool {
    count == literal.utf8CodeUnitCount && hasPrefix(literal, ignoringCase: ignoringCase)
  }

  /// The literal must be in lower case when case is ignored.
  @inline(never)
  func hasPrefix(_ literal: StaticString, ignoringCase: Bool = false) -> Bool {
    guard count >= literal.utf8CodeUnitCount else { return false }
    for index in 0..<literal.utf8CodeUnitCount {
      let wanted = unsafe literal.utf8Start[index]
      guard self[index] == wanted || ignoringCase && self[index].lowercased == wanted else { return false }
    }
    return true
  }

  @inline(never)
  func equals(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for index in indices where self[index] != other[index] { return false }
    return true
  }

  /// Compares in a time that does not tell where the difference is.
  @inline(never)
  func equalsInConstantTime(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    return unsafe withUnsafeBufferPointer { a in
      unsafe other.withUnsafeBufferPointer { b in
        guard let a = a.baseAddress, let b = b.baseAddress else { return true }
        return unsafe CRYPTO_memcmp(a, b, count) == 0
      }
    }
  }

  @inline(never)
  func contains(where matches: (UInt8) -> Bool) -> Bool {
    for index in indices where matches(self[index]) { return true }
    return false
  }

  @inline(never)
  func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    for index in start..<Swift.max(start, count) where self[index] == byte { return index }
    return nil
  }

  /// The bytes without blanks and tabs around them.
  var trimmed: Span<UInt8> {
    @_lifetime(copy self)
    get {
      var start = 0
      var end = count
      while start < end, self[start].isBlank { start += 1 }
      while end > start, self[end - 1].isBlank { end -= 1 }
      return extracting(start..<end)
    }
  }
}

extension UInt8 {
  var lowercased: UInt8 { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self ? self | 0x20 : self }
  var uppercased: UInt8 { UInt8(ascii: "a")...UInt8(ascii: "z") ~= self ? self & 0xDF : self }
  var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0D || self == 0x0A }
  var isDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }
  var isLetter: Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= self | 0x20 }
  var isControl: Bool { self < 0x20 || self == 0x7F }
}
