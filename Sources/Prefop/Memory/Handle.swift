import CPlatform

/// A value behind an opaque pointer of the C interface.
@safe
enum Handle<Value: ~Copyable> {
  static func make(_ value: consuming Value) throws(OutOfMemory) -> OpaquePointer {
    let memory = try unsafe allocate(MemoryLayout<Value>.size)
    unsafe memory.bindMemory(to: Value.self, capacity: 1).initialize(to: value)
    return OpaquePointer(memory)
  }

  static func value(of handle: OpaquePointer) -> UnsafeMutablePointer<Value> {
    unsafe UnsafeMutablePointer<Value>(handle)
  }

  static func destroy(_ handle: OpaquePointer) {
    unsafe value(of: handle).deinitialize(count: 1)
    unsafe free(UnsafeMutableRawPointer(handle))
  }
}
