import CPlatform

/// One value at an address that never changes, so that C may keep it.
@safe
struct Box<Value: ~Copyable>: ~Copyable {
  private let storage: UnsafeMutablePointer<Value>

  init(_ value: consuming Value) throws(OutOfMemory) {
    let memory = try unsafe allocate(MemoryLayout<Value>.size)
    unsafe storage = memory.bindMemory(to: Value.self, capacity: 1)
    unsafe storage.initialize(to: value)
  }

  deinit {
    unsafe storage.deinitialize(count: 1)
    unsafe free(storage)
  }

  var value: Value {
    unsafeAddress { unsafe UnsafePointer(storage) }
    nonmutating unsafeMutableAddress { unsafe storage }
  }

  /// What C is given.
  var rawAddress: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(storage) }

  /// For the addressors of what wraps a box.
  var address: UnsafePointer<Value> { unsafe UnsafePointer(storage) }
}
