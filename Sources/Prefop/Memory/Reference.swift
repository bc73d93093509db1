/// A value that lives at a fixed address for longer than the reference to it:
/// whoever makes one sees to that.
@safe
struct Reference<Value: ~Copyable> {
  private let address: UnsafeMutablePointer<Value>

  init(_ address: UnsafeMutablePointer<Value>) { unsafe self.address = unsafe address }

  init(_ box: borrowing Box<Value>) {
    unsafe address = box.rawAddress.assumingMemoryBound(to: Value.self)
  }

  var value: Value {
    unsafeAddress { unsafe UnsafePointer(address) }
    nonmutating unsafeMutableAddress { unsafe address }
  }

  var pointer: UnsafeMutablePointer<Value> { unsafe address }
}

/// The same to a value that several threads have at once, and that only its own
/// locks let them change.
@safe
struct SharedReference<Value: ~Copyable> {
  private let address: UnsafePointer<Value>

  init(_ address: UnsafePointer<Value>) { unsafe self.address = unsafe address }

  var value: Value {
    unsafeAddress { unsafe address }
  }
}
