/// The header fields of a received request, "Name: value" each; names in any case.
@safe
struct HeaderFields: ~Escapable {
  private let lines: UnsafePointer<UnsafePointer<CChar>?>?
  let count: Int

  /// More than any web server lets through.
  private static var limit: Int { 1024 }
  private static var byteLimit: Int { 64 << 10 }

  @_lifetime(immortal)
  init(_ lines: UnsafePointer<UnsafePointer<CChar>?>?, count: Int) throws(Failure) {
    guard 0...Self.limit ~= count else {
      throw Failure(
        .argument, "notification.header_count is {number}: at most {limit}", number: count, limit: Self.limit)
    }
    guard unsafe count == 0 || lines != nil else {
      throw Failure(.argument, "notification.headers is NULL, but header_count is {number}", number: count)
    }
    unsafe self.lines = lines
    self.count = count
    var byteCount = 0
    for index in 0..<count {
      guard let line = unsafe lines?[index] else {
        throw Failure(
          .argument, "notification.headers[{number}] is NULL, but header_count is {limit}", number: index, limit: count)
      }
      byteCount += unsafe CText.span(line).count
      guard byteCount <= Self.byteLimit else {
        throw Failure(.argument, "notification.headers have more than {limit} bytes", limit: Self.byteLimit)
      }
      // Two lines in one would be signed like two fields.
      guard unsafe !CText.span(line).contains(where: { $0 == 0x0A || $0 == 0x0D }) else {
        throw Failure(.argument, "notification.headers[{number}] has a line end in it", number: index)
      }
    }
  }

  /// The first value of a field, nil when it is not there. `name` in lower case.
  @_lifetime(copy self)
  @inline(never)
  func value(of name: StaticString) -> Span<UInt8>? {
    for index in 0..<count {
      let field = field(at: index)
      if field.name.equals(name, ignoringCase: true) { return field.value }
    }
    return nil
  }

  @_lifetime(copy self)
  @inline(never)
  func field(at index: Int) -> HeaderField {
    guard index >= 0, index < count, let line = unsafe lines?[index] else { return HeaderField(Span()) }
    return HeaderField(unsafe _overrideLifetime(CText.span(line), copying: self))
  }
}

/// One field: its name as sent, its value without blanks around it.
struct HeaderField: ~Escapable {
  let name: Span<UInt8>
  let value: Span<UInt8>

  @_lifetime(copy line)
  init(_ line: Span<UInt8>) {
    let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.count
    name = line.extracting(0..<colon).trimmed
    value = line.extracting(min(colon + 1, line.count)..<line.count).trimmed
  }

  /// A byte of the name in canonical form: capital at the beginning and after
  /// each hyphen, small elsewhere.
  @inline(never)
  func canonicalByte(at index: Int) -> UInt8 {
    let isFirst = index == 0 || name[index - 1] == UInt8(ascii: "-")
    return isFirst ? name[index].uppercased : name[index].lowercased
  }

  /// Whether a signature covers the field: X-Qiniu- and something after it.
  var isSigned: Bool { name.count > 8 && name.hasPrefix("x-qiniu-", ignoringCase: true) }

  /// -1, 0 or 1: the order of the canonical names.
  @inline(never)
  func compareName(_ other: HeaderField) -> Int {
    let common = min(name.count, other.name.count)
    for index in 0..<common {
      let (a, b) = (canonicalByte(at: index), other.canonicalByte(at: index))
      if a != b { return a < b ? -1 : 1 }
    }
    return name.count == other.name.count ? 0 : name.count < other.name.count ? -1 : 1
  }
}
