import CLibcurl
import CPlatform

/// libcurl's multi interface, driven by its socket and timer callbacks. Nothing
/// of it is changed while libcurl runs but its `state`, which see.
@safe
struct Multi: ~Copyable {
  private let handle: MultiHandle
  private let needsSignalGuard = Curl.needsSignalGuard

  /// Held around every step inside libcurl.
  let forkGuard: ForkGuard
  private let state: Box<MultiState>

  var isUsable: Bool { !state.value.isBroken && !state.value.isRetired && handle.isUsable }

  private var multi: UnsafeMutableRawPointer { unsafe handle.pointer }

  enum End {
    case finished(CURLcode)
    case deadline
    case interrupted
    case broken(isOutOfMemory: Bool)
  }

  init() throws(Failure) {
    let state = try orFailure { () throws(OutOfMemory) in
      var state = MultiState()
      try state.watched.reserve(4)
      return try Box(state)
    }
    let forkGuard = try orFailure { () throws(OutOfMemory) in try ForkGuard() }
    let handle = try MultiHandle()
    self.handle = handle
    self.forkGuard = forkGuard
    self.state = state
  }

  deinit { handle.close(forkGuard, needsSignalGuard: needsSignalGuard) }

  /// Tells libcurl of the callbacks; to be called before the first `run`.
  func configure() throws(Failure) {
    try unsafe handle.configure(
      state.rawAddress,
      { _, descriptor, what, context, _ in unsafe MultiState.watch(descriptor, what, context) },
      { _, milliseconds, context in unsafe MultiState.setTimer(milliseconds, context) })
  }

  /// Runs one transfer on the caller's thread, until it ends or the instant has come.
  func run(_ easy: UnsafeMutableRawPointer, until deadline: Instant, isInterruptible: Bool) -> End {
    SignalGuard.run(isNeeded: needsSignalGuard) {
      unsafe runGuarded(easy, until: deadline, isInterruptible: isInterruptible)
    }
  }

  private func runGuarded(
    _ easy: UnsafeMutableRawPointer, until deadline: Instant, isInterruptible: Bool
  ) -> End {
    forkGuard.enter()
    defer { forkGuard.leave() }
    state.value.now = Clock.now
    guard unsafe check(curl_multi_add_handle(multi, easy)) else { return broken }
    let end = wait(until: deadline, isInterruptible: isInterruptible)
    guard unsafe check(curl_multi_remove_handle(multi, easy)) else { return broken }
    return state.value.isBroken ? broken : end
  }

  private func wait(until deadline: Instant, isInterruptible: Bool) -> End {
    while true {
      if state.value.takeDueTimer() {
        guard act(on: CURL_SOCKET_TIMEOUT, events: 0) else { return broken }
      }
      if let code = finishedCode() { return .finished(code) }
      let now = state.value.now
      guard now < deadline else { return .deadline }
      var end = min(state.value.timer ?? deadline, deadline)
      let isConnecting = state.value.isConnecting
      if isConnecting { end = min(end, now.advanced(by: MultiHandle.pauseWhileConnecting)) }
      if end > now || !state.value.watched.isEmpty {
        forkGuard.leave()
        let wakening = unsafe state.value.watched.withMutableBuffer { unsafe Poller.wait($0, until: end, now: now) }
        forkGuard.enter()
        state.value.now = Clock.now
        switch wakening {
        case .ready: guard actOnReady() else { return broken }
        case .signal: if isInterruptible { return .interrupted }
        case .timedOut: if isConnecting, state.value.now < deadline { guard actOnAll() else { return broken } }
        case .failed: return broken
        }
      }
    }
  }

  private func actOnReady() -> Bool {
    while let ready = state.value.takeReady() {
      guard act(on: ready.descriptor, events: ready.events) else { return false }
    }
    guard state.value.needsSweep else { return true }
    state.value.needsSweep = false
    return actOnAll()
  }

  private func act(on descriptor: curl_socket_t, events: CInt) -> Bool {
    var running: CInt = 0
    return unsafe check(curl_multi_socket_action(multi, descriptor, events, &running))
  }

  /// When an address fails while libcurl 7.88 connects, it takes the next one of
  /// the same family only when it is called again, but asks for no call.
  private func actOnAll() -> Bool {
    var running: CInt = 0
    return unsafe check(prefop_curl_multi_socket_all(multi, &running))
  }

  private func finishedCode() -> CURLcode? {
    var left: CInt = 0
    while let message = unsafe curl_multi_info_read(multi, &left) {
      if unsafe message.pointee.msg == CURLMSG_DONE { return unsafe prefop_curl_message_result(message) }
    }
    return nil
  }

  /// The query under way is its last.
  func retire() { state.value.isRetired = true }

  private var broken: End { .broken(isOutOfMemory: state.value.wasOutOfMemory) }

  /// After any error of the multi interface the handle is done with: to go on
  /// after want of memory divides by zero inside libcurl 7.88.
  private func check(_ code: CURLMcode) -> Bool {
    guard code != CURLM_OK else { return true }
    state.value.isBroken = true
    if code == CURLM_OUT_OF_MEMORY { state.value.wasOutOfMemory = true }
    return false
  }
}
