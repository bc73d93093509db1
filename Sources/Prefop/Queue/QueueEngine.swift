import CLibcurl
import CPlatform

/// libcurl's multi interface for many transfers at once. It waits for nothing:
/// it is told which sockets are ready, and what the time is.
@safe
struct QueueEngine: ~Copyable {
  private let multi: MultiHandle
  private let watch: Box<SocketWatch>
  private let forkGuard: ForkGuard
  private let needsSignalGuard = Curl.needsSignalGuard

  /// When libcurl is called in any case, because it connects; see `Multi`.
  private var sweep: Instant?

  /// A transfer that ended.
  struct Finish {
    let slot: Int
    let code: CURLcode
  }

  /// `poller`: where sockets are watched.
  init(poller: Int32) throws(Failure) {
    let watch = try orFailure { () throws(OutOfMemory) in try Box(SocketWatch(poller: poller)) }
    let forkGuard = try orFailure { () throws(OutOfMemory) in try ForkGuard() }
    let multi = try MultiHandle()
    self.multi = multi
    self.watch = watch
    self.forkGuard = forkGuard
  }

  deinit { multi.close(forkGuard, needsSignalGuard: needsSignalGuard) }

  /// Tells libcurl of the callbacks, and how many connections to keep; to be
  /// called before all else.
  func configure(connections limit: Int) throws(Failure) {
    try multi.keep(connections: limit)
    try unsafe multi.configure(
      watch.rawAddress,
      { _, descriptor, what, context, _ in unsafe SocketWatch.watch(descriptor, what, context) },
      { _, milliseconds, context in unsafe SocketWatch.setTimer(milliseconds, context) })
  }

  var isUsable: Bool { !watch.value.isBroken && multi.isUsable }

  /// Who watches the sockets of a transfer.
  var watcher: UnsafeMutablePointer<SocketWatch> {
    unsafe watch.rawAddress.assumingMemoryBound(to: SocketWatch.self)
  }

  func hasConnection(to place: Int) -> Bool { watch.value.hasConnection(to: place) }

  /// Whether some request went out on its connection since this was asked last.
  func takeBegunRequest() -> Bool {
    defer { watch.value.hasBegunRequest = false }
    return watch.value.hasBegunRequest
  }

  /// The instant of what happens from now on.
  func setTime(_ now: Instant) { watch.value.now = now }

  /// Runs `body` inside libcurl.
  func inside<R: ~Copyable, Problem: Error>(_ body: () throws(Problem) -> R) throws(Problem) -> R {
    forkGuard.enter()
    defer { forkGuard.leave() }
    return try body()
  }

  /// Begins a transfer. Should that fail, `isUsable` tells.
  func add(_ easy: UnsafeMutableRawPointer) {
    guarded { _ = unsafe check(curl_multi_add_handle(multi.pointer, easy)) }
  }

  func remove(_ easy: UnsafeMutableRawPointer) {
    guarded { _ = unsafe check(curl_multi_remove_handle(multi.pointer, easy)) }
  }

  /// When libcurl is to be called next, should no socket be ready before.
  var due: Instant? {
    guard let timer = watch.value.timer else { return sweep }
    return sweep.map { min($0, timer) } ?? timer
  }

  /// Does what is due.
  mutating func step() {
    let now = watch.value.now
    if watch.value.takeDueTimer() {
      guarded { _ = act(on: CURL_SOCKET_TIMEOUT, 0) }
    }
    if watch.value.needsSweep || sweep.map({ $0 <= now }) == true {
      watch.value.needsSweep = false
      guarded {
        var running: CInt = 0
        _ = unsafe check(prefop_curl_multi_socket_all(multi.pointer, &running))
      }
      sweep = nil
    }
    if !watch.value.isConnecting {
      sweep = nil
    } else if sweep == nil {
      sweep = now.advanced(by: MultiHandle.pauseWhileConnecting)
    }
  }

  /// Milliseconds after which the events that are left wait for the next time:
  /// many handshakes take long.
  private static var longestAct: Int64 { 5 }

  /// Takes the events that a poller found; `notice` is told of those that are of
  /// no socket.
  func act(on poller: inout QueuePoller, count: Int, _ notice: (QueuePoller.Notice) -> Void) {
    let start = watch.value.now
    guarded {
      for index in 0..<count {
        let event = poller.event(at: index)
        if let taken = poller.takeNotice(event.descriptor) {
          notice(taken)
        } else if let told = watch.value.fired(event.descriptor, event.bits) {
          guard act(on: event.descriptor, told), start.milliseconds(until: Clock.now) < Self.longestAct else { return }
        }
      }
    }
  }

  /// Appends the transfers that ended; there must be room for all.
  @inline(never)
  func collect(into finished: inout List<Finish>) {
    guarded {
      var left: CInt = 0
      while let message = unsafe curl_multi_info_read(multi.pointer, &left) {
        guard unsafe message.pointee.msg == CURLMSG_DONE,
          let slot = unsafe Transfer.slot(of: message.pointee.easy_handle)
        else { continue }
        finished.appendReserved(Finish(slot: slot, code: unsafe prefop_curl_message_result(message)))
      }
    }
  }

  private func act(on descriptor: curl_socket_t, _ events: CInt) -> Bool {
    var running: CInt = 0
    return unsafe check(curl_multi_socket_action(multi.pointer, descriptor, events, &running))
  }

  @inline(never)
  private func guarded(_ body: () -> Void) {
    forkGuard.enter()
    defer { forkGuard.leave() }
    SignalGuard.run(isNeeded: needsSignalGuard, body)
  }

  /// After any error of the multi interface the handle is done with, see `Multi`.
  private func check(_ code: CURLMcode) -> Bool {
    guard code != CURLM_OK else { return true }
    watch.value.isBroken = true
    return false
  }
}
