import CPlatform

/// A value that one thread at a time may touch. No system call is made while it
/// is held, and no other lock is taken. A fork waits until it is free, so the
/// child finds the value whole.
@safe
struct Lock<Value: ~Copyable>: ~Copyable {
  @safe
  private struct Storage: ~Copyable {
    var mutex: pthread_mutex_t
    var value: Value
  }

  private let storage: Box<Storage>

  init(_ value: consuming Value) throws(OutOfMemory) {
    storage = try Self.registered(unsafe Box(Storage(mutex: pthread_mutex_t(), value: value)))
  }

  private static func registered(_ storage: consuming Box<Storage>) throws(OutOfMemory) -> Box<Storage> {
    unsafe pthread_mutex_init(&storage.value.mutex, nil)
    try unsafe Process.remember(lock: &storage.value.mutex)
    return storage
  }

  deinit {
    unsafe Process.forget(lock: &storage.value.mutex)
    unsafe pthread_mutex_destroy(&storage.value.mutex)
  }

  borrowing func withLock<R: ~Copyable, Problem: Error>(
    _ body: (inout Value) throws(Problem) -> R
  ) throws(Problem) -> R {
    unsafe pthread_mutex_lock(&storage.value.mutex)
    defer { unsafe pthread_mutex_unlock(&storage.value.mutex) }
    return try body(&storage.value.value)
  }
}
