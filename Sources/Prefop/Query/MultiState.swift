import CLibcurl
import CPlatform

/// What libcurl's callbacks change: which sockets it wants watched, when it
/// wants to be called, whether memory ran out meanwhile.
///
/// It lives in a box of its own and is only ever touched in short accesses: no
/// access may be under way while libcurl runs, or the optimiser would keep what
/// the callbacks change in registers.
struct MultiState: ~Copyable {
  var watched = List<pollfd>()
  var timer: Instant?

  /// The instant of the call under way, so that the timer callback needs no clock.
  var now = Instant(milliseconds: 0)

  /// A connection attempt ended: libcurl is to be called once more, see `Multi`.
  var needsSweep = false

  /// libcurl lost its way: the handle must not be used again.
  var isBroken = false

  /// It is not to be used for another query.
  var isRetired = false
  var wasOutOfMemory = false

  static func watch(_ descriptor: curl_socket_t, _ what: CInt, _ context: UnsafeMutableRawPointer?) -> CInt {
    guard let context = unsafe context else { return -1 }
    return unsafe context.assumingMemoryBound(to: MultiState.self).pointee.watch(descriptor, what) ? 0 : -1
  }

  private mutating func watch(_ descriptor: curl_socket_t, _ what: CInt) -> Bool {
    let known = index(of: descriptor)
    if what == CURL_POLL_REMOVE {
      if let known, watched.swapRemove(at: known).events == Int16(POLLOUT) { needsSweep = true }
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

  static func setTimer(_ milliseconds: Int, _ context: UnsafeMutableRawPointer?) -> CInt {
    guard let context = unsafe context else { return -1 }
    let state = unsafe context.assumingMemoryBound(to: MultiState.self)
    unsafe state.pointee.timer = milliseconds < 0 ? nil : state.pointee.now.advanced(by: Int64(milliseconds))
    return 0
  }

  /// Whether a connection may be on its way: nothing else waits to write.
  var isConnecting: Bool {
    for index in watched.indices where watched[index].events & Int16(POLLOUT) != 0 { return true }
    return watched.isEmpty
  }

  /// Whether the timer has come; it counts once.
  mutating func takeDueTimer() -> Bool {
    guard let timer, timer <= now else { return false }
    self.timer = nil
    return true
  }

  /// A socket that is ready, and for what; each is told once.
  mutating func takeReady() -> (descriptor: curl_socket_t, events: CInt)? {
    for index in watched.indices where watched[index].revents != 0 {
      let entry = watched[index]
      watched[index].revents = 0
      var events: CInt = 0
      if entry.revents & Int16(POLLIN | POLLHUP) != 0 { events |= CURL_CSELECT_IN }
      if entry.revents & Int16(POLLOUT) != 0 { events |= CURL_CSELECT_OUT }
      if entry.revents & Int16(POLLERR | POLLNVAL) != 0 { events |= CURL_CSELECT_ERR }
      return (entry.fd, events)
    }
    return nil
  }
}
