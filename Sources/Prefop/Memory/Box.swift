import CPlatform

/// One value at an address that never changes, so that C may keep it.
@safe
struct Box<Value: ~Copyable>: ~Copyable {
  private let address: UnsafeMutablePointer<Value>

  init(_ value: consuming Value) throws(OutOfMemory) {
    let memory = try unsafe allocate(MemoryLayout<Value>.size)
    unsafe address = memory.bindMemory(to: Value.self, capacity: 1)
    unsafe address.initialize(to: value)
  }

  deinit {
    unsafe address.deinitialize(count: 1)
    unsafe free(address)
  }

  var value: Value {
    unsafeAddress { unsafe UnsafePointer(address) }
    nonmutating unsafeMutableAddress { unsafe address }
  }

  /// What C is given.
  var rawAddress: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(address) }
}
