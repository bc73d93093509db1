/// Writes JSON into bytes that grow. What it writes is compact and valid, as
/// long as begin and end are called in pairs.
struct JSONWriter: ~Copyable {
  private var output = Bytes()
  private var needsComma = false

  init(capacity: Int) throws(JSONWriteError) {
    try reserve(capacity)
  }

  @inline(never)
  mutating func beginObject() throws(JSONWriteError) { try begin(UInt8(ascii: "{")) }
  @inline(never)
  mutating func endObject() throws(JSONWriteError) { try end(UInt8(ascii: "}")) }
  @inline(never)
  mutating func beginArray() throws(JSONWriteError) { try begin(UInt8(ascii: "[")) }
  @inline(never)
  mutating func endArray() throws(JSONWriteError) { try end(UInt8(ascii: "]")) }

  /// Begins a member; its value comes next.
  @inline(never)
  mutating func name(_ name: StaticString) throws(JSONWriteError) {
    try reserve(name.utf8CodeUnitCount + 4)
    if needsComma { output.appendReserved(UInt8(ascii: ",")) }
    output.appendReserved(UInt8(ascii: "\""))
    output.appendReserved(name.span)
    output.appendReserved(UInt8(ascii: "\""))
    output.appendReserved(UInt8(ascii: ":"))
    needsComma = false
  }

  /// Text that must be UTF-8; what JSON wants escaped is escaped.
  @inline(never)
  mutating func text(_ text: Span<UInt8>) throws(JSONWriteError) {
    try reserve(text.count + 3)
    separate()
    output.appendReserved(UInt8(ascii: "\""))
    var start = 0
    var index = ByteScan.endOfPlainText(text, from: 0)
    while index < text.count {
      let byte = text[index]
      if byte >= 0x80 {
        guard let length = UTF8Validation.validSequence(in: text, at: index) else { throw .notUTF8(index) }
        index += length
      } else {
        output.appendReserved(text.extracting(start..<index))
        try appendEscape(byte, bytesToCome: text.count - index)
        index += 1
        start = index
      }
      index = ByteScan.endOfPlainText(text, from: index)
    }
    output.appendReserved(text.extracting(start..<text.count))
    output.appendReserved(UInt8(ascii: "\""))
    needsComma = true
  }

  @inline(never)
  mutating func integer(_ value: Int64) throws(JSONWriteError) {
    try reserve(22)
    separate()
    if UInt64(bitPattern: value) < 10 {
      output.appendReserved(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value))
    } else {
      var text = InlineText<24>()
      text.append(Int(value))
      output.appendReserved(text.span)
    }
    needsComma = true
  }

  /// One JSON value, as its text.
  @inline(never)
  mutating func raw(_ value: Span<UInt8>) throws(JSONWriteError) {
    try reserve(value.count + 1)
    separate()
    output.appendReserved(value)
    needsComma = true
  }

  /// Hands out what was written, ended by a NUL that does not count.
  @inline(never)
  mutating func take() throws(JSONWriteError) -> Bytes {
    try reserve(1)
    output.appendReserved(0)
    var taken = Bytes()
    swap(&taken, &output)
    return taken
  }

  @inline(never)
  private mutating func begin(_ bracket: UInt8) throws(JSONWriteError) {
    try reserve(2)
    separate()
    output.appendReserved(bracket)
    needsComma = false
  }

  @inline(never)
  private mutating func end(_ bracket: UInt8) throws(JSONWriteError) {
    try reserve(1)
    output.appendReserved(bracket)
    needsComma = true
  }

  @inline(never)
  private mutating func separate() {
    if needsComma { output.appendReserved(UInt8(ascii: ",")) }
  }

  @inline(never)
  private mutating func appendEscape(_ byte: UInt8, bytesToCome: Int) throws(JSONWriteError) {
    // An escape is at most six bytes; the rest of the text and its quote follow.
    try reserve(bytesToCome + 7)
    output.appendReserved(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.appendReserved(byte)
    case 0x08: output.appendReserved(UInt8(ascii: "b"))
    case 0x0C: output.appendReserved(UInt8(ascii: "f"))
    case 0x0A: output.appendReserved(UInt8(ascii: "n"))
    case 0x0D: output.appendReserved(UInt8(ascii: "r"))
    case 0x09: output.appendReserved(UInt8(ascii: "t"))
    default:
      output.appendReserved(UInt8(ascii: "u"))
      output.appendReserved(UInt8(ascii: "0"))
      output.appendReserved(UInt8(ascii: "0"))
      output.appendReserved(Hex.smallDigit(byte >> 4))
      output.appendReserved(Hex.smallDigit(byte & 0x0F))
    }
  }

  @inline(never)
  private mutating func reserve(_ count: Int) throws(JSONWriteError) {
    do throws(OutOfMemory) {
      try output.reserve(count)
    } catch {
      throw .outOfMemory
    }
  }
}

enum JSONWriteError: Error {
  case outOfMemory
  /// Text holds, at this byte, what is not UTF-8.
  case notUTF8(Int)
}
