import CCrypto
import CPlatform

/// Growable bytes. Appending can fail, and then changes nothing.
///
/// The preconditions keep a mistake in the library from writing beyond the
/// memory. No input reaches them: who appends where there is room has just made it.
@safe
struct Bytes: ~Copyable {
  private var storage: UnsafeMutablePointer<UInt8>?
  private(set) var count: Int
  private var capacity: Int

  init() {
    unsafe storage = nil
    count = 0
    capacity = 0
  }

  init(copying bytes: Span<UInt8>) throws(OutOfMemory) {
    self.init()
    try append(bytes)
  }

  deinit { unsafe free(storage) }

  var isEmpty: Bool { count == 0 }

  var span: Span<UInt8> {
    @_lifetime(borrow self)
    get {
      let buffer = unsafe UnsafeBufferPointer(start: storage, count: count)
      return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
    }
  }

  /// Lends the address of the first byte. Valid while `body` runs.
  borrowing func withAddress<R>(_ body: (UnsafeMutablePointer<UInt8>?) -> R) -> R {
    unsafe body(storage)
  }

  /// Lends the bytes as a C string; they must end with a NUL of their own.
  borrowing func withCString<R>(_ body: (UnsafePointer<CChar>?) -> R) -> R {
    unsafe body(UnsafeRawPointer(storage)?.assumingMemoryBound(to: CChar.self))
  }

  mutating func reserve(_ additional: Int) throws(OutOfMemory) {
    let (needed, overflows) = count.addingReportingOverflow(additional)
    guard !overflows else { throw OutOfMemory() }
    guard needed > capacity else { return }
    let grown = grownCapacity(from: capacity, toHold: needed, atLeast: 64)
    unsafe storage = try reallocate(storage, grown).assumingMemoryBound(to: UInt8.self)
    capacity = grown
  }

  mutating func append(_ byte: UInt8) throws(OutOfMemory) {
    try reserve(1)
    unsafe storage.unsafelyUnwrapped[count] = byte
    count += 1
  }

  mutating func append(_ bytes: Span<UInt8>) throws(OutOfMemory) {
    guard !bytes.isEmpty else { return }
    try reserve(bytes.count)
    unsafe bytes.withUnsafeBufferPointer { source in
      _ = unsafe memcpy(storage.unsafelyUnwrapped + count, source.baseAddress.unsafelyUnwrapped, source.count)
    }
    count += bytes.count
  }

  mutating func append(_ text: StaticString) throws(OutOfMemory) {
    try append(text.span)
  }

  /// Appends where `reserve` has made room.
  @inline(__always)
  mutating func appendReserved(_ byte: UInt8) {
    precondition(count < capacity)
    unsafe storage.unsafelyUnwrapped[count] = byte
    count += 1
  }

  /// Appends where `reserve` has made room.
  @inline(__always)
  mutating func appendReserved(_ bytes: Span<UInt8>) {
    precondition(bytes.count <= capacity - count)
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress else { return }
      _ = unsafe memcpy(storage.unsafelyUnwrapped + count, start, source.count)
    }
    count += bytes.count
  }

  /// Overwrites bytes that are there already.
  mutating func replace(at offset: Int, with bytes: Span<UInt8>) {
    guard offset >= 0, offset <= count, bytes.count <= count - offset, !bytes.isEmpty else { return }
    unsafe bytes.withUnsafeBufferPointer { source in
      _ = unsafe memcpy(storage.unsafelyUnwrapped + offset, source.baseAddress.unsafelyUnwrapped, source.count)
    }
  }

  mutating func removeAll() { count = 0 }

  /// Gives memory back that one large use took, so that it is not kept forever.
  mutating func removeAll(keepingAtMost limit: Int) {
    count = 0
    guard capacity > limit else { return }
    unsafe free(storage)
    unsafe storage = nil
    capacity = 0
  }

  /// Overwrites all of the memory with zeros; no optimiser leaves that out.
  borrowing func wipe() {
    if let storage = unsafe storage { unsafe OPENSSL_cleanse(storage, capacity) }
  }

  /// Hands the storage to the caller, who frees it with `free`.
  mutating func takeStorage() -> UnsafeMutablePointer<UInt8>? {
    let taken = unsafe storage
    unsafe storage = nil
    count = 0
    capacity = 0
    return unsafe taken
  }
}
