import CPlatform

/// Text of bounded length, ended by NUL, that needs no allocation. What does
/// not fit is cut off at a character's border.
struct InlineText<let capacity: Int> {
  private(set) var bytes: InlineArray<capacity, UInt8>
  private(set) var count: Int

  init() {
    bytes = InlineArray(repeating: 0)
    count = 0
  }

  var isEmpty: Bool { count == 0 }

  var span: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { bytes.span.extracting(first: count) }
  }

  mutating func removeAll() {
    count = 0
    bytes[0] = 0
  }

  /// Lends the text as C sees it. Valid while `body` runs.
  borrowing func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    unsafe bytes.span.withUnsafeBufferPointer { buffer in
      let start = unsafe UnsafeRawPointer(buffer.baseAddress.unsafelyUnwrapped)
      return unsafe body(start.assumingMemoryBound(to: CChar.self))
    }
  }

  mutating func append(_ byte: UInt8) {
    guard count < capacity - 1 else { return }
    bytes[count] = byte
    count += 1
    bytes[count] = 0
  }

  @inline(never)
  mutating func append(_ text: Span<UInt8>) {
    let fitting = min(text.count, capacity - 1 - count)
    guard fitting > 0 else { return }
    let start = count
    var target = bytes.mutableSpan
    unsafe target.withUnsafeMutableBufferPointer { target in
      unsafe text.withUnsafeBufferPointer { source in
        guard let target = target.baseAddress, let source = source.baseAddress else { return }
        _ = unsafe memcpy(target + start, source, fitting)
      }
    }
    count += fitting
    bytes[count] = 0
    if fitting < text.count { dropCutCharacter() }
  }

  @inline(never)
  mutating func append(_ text: StaticString) {
    append(text.span)
  }

  @inline(never)
  mutating func append(_ number: Int) {
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var first = digits.count
    var rest = number.magnitude
    repeat {
      first -= 1
      digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    if number < 0 { append(UInt8(ascii: "-")) }
    for index in first..<digits.count { append(digits[index]) }
  }

  /// Takes back a multi-byte character of which only the beginning fitted.
  private mutating func dropCutCharacter() {
    var lead = count
    while lead > 0, count - lead < 3, bytes[lead - 1] & 0b1100_0000 == 0b1000_0000 { lead -= 1 }
    guard lead > 0 else { return }
    let length = UTF8Validation.sequenceLength(lead: bytes[lead - 1])
    if length > 1, count - lead + 1 < length {
      count = lead - 1
      bytes[count] = 0
    }
  }
}
