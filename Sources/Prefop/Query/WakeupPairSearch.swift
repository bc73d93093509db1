import CLibcurl
import CPlatform

/// Finds the pair of sockets that a multi handle makes for itself and, before
/// libcurl 8.9, leaves open across exec, and marks it close-on-exec. Nothing in
/// libcurl's interface tells which they are, so they are recognised by what
/// they do: after a wakeup one of them has a byte to read, and the other a byte
/// that its peer has not read.
struct WakeupPairSearch {
  /// The lowest free descriptor before the handle is made: the pair lies there
  /// or above it.
  private let first: Int32

  /// How many descriptors are looked at; other threads may open some meanwhile.
  private static var reach: Int32 { 64 }

  init() {
    first = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    if first >= 0 { _ = close(first) }
  }

  /// The pair, marked close-on-exec; nil when there is none that needs it.
  @inline(never)
  func pair(of multi: UnsafeMutableRawPointer) -> (Int32, Int32)? {
    guard first >= 0, hasCandidate else { return nil }
    let before = descriptorsWithTraffic()
    guard unsafe curl_multi_wakeup(multi) == CURLM_OK else { return nil }
    let during = descriptorsWithTraffic()
    var handled: CInt = 0
    _ = unsafe curl_multi_poll(multi, nil, 0, 0, &handled)
    // Another thread's traffic can look alike for a moment, but not this often.
    let found = during & ~before & ~descriptorsWithTraffic()
    guard found.nonzeroBitCount == 2 else { return nil }
    let lower = first + Int32(found.trailingZeroBitCount)
    let upper = first + 63 - Int32(found.leadingZeroBitCount)
    guard prefop_set_close_on_exec(lower) == 0, prefop_set_close_on_exec(upper) == 0 else { return nil }
    return (lower, upper)
  }

  private var hasCandidate: Bool {
    for offset in 0..<Self.reach where isCandidate(first + offset) { return true }
    return false
  }

  /// A local stream socket that would survive exec.
  @inline(never)
  private func isCandidate(_ descriptor: Int32) -> Bool {
    guard prefop_descriptor_flags(descriptor) == 0 else { return false }
    var domain: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    return unsafe getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX
  }

  /// A bit for each candidate with bytes under way, in either direction.
  @inline(never)
  private func descriptorsWithTraffic() -> UInt64 {
    var found: UInt64 = 0
    for offset in 0..<Self.reach where isCandidate(first + offset) {
      var toRead: CInt = 0
      var unread: CInt = 0
      let isKnown = unsafe prefop_bytes_to_read(first + offset, &toRead) == 0
      let isSent = unsafe prefop_bytes_unread_by_peer(first + offset, &unread) == 0
      if (isKnown && toRead > 0) || (isSent && unread > 0) { found |= 1 << UInt64(offset) }
    }
    return found
  }
}
