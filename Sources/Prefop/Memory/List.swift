import CPlatform

/// A growable array of elements that need not be copyable. Appending can fail,
/// and then changes nothing.
///
/// The preconditions keep a mistake in the library from reading or writing beyond
/// the memory. No input reaches them: an index is one of `indices`, or was checked
/// against them, and who appends where there is room has just made it.
@safe
struct List<Element: ~Copyable>: ~Copyable {
  private var storage: UnsafeMutablePointer<Element>?
  private(set) var count: Int
  private var capacity: Int

  init() {
    unsafe storage = nil
    count = 0
    capacity = 0
  }

  deinit {
    unsafe storage?.deinitialize(count: count)
    unsafe free(storage)
  }

  var isEmpty: Bool { count == 0 }
  var indices: Range<Int> { 0..<count }

  subscript(index: Int) -> Element {
    unsafeAddress {
      precondition(index >= 0 && index < count)
      return unsafe UnsafePointer(storage.unsafelyUnwrapped + index)
    }
    unsafeMutableAddress {
      precondition(index >= 0 && index < count)
      return unsafe storage.unsafelyUnwrapped + index
    }
  }

  /// Where an element is, for the addressors of what wraps a list.
  borrowing func address(at index: Int) -> UnsafePointer<Element> {
    precondition(index >= 0 && index < count)
    return unsafe UnsafePointer(storage.unsafelyUnwrapped + index)
  }

  mutating func reserve(_ additional: Int) throws(OutOfMemory) {
    let (needed, overflows) = count.addingReportingOverflow(additional)
    guard !overflows else { throw OutOfMemory() }
    guard needed > capacity else { return }
    let grown = grownCapacity(from: capacity, toHold: needed, atLeast: 4)
    let bytes = try byteCount(of: Element.self, count: grown)
    unsafe storage = try reallocate(storage, bytes).assumingMemoryBound(to: Element.self)
    capacity = grown
  }

  mutating func append(_ element: consuming Element) throws(OutOfMemory) {
    try reserve(1)
    unsafe (storage.unsafelyUnwrapped + count).initialize(to: element)
    count += 1
  }

  /// Appends where `reserve` has made room.
  mutating func appendReserved(_ element: consuming Element) {
    precondition(count < capacity)
    unsafe (storage.unsafelyUnwrapped + count).initialize(to: element)
    count += 1
  }

  mutating func popLast() -> Element? {
    guard count > 0 else { return nil }
    count -= 1
    return unsafe (storage.unsafelyUnwrapped + count).move()
  }

  /// Removes one element in constant time; the last one takes its place.
  mutating func swapRemove(at index: Int) -> Element {
    precondition(index >= 0 && index < count)
    count -= 1
    let base = unsafe storage.unsafelyUnwrapped
    let removed = unsafe (base + index).move()
    if index < count { unsafe (base + index).moveInitialize(from: base + count, count: 1) }
    return removed
  }

  mutating func removeAll() {
    unsafe storage?.deinitialize(count: count)
    count = 0
  }

  /// Gives memory back that one large use took, so that it is not kept forever.
  mutating func removeAll(keepingAtMost limit: Int) {
    removeAll()
    guard capacity > limit else { return }
    unsafe free(storage)
    unsafe storage = nil
    capacity = 0
  }

  /// Lends the elements as C sees them. Valid while `body` runs.
  mutating func withMutableBuffer<R>(_ body: (UnsafeMutableBufferPointer<Element>) -> R) -> R {
    unsafe body(UnsafeMutableBufferPointer(start: storage, count: count))
  }
}
