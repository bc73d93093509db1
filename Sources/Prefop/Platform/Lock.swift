/// A value that one thread at a time may touch. No system call is made while it
/// is held, and no other lock is taken. A fork waits until it is free, so the
/// child finds the value whole.
struct Lock<Value: ~Copyable>: ~Copyable {
  private let mutex: ForkGuard
  private let storage: Box<Value>

  init(_ value: consuming Value) throws(OutOfMemory) {
    let storage = try Box(value)
    let mutex = try ForkGuard()
    self.storage = storage
    self.mutex = mutex
  }

  borrowing func withLock<R: ~Copyable, Problem: Error>(
    _ body: (inout Value) throws(Problem) -> R
  ) throws(Problem) -> R {
    mutex.enter()
    defer { mutex.leave() }
    return try body(&storage.value)
  }
}
