import CPlatform

/// What one thread waits for and another brings about, as a descriptor that
/// becomes readable.
struct Event: ~Copyable {
  private let owner: Descriptor

  init() throws(Failure) { owner = try Descriptor { eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)) } }

  var descriptor: Int32 { owner.number }

  static func raise(_ descriptor: Int32) { prefop_event_raise(descriptor) }

  /// Makes it unreadable again.
  static func lower(_ descriptor: Int32) {
    var count: eventfd_t = 0
    _ = unsafe eventfd_read(descriptor, &count)
  }
}
