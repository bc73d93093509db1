import CPlatform

/// Waiting with poll(2) on the caller's thread.
enum Poller {
  enum Wakening {
    case ready
    case timedOut
    case signal
    case failed
  }

  /// Waits until a descriptor is ready or the instant has come. Shortened to
  /// what poll can count, so the caller looks at the clock again.
  @inline(never)
  static func wait(
    _ descriptors: UnsafeMutableBufferPointer<pollfd>, until end: Instant, now: Instant
  ) -> Wakening {
    let timeout = end == .never ? -1 : CInt(clamping: now.milliseconds(until: end))
    let count = unsafe poll(descriptors.baseAddress, nfds_t(descriptors.count), timeout)
    if count > 0 { return .ready }
    if count == 0 { return .timedOut }
    return prefop_errno() == EINTR ? .signal : .failed
  }

  /// Waits for one descriptor.
  @inline(never)
  static func wait(for descriptor: Int32, until end: Instant, isInterruptible: Bool) -> Wakening {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while true {
      let now = Clock.now
      guard now < end else { return .timedOut }
      let wakening = unsafe withUnsafeMutablePointer(to: &entry) { entry in
        unsafe wait(UnsafeMutableBufferPointer(start: entry, count: 1), until: end, now: now)
      }
      switch wakening {
      case .ready, .failed: return wakening
      case .signal: if isInterruptible { return .signal }
      case .timedOut: break
      }
    }
  }

  /// Does nothing until the instant; false when a signal came before.
  @inline(never)
  static func sleep(until end: Instant, isInterruptible: Bool) -> Bool {
    let none = unsafe UnsafeMutableBufferPointer<pollfd>(start: nil, count: 0)
    while true {
      let now = Clock.now
      guard now < end else { return true }
      if unsafe wait(none, until: end, now: now) == .signal, isInterruptible { return false }
    }
  }
}
