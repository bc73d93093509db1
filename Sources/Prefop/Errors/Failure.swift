import CPrefop

/// Why a call fails: the status that it returns, and one line for a person.
///
/// It is thrown through many functions, each of which copies it, so it is small:
/// the line is made at the border, of a template and what is put into it.
///
///     throw Failure(.configuration, "{name}: the host {text} is too long", name: list, text: host)
@safe
struct Failure: Error, @unchecked Sendable {
  /// Text of the program, ended by NUL.
  private let template: UnsafePointer<UInt8>

  /// The number; where there is a text, its address.
  private let numberOrText: Int

  /// The number, where there is a text: a place in it. Else the upper half of the
  /// limit.
  private let placeOrHalf: Int32

  /// The lower half of the limit, 31 bits, never negative; where there is a text,
  /// the complement of its length, always negative.
  private let limitOrCount: Int32

  /// Text of the program too, told by its distance from the template.
  private let name: Int32

  /// The status in the lowest byte, above it the item, plus one.
  private var statusAndItem: UInt32

  /// `text` must be the caller's, or static: it is read when the call returns.
  /// There is either a limit or a text.
  @inline(__always)
  init(
    _ status: Status, _ template: StaticString, name: StaticString = "", number: Int = 0, limit: Int = 0
  ) {
    let limit = max(0, limit)
    unsafe self.init(
      status, template.utf8Start, name.utf8Start, number, Int32(truncatingIfNeeded: limit >> 31),
      Int32(truncatingIfNeeded: limit & 0x7FFF_FFFF))
  }

  @inline(__always)
  init(_ status: Status, _ template: StaticString, name: StaticString = "", number: Int = 0, text: Span<UInt8>) {
    let address = unsafe text.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
    unsafe self.init(
      status, template.utf8Start, name.utf8Start, address, Int32(clamping: number), ~Int32(clamping: text.count))
  }

  @inline(never)
  private init(
    _ status: Status, _ template: UnsafePointer<UInt8>, _ name: UnsafePointer<UInt8>, _ numberOrText: Int,
    _ placeOrHalf: Int32, _ limitOrCount: Int32
  ) {
    unsafe self.template = template
    self.numberOrText = numberOrText
    self.placeOrHalf = placeOrHalf
    self.limitOrCount = limitOrCount
    unsafe self.name = Int32(truncatingIfNeeded: name - template)
    statusAndItem = UInt32(UInt8(truncatingIfNeeded: status.rawValue))
  }

  static var outOfMemory: Failure { Failure(.memory, "out of memory") }

  var status: Status { Status(rawValue: prefop_status(Int8(truncatingIfNeeded: statusAndItem))) }

  /// Index of the item of a task that is at fault, if one is. One beyond
  /// sixteen millions is not told.
  var item: Int? {
    get { statusAndItem >> 8 == 0 ? nil : Int(statusAndItem >> 8) - 1 }
    set {
      statusAndItem &= 0xFF
      if let newValue, 0..<0xFF_FFFF ~= newValue { statusAndItem |= UInt32(newValue + 1) << 8 }
    }
  }

  /// The line, with "{name}", "{number}", "{limit}" and "{text}" filled in, or the
  /// end of the text for "{end}".
  func render(into message: inout Message) {
    if let item {
      message.append("items[")
      message.append(item)
      message.append("].")
    }
    let line = unsafe Self.span(template)
    var index = 0
    while index < line.count {
      let rest = line.extracting(index..<line.count)
      if rest.hasPrefix("{name}") {
        message.append(unsafe Self.span(template + Int(name)))
        index += 6
      } else if rest.hasPrefix("{number}") {
        message.append(hasText ? Int(placeOrHalf) : numberOrText)
        index += 8
      } else if rest.hasPrefix("{limit}") {
        message.append(hasText ? 0 : Int(UInt32(bitPattern: placeOrHalf)) << 31 | Int(limitOrCount))
        index += 7
      } else if rest.hasPrefix("{text}") {
        if let text = unsafe text { message.appendExcerpt(unsafe Span(_unsafeStart: text, count: Int(~limitOrCount))) }
        index += 6
      } else if rest.hasPrefix("{end}") {
        if let text = unsafe text { message.appendEnd(of: unsafe Span(_unsafeStart: text, count: Int(~limitOrCount))) }
        index += 5
      } else {
        message.append(line[index])
        index += 1
      }
    }
  }

  private var hasText: Bool { limitOrCount < 0 }
  private var text: UnsafePointer<UInt8>? { unsafe hasText ? UnsafePointer(bitPattern: numberOrText) : nil }

  @_lifetime(immortal)
  private static func span(_ text: UnsafePointer<UInt8>) -> Span<UInt8> {
    unsafe CText.span(UnsafeRawPointer(text).assumingMemoryBound(to: CChar.self))
  }
}

/// Runs what can only run out of memory, where that is one failure of several.
@inline(__always)
func orFailure<R: ~Copyable>(_ body: () throws(OutOfMemory) -> R) throws(Failure) -> R {
  do throws(OutOfMemory) {
    return try body()
  } catch {
    throw .outOfMemory
  }
}
