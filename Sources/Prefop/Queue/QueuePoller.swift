import CPlatform

/// The descriptor that a program can poll. In it are libcurl's sockets, a
/// wakeup, the end of somebody's query for regions, and a timer for what no
/// socket tells.
@safe
struct QueuePoller: ~Copyable {
  enum Wakening {
    case ready(count: Int)
    case signal
    case failed
  }

  private let epoll: Descriptor
  private let wakeup: Event
  private let regions: Event

  /// Made when the program asks for the descriptor.
  private var timer: Descriptor?
  private var timerNumber: Int32?

  /// When the timer makes the descriptor readable; nil: not at all.
  private var armed: Instant?

  private let events: Box<InlineArray<64, epoll_event>>

  private static var eventLimit: Int { 64 }

  /// How much is done at once; in an event loop less, since there others wait for
  /// their turn.
  var batchLimit: Int { isShared ? Self.eventLimit / 2 : Self.eventLimit }

  init() throws(Failure) {
    let events = try unsafe orFailure { () throws(OutOfMemory) in
      try unsafe Box(InlineArray<64, epoll_event>(repeating: epoll_event()))
    }
    let epoll = try Descriptor { prefop_epoll_create() }
    let wakeup = try Event()
    let regions = try Event()
    try Self.watch(wakeup.descriptor, in: epoll.number)
    try Self.watch(regions.descriptor, in: epoll.number)
    self.epoll = epoll
    self.wakeup = wakeup
    self.regions = regions
    unsafe self.events = unsafe events
  }

  private static func watch(_ descriptor: Int32, in epoll: Int32) throws(Failure) {
    guard prefop_epoll_change(epoll, EPOLL_CTL_ADD, descriptor, UInt32(POLLIN)) == 0 else {
      throw Failure(.system, "a descriptor cannot be watched (errno {number})", number: Int(prefop_errno()))
    }
  }

  var descriptor: Int32 { epoll.number }
  var wakeupDescriptor: Int32 { wakeup.descriptor }
  var regionsDescriptor: Int32 { regions.descriptor }

  /// Whether somebody else may be polling the descriptor.
  var isShared: Bool { timerNumber != nil }

  mutating func share() throws(Failure) {
    guard timerNumber == nil else { return }
    let made = try Descriptor { prefop_timer_create() }
    try Self.watch(made.number, in: epoll.number)
    timerNumber = made.number
    timer = consume made
  }

  /// Sees to it that the descriptor is readable from that moment on. A timer that
  /// comes too early is left as it is: it costs one needless call at most.
  mutating func arm(for moment: Instant?, now: Instant) {
    guard let number = timerNumber else { return }
    if let moment, moment != .never {
      if let armed, armed <= moment, armed > now || moment <= now { return }
      // A moment of 0 would disarm it.
      guard prefop_timer_set(number, max(1, moment.milliseconds)) == 0 else { return }
      armed = moment
    } else if let armed, armed <= now {
      disarm(number)
    }
  }

  /// Forgets a wakeup that nobody has noticed.
  func dropWakeup() { Event.lower(wakeup.descriptor) }

  private mutating func disarm(_ number: Int32) {
    _ = prefop_timer_set(number, 0)
    armed = nil
  }

  /// Waits until something is ready or the instant has come.
  func wait(until end: Instant, now: Instant) -> Wakening {
    let timeout = end == .never ? -1 : CInt(clamping: now.milliseconds(until: end))
    let count = unsafe epoll_wait(epoll.number, eventAddress, CInt(batchLimit), timeout)
    if count >= 0 { return .ready(count: Int(count)) }
    return prefop_errno() == EINTR ? .signal : .failed
  }

  /// One of the events that `wait` found. The precondition keeps a mistake in the
  /// library from reading beyond them; `wait` tells no more than there can be.
  func event(at index: Int) -> (descriptor: Int32, bits: UInt32) {
    precondition(0..<Self.eventLimit ~= index)
    let event = unsafe eventAddress + index
    return unsafe (prefop_event_descriptor(event), prefop_event_bits(event))
  }

  private var eventAddress: UnsafeMutablePointer<epoll_event> {
    unsafe events.rawAddress.assumingMemoryBound(to: epoll_event.self)
  }

  /// What a descriptor that is ready, and is no socket, has to say.
  enum Notice {
    case wakeup
    case regions
    case timer
  }

  /// Takes the notice, so that the descriptor is not ready any more; nil: it is
  /// a socket.
  mutating func takeNotice(_ descriptor: Int32) -> Notice? {
    if descriptor == wakeup.descriptor {
      Event.lower(descriptor)
      return .wakeup
    }
    if descriptor == regions.descriptor {
      Event.lower(descriptor)
      return .regions
    }
    if let number = timerNumber, descriptor == number {
      disarm(number)
      return .timer
    }
    return nil
  }
}
