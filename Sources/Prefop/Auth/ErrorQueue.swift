import CCrypto

/// The thread's queue of libcrypto errors, which belongs to the program: a TLS
/// connection of ours empties it and may leave errors of its own there.
@safe
struct ErrorQueue: ~Copyable {
  private struct Entry {
    var code: UInt
    var line: CInt
    /// Where each text begins among the texts, if there is one.
    var file: Int?
    var function: Int?
    var data: Int?
  }

  private var entries = List<Entry>()
  private var texts = Bytes()

  /// libcrypto keeps no more.
  private static var longestQueue: Int { 16 }

  /// A file, a function and data of ordinary length.
  private static var longestEntry: Int { 256 }

  /// Takes the program's errors away, to be put back at the end. The queue is
  /// nearly always empty, and then this costs nothing.
  init() throws(OutOfMemory) {
    if ERR_peek_error() != 0 { try takeAll() }
  }

  @inline(never)
  private mutating func takeAll() throws(OutOfMemory) {
    // Room first: what has been taken must be kept.
    try entries.reserve(Self.longestQueue)
    try texts.reserve(Self.longestQueue * Self.longestEntry)
    while entries.count < Self.longestQueue, try takeOne() {}
  }

  /// Puts back what was there, and nothing else.
  @inline(never)
  mutating func restore() {
    if ERR_peek_error() != 0 { ERR_clear_error() }
    for index in entries.indices { raise(entries[index]) }
    entries.removeAll()
  }

  @inline(never)
  private mutating func takeOne() throws(OutOfMemory) -> Bool {
    var file: UnsafePointer<CChar>?
    var function: UnsafePointer<CChar>?
    var data: UnsafePointer<CChar>?
    var line: CInt = 0
    var flags: CInt = 0
    let code = unsafe ERR_get_error_all(&file, &line, &function, &data, &flags)
    guard code != 0 else { return false }
    let entry = Entry(
      code: code, line: line, file: try unsafe keep(file), function: try unsafe keep(function),
      data: flags & ERR_TXT_STRING != 0 ? try unsafe keep(data) : nil)
    try entries.append(entry)
    return true
  }

  @inline(never)
  private mutating func keep(_ text: UnsafePointer<CChar>?) throws(OutOfMemory) -> Int? {
    guard let text = unsafe text else { return nil }
    let start = texts.count
    try texts.append(unsafe CText.span(text))
    try texts.append(0)
    return start
  }

  @inline(never)
  private func raise(_ entry: Entry) {
    unsafe texts.withCString { start in
      func text(_ offset: Int?) -> UnsafePointer<CChar>? {
        guard let offset, let start = unsafe start else { return nil }
        return unsafe start + offset
      }
      ERR_new()
      unsafe ERR_set_debug(text(entry.file), entry.line, text(entry.function))
      unsafe prefop_crypto_raise(entry.code, text(entry.data))
    }
  }
}
