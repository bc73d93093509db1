import CPlatform

/// Text in a document: where it stands between its quotes, and how long it is
/// once its escapes are decoded.
struct JSONText {
  private(set) var start: UInt32
  private(set) var end: UInt32
  private(set) var decodedCount: UInt32

  /// No text: what an absent member has.
  static var empty: JSONText { JSONText(start: 0, end: 0, decodedCount: 0) }

  /// The offsets fit: a document is capped at 1 GiB.
  @inline(__always)
  init(start: Int, end: Int, decodedCount: Int) {
    self.init(
      start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end),
      decodedCount: UInt32(truncatingIfNeeded: decodedCount))
  }

  private init(start: UInt32, end: UInt32, decodedCount: UInt32) {
    self.start = start
    self.end = end
    self.decodedCount = decodedCount
  }

  @inline(__always) var count: Int { Int(decodedCount) }
  @inline(__always) var isEmpty: Bool { decodedCount == 0 }

  /// The end is never before the start, so that this cannot wrap; on the way of
  /// every member no check is wanted that cannot fail.
  @inline(__always) var hasEscapes: Bool { decodedCount != end &- start }

  /// The bytes between the quotes, as they stand in the document.
  @_lifetime(copy document)
  func raw(in document: Span<UInt8>) -> Span<UInt8> {
    document.extracting(Int(start)..<Int(end))
  }
}

/// The name of a member, to be matched with `switch`.
struct JSONName: ~Escapable {
  let raw: Span<UInt8>
  let hasEscapes: Bool

  @_lifetime(copy raw)
  @inline(__always)
  init(raw: Span<UInt8>, hasEscapes: Bool) {
    self.raw = raw
    self.hasEscapes = hasEscapes
  }

  @inline(__always)
  static func ~= (literal: StaticString, name: borrowing JSONName) -> Bool {
    if name.hasEscapes { return name.decodedEquals(literal) }
    guard name.raw.count == literal.utf8CodeUnitCount else { return false }
    return unsafe name.raw.withUnsafeBufferPointer { bytes in
      guard let start = bytes.baseAddress else { return true }
      return unsafe memcmp(start, literal.utf8Start, bytes.count) == 0
    }
  }

  /// A name may be written with escapes too: "\u0069d" is "id".
  @inline(never)
  private borrowing func decodedEquals(_ literal: StaticString) -> Bool {
    var decoder = JSONEscapeDecoder(raw)
    var matched = 0
    while let byte = decoder.next() {
      guard matched < literal.utf8CodeUnitCount, unsafe literal.utf8Start[matched] == byte else { return false }
      matched += 1
    }
    return matched == literal.utf8CodeUnitCount
  }
}
