import CCrypto
import CPlatform

/// Bytes that are wiped before their memory is given back. Not growable: a
/// reallocation would leave a copy behind.
@safe
struct Secret: ~Copyable {
  private struct Header {
    var count: Int
    let capacity: Int
  }

  /// The header, and the bytes behind it.
  private var block: UnsafeMutablePointer<Header>?

  init() { unsafe block = nil }

  /// Empty, with room for so many bytes.
  init(capacity: Int) throws(OutOfMemory) {
    let memory = try unsafe allocate(MemoryLayout<Header>.size + capacity)
    let block = unsafe memory.bindMemory(to: Header.self, capacity: 1)
    unsafe block.initialize(to: Header(count: 0, capacity: capacity))
    unsafe self.block = unsafe block
  }

  init(copying source: Span<UInt8>) throws(OutOfMemory) {
    try self.init(capacity: source.count)
    for index in source.indices { appendReserved(source[index]) }
  }

  deinit { unsafe Self.release(block) }

  @inline(never)
  private static func release(_ block: UnsafeMutablePointer<Header>?) {
    guard let block = unsafe block else { return }
    unsafe OPENSSL_cleanse(block, MemoryLayout<Header>.size + block.pointee.capacity)
    unsafe free(block)
  }

  var isEmpty: Bool { count == 0 }
  var count: Int { unsafe block?.pointee.count ?? 0 }

  /// Wipes memory of somebody else.
  static func wipe(_ start: UnsafePointer<UInt8>, _ count: Int) {
    unsafe OPENSSL_cleanse(UnsafeMutableRawPointer(mutating: start), count)
  }

  var span: Span<UInt8> {
    @_lifetime(borrow self)
    get {
      let buffer = unsafe UnsafeBufferPointer(start: start, count: count)
      return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
    }
  }

  private var start: UnsafeMutablePointer<UInt8>? {
    guard let block = unsafe block else { return nil }
    return unsafe UnsafeMutableRawPointer(block + 1).assumingMemoryBound(to: UInt8.self)
  }

  // MARK: Filling

  /// Appends where there is room.
  @inline(never)
  mutating func appendReserved(_ byte: UInt8) {
    _ = unsafe appendReserved(upTo: 1) { place, _ in
      unsafe place.storeBytes(of: byte, as: UInt8.self)
      return 1
    }
  }

  /// Lets `body` write up to `limit` bytes where there is room; returns what it
  /// does, which is how many it wrote, or negative. The precondition is as those
  /// of `Bytes`.
  mutating func appendReserved(upTo limit: Int, _ body: (UnsafeMutableRawPointer, Int) -> Int) -> Int {
    let room = unsafe block.map { unsafe $0.pointee.capacity - $0.pointee.count } ?? 0
    precondition(limit <= room)
    guard let block = unsafe block, let start = unsafe start else { return 0 }
    let written = unsafe body(start + block.pointee.count, limit)
    unsafe block.pointee.count += min(max(written, 0), limit)
    return written
  }

  /// Keeps the first bytes.
  mutating func removeAll(from count: Int) {
    if let block = unsafe block, 0..<self.count ~= count { unsafe block.pointee.count = count }
  }
}
