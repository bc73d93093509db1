import CPlatform

/// What one thread waits for and another brings about, as a descriptor that
/// becomes readable.
struct Event: ~Copyable {
  let descriptor: Int32

  /// The process that it was made in; a forked child does not have it.
  private let generation = Process.generation

  init() throws(Failure) {
    let descriptor = try orFailure { () throws(OutOfMemory) in
      try Process.open { eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)) }
    }
    guard descriptor >= 0 else {
      throw Failure(.system, "no file descriptor is left (errno {number})", number: Int(prefop_errno()))
    }
    self.descriptor = descriptor
  }

  deinit {
    if descriptor >= 0, generation == Process.generation { _ = Process.close(descriptor) }
  }

  static func raise(_ descriptor: Int32) { prefop_event_raise(descriptor) }

  /// Makes it unreadable again.
  static func lower(_ descriptor: Int32) {
    var count: eventfd_t = 0
    _ = unsafe eventfd_read(descriptor, &count)
  }
}
