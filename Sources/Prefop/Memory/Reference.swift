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
