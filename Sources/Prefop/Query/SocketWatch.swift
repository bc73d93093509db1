import CLibcurl
import CPlatform

/// Which sockets of many transfers are watched, as libcurl's callbacks want it,
/// and when libcurl wants to be called.
///
/// A socket that libcurl is done with for now is left where it is: the next
/// request on its connection needs no system call to have it watched again. It
/// goes when it is closed, or when it becomes ready while nobody wants it.
///
/// It is touched only in short accesses, as `MultiState`, and for the same reason.
struct SocketWatch: ~Copyable {
  private struct Socket {
    /// What libcurl waits for, and what the system was told: bits of POLLIN and
    /// POLLOUT.
    var wanted: UInt8 = 0
    var registered: UInt8 = 0

    /// Made by our callback, so its end will be told by one as well.
    var isOurs = false

    /// The place of its host, while it counts among that host's connections.
    var place: UInt8?
  }

  private let poller: Int32

  /// By descriptor.
  private var sockets = List<Socket>()

  /// How many connections each host has.
  private var connections = InlineArray<256, Int32>(repeating: 0)

  /// How many sockets libcurl waits to write to.
  private var writers = 0

  var timer: Instant?

  /// The instant of the step under way, so that the timer callback needs no clock.
  var now = Instant(milliseconds: 0)

  /// A connection attempt ended: libcurl is to be called once more, see `Multi`.
  var needsSweep = false

  /// A request is about to go out.
  var hasBegunRequest = false

  /// libcurl lost its way: the handle must not be used again.
  var isBroken = false

  init(poller: Int32) { self.poller = poller }

  var isConnecting: Bool { writers > 0 }

  func hasConnection(to place: Int) -> Bool {
    guard connections.indices ~= place else { return false }
    return connections[place] > 0
  }

  // MARK: Callbacks

  static func watch(_ descriptor: curl_socket_t, _ what: CInt, _ context: UnsafeMutableRawPointer?) -> CInt {
    guard let watch = unsafe context?.assumingMemoryBound(to: SocketWatch.self) else { return -1 }
    return unsafe watch.pointee.watch(descriptor, what) ? 0 : -1
  }

  static func setTimer(_ milliseconds: Int, _ context: UnsafeMutableRawPointer?) -> CInt {
    guard let watch = unsafe context?.assumingMemoryBound(to: SocketWatch.self) else { return -1 }
    unsafe watch.pointee.timer = milliseconds < 0 ? nil : watch.pointee.now.advanced(by: Int64(milliseconds))
    return 0
  }

  private mutating func watch(_ descriptor: curl_socket_t, _ what: CInt) -> Bool {
    let index = Int(descriptor)
    guard hasRoom(for: index) else {
      isBroken = true
      return false
    }
    var wanted: UInt8 = 0
    if what != CURL_POLL_REMOVE {
      if what & CURL_POLL_IN != 0 { wanted |= UInt8(POLLIN) }
      if what & CURL_POLL_OUT != 0 { wanted |= UInt8(POLLOUT) }
    }
    want(wanted, index)
    if what == CURL_POLL_REMOVE {
      if !sockets[index].isOurs { unregister(index) }
      return true
    }
    guard wanted != sockets[index].registered else { return true }
    let isKnown = sockets[index].registered != 0
    // A descriptor that was closed behind our back is not there any more.
    let isRegistered =
      change(isKnown ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, index, wanted)
      || change(isKnown ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, index, wanted)
    if isRegistered { sockets[index].registered = wanted } else { isBroken = true }
    return isRegistered
  }

  /// A socket of ours; false: there is no memory to watch it with.
  mutating func isOpened(_ descriptor: Int32, by place: Int?) -> Bool {
    let index = Int(descriptor)
    guard hasRoom(for: index) else { return false }
    want(0, index)
    uncount(index)
    sockets[index] = Socket(isOurs: true)
    if let place, connections.indices ~= place {
      sockets[index].place = UInt8(place)
      connections[place] += 1
    }
    return true
  }

  mutating func willClose(_ descriptor: Int32) {
    let index = Int(descriptor)
    guard sockets.indices ~= index else { return }
    want(0, index)
    uncount(index)
    unregister(index)
    sockets[index] = Socket()
  }

  // MARK: Events

  /// What libcurl is to be told of a socket that is ready; nil: it does not want
  /// to know.
  mutating func fired(_ descriptor: Int32, _ events: UInt32) -> CInt? {
    let index = Int(descriptor)
    guard sockets.indices ~= index else { return nil }
    guard sockets[index].wanted != 0 else {
      // An idle connection has something to say: as a rule, that it ends.
      unregister(index)
      uncount(index)
      return nil
    }
    var told: CInt = 0
    if events & UInt32(POLLIN | POLLHUP) != 0 { told |= CURL_CSELECT_IN }
    if events & UInt32(POLLOUT) != 0 { told |= CURL_CSELECT_OUT }
    if events & UInt32(POLLERR) != 0 { told |= CURL_CSELECT_ERR }
    return told
  }

  /// Whether the timer has come; it counts once.
  mutating func takeDueTimer() -> Bool {
    guard let timer, timer <= now else { return false }
    self.timer = nil
    return true
  }

  // MARK: Sockets

  @inline(never)
  private mutating func want(_ wanted: UInt8, _ index: Int) {
    let before = sockets[index].wanted
    guard before != wanted else { return }
    if before & UInt8(POLLOUT) != 0 { writers -= 1 }
    if wanted & UInt8(POLLOUT) != 0 { writers += 1 }
    if before == UInt8(POLLOUT), wanted == 0 { needsSweep = true }
    sockets[index].wanted = wanted
  }

  private mutating func uncount(_ index: Int) {
    guard let place = sockets[index].place else { return }
    sockets[index].place = nil
    connections[Int(place)] -= 1
  }

  @inline(never)
  private mutating func unregister(_ index: Int) {
    guard sockets[index].registered != 0 else { return }
    _ = change(EPOLL_CTL_DEL, index, 0)
    sockets[index].registered = 0
  }

  private func change(_ operation: CInt, _ index: Int, _ events: UInt8) -> Bool {
    prefop_epoll_change(poller, operation, Int32(truncatingIfNeeded: index), UInt32(events)) == 0
  }

  @inline(never)
  private mutating func hasRoom(for index: Int) -> Bool {
    guard index >= sockets.count else { return index >= 0 }
    do throws(OutOfMemory) {
      try sockets.reserve(index + 1 - sockets.count)
    } catch {
      return false
    }
    while sockets.count <= index { sockets.appendReserved(Socket()) }
    return true
  }
}
