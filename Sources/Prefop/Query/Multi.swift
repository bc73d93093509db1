import CLibcurl
import CPlatform

/// libcurl's multi interface, driven by its socket and timer callbacks. It
/// stays at one address, which libcurl hands to the callbacks.
@safe
struct Multi: ~Copyable {
  private let multi: UnsafeMutableRawPointer
  private let wakeupPair: (Int32, Int32)?
  private let needsSignalGuard = Curl.needsSignalGuard

  /// Held around every step inside libcurl.
  let forkGuard: ForkGuard
  private var watched = List<pollfd>()
  private var timer: Instant?

  /// The instant of the call under way, so that the timer callback needs no clock.
  private var now = Instant(milliseconds: 0)

  /// libcurl lost its way: the handle must not be used again.
  private var isBroken = false

  var isUsable: Bool { !isBroken && generation == Process.generation }

  /// The process whose connections the handle holds.
  private let generation = Process.generation

  enum End: Equatable {
    case finished(CURLcode)
    case deadline
    case interrupted
    case broken(isOutOfMemory: Bool)

    static func == (a: End, b: End) -> Bool {
      switch (a, b) {
      case (.finished(let a), .finished(let b)): a == b
      case (.deadline, .deadline), (.interrupted, .interrupted): true
      case (.broken(let a), .broken(let b)): a == b
      default: false
      }
    }
  }

  init() throws(Failure) {
    let forkGuard = try orFailure { () throws(OutOfMemory) in try ForkGuard() }
    let (multi, wakeupPair) = try unsafe Self.makeHandle()
    unsafe self.multi = multi
    self.wakeupPair = wakeupPair
    self.forkGuard = forkGuard
  }

  /// One at a time in the process, so that no two searches see each other's
  /// pairs, and no fork comes before the pair is known.
  private static func makeHandle() throws(Failure) -> (UnsafeMutableRawPointer, (Int32, Int32)?) {
    try unsafe Process.withState(orFailing: { _ in .outOfMemory }) { state throws(Failure) in
      let search = WakeupPairSearch()
      guard let multi = unsafe curl_multi_init() else { throw .outOfMemory }
      let pair = unsafe search.pair(of: multi)
      do throws(OutOfMemory) {
        if let pair {
          try state.remember(descriptor: pair.0)
          try state.remember(descriptor: pair.1)
        }
      } catch {
        if let pair { state.forget(descriptor: pair.0) }
        unsafe curl_multi_cleanup(multi)
        throw .outOfMemory
      }
      return unsafe (multi, pair)
    }
  }

  deinit {
    // In a forked child the handle is left alone, as that of a `Transfer`.
    guard generation == Process.generation else { return }
    forkGuard.enter()
    defer { forkGuard.leave() }
    if let wakeupPair {
      Process.forget(descriptor: wakeupPair.0)
      Process.forget(descriptor: wakeupPair.1)
    }
    SignalGuard.run(isNeeded: needsSignalGuard) { unsafe _ = curl_multi_cleanup(multi) }
  }

  /// To be called at the handle's final address.
  mutating func configure(at address: UnsafeMutableRawPointer) throws(Failure) {
    do throws(OutOfMemory) {
      try watched.reserve(4)
    } catch {
      throw .outOfMemory
    }
    let results = unsafe (
      prefop_curl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, address),
      prefop_curl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, address),
      prefop_curl_multi_set_socket_function(multi) { _, descriptor, what, context, _ in
        unsafe Multi.watch(descriptor, what, context)
      },
      prefop_curl_multi_set_timer_function(multi) { _, milliseconds, context in
        unsafe Multi.setTimer(milliseconds, context)
      }
    )
    guard results == (CURLM_OK, CURLM_OK, CURLM_OK, CURLM_OK) else { throw .outOfMemory }
  }

  /// Runs one transfer on the caller's thread, until it ends or the instant has come.
  mutating func run(_ easy: UnsafeMutableRawPointer, until deadline: Instant, isInterruptible: Bool) -> End {
    SignalGuard.run(isNeeded: needsSignalGuard) {
      unsafe runGuarded(easy, until: deadline, isInterruptible: isInterruptible)
    }
  }

  private mutating func runGuarded(
    _ easy: UnsafeMutableRawPointer, until deadline: Instant, isInterruptible: Bool
  ) -> End {
    forkGuard.enter()
    defer { forkGuard.leave() }
    now = Clock.now
    guard unsafe check(curl_multi_add_handle(multi, easy)) else { return broken }
    let end = wait(until: deadline, isInterruptible: isInterruptible)
    guard unsafe check(curl_multi_remove_handle(multi, easy)) else { return broken }
    return isBroken ? broken : end
  }

  private mutating func wait(until deadline: Instant, isInterruptible: Bool) -> End {
    while true {
      if let timer, timer <= now {
        self.timer = nil
        guard act(on: CURL_SOCKET_TIMEOUT, events: 0) else { return broken }
      }
      if let code = finishedCode() { return .finished(code) }
      guard now < deadline else { return .deadline }
      let end = min(timer ?? deadline, deadline)
      if end > now || !watched.isEmpty {
        let start = now
        forkGuard.leave()
        let wakening = unsafe watched.withMutableBuffer { unsafe Poller.wait($0, until: end, now: start) }
        forkGuard.enter()
        now = Clock.now
        switch wakening {
        case .ready: guard actOnReady() else { return broken }
        case .signal: if isInterruptible { return .interrupted }
        case .timedOut: break
        case .failed: return broken
        }
      }
    }
  }

  private mutating func actOnReady() -> Bool {
    // libcurl may change the list while it acts: go by descriptor, not by place.
    var index = 0
    while index < watched.count {
      let entry = watched[index]
      watched[index].revents = 0
      if entry.revents != 0 {
        var events: CInt = 0
        if entry.revents & Int16(POLLIN | POLLHUP) != 0 { events |= CURL_CSELECT_IN }
        if entry.revents & Int16(POLLOUT) != 0 { events |= CURL_CSELECT_OUT }
        if entry.revents & Int16(POLLERR | POLLNVAL) != 0 { events |= CURL_CSELECT_ERR }
        guard act(on: entry.fd, events: events) else { return false }
      }
      index += 1
    }
    return true
  }

  private mutating func act(on descriptor: curl_socket_t, events: CInt) -> Bool {
    var running: CInt = 0
    return unsafe check(curl_multi_socket_action(multi, descriptor, events, &running))
  }

  private mutating func finishedCode() -> CURLcode? {
    var left: CInt = 0
    while let message = unsafe curl_multi_info_read(multi, &left) {
      if unsafe message.pointee.msg == CURLMSG_DONE { return unsafe prefop_curl_message_result(message) }
    }
    return nil
  }

  private var wasOutOfMemory = false
  private var broken: End { .broken(isOutOfMemory: wasOutOfMemory) }

  /// After any error of the multi interface the handle is done with: to go on
  /// after want of memory divides by zero inside libcurl 7.88.
  private mutating func check(_ code: CURLMcode) -> Bool {
    guard code != CURLM_OK else { return true }
    isBroken = true
    if code == CURLM_OUT_OF_MEMORY { wasOutOfMemory = true }
    return false
  }

  // MARK: Callbacks

  private static func watch(_ descriptor: curl_socket_t, _ what: CInt, _ context: UnsafeMutableRawPointer?) -> CInt {
    guard let context = unsafe context else { return -1 }
    return unsafe context.assumingMemoryBound(to: Multi.self).pointee.watch(descriptor, what) ? 0 : -1
  }

  private mutating func watch(_ descriptor: curl_socket_t, _ what: CInt) -> Bool {
    let known = index(of: descriptor)
    if what == CURL_POLL_REMOVE {
      if let known { _ = watched.swapRemove(at: known) }
      return true
    }
    var events: CInt = 0
    if what & CURL_POLL_IN != 0 { events |= POLLIN }
    if what & CURL_POLL_OUT != 0 { events |= POLLOUT }
    if let known {
      watched[known].events = Int16(events)
      return true
    }
    do throws(OutOfMemory) {
      try watched.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
      return true
    } catch {
      wasOutOfMemory = true
      isBroken = true
      return false
    }
  }

  private func index(of descriptor: curl_socket_t) -> Int? {
    for index in watched.indices where watched[index].fd == descriptor { return index }
    return nil
  }

  private static func setTimer(_ milliseconds: Int, _ context: UnsafeMutableRawPointer?) -> CInt {
    guard let context = unsafe context else { return -1 }
    let multi = unsafe context.assumingMemoryBound(to: Multi.self)
    unsafe multi.pointee.timer = milliseconds < 0 ? nil : multi.pointee.now.advanced(by: Int64(milliseconds))
    return 0
  }
}
