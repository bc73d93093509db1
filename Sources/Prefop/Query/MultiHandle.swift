import CLibcurl

/// A multi handle of libcurl, with the pair of sockets that it makes for itself.
@safe
struct MultiHandle: ~Copyable {
  let pointer: UnsafeMutableRawPointer
  private let wakeupPair: (Int32, Int32)?

  /// The process whose connections the handle holds.
  private let generation = Process.generation

  init() throws(Failure) {
    let (pointer, wakeupPair) = try unsafe Self.make()
    unsafe self.pointer = pointer
    self.wakeupPair = wakeupPair
  }

  /// One at a time in the process, so that no two searches see each other's
  /// pairs, and no fork comes before the pair is known.
  private static func make() throws(Failure) -> (UnsafeMutableRawPointer, (Int32, Int32)?) {
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

  /// Milliseconds after which libcurl is called in any case while it connects.
  static var pauseWhileConnecting: Int64 { 50 }

  /// Not in a forked child.
  var isUsable: Bool { generation == Process.generation }

  /// Frees the handle, which is then of no use. In a forked child it is left
  /// alone, as that of a `Transfer`.
  func close(_ forkGuard: borrowing ForkGuard, needsSignalGuard: Bool) {
    guard isUsable else { return }
    forkGuard.enter()
    defer { forkGuard.leave() }
    if let wakeupPair {
      Process.forget(descriptor: wakeupPair.0)
      Process.forget(descriptor: wakeupPair.1)
    }
    SignalGuard.run(isNeeded: needsSignalGuard) { unsafe _ = curl_multi_cleanup(pointer) }
  }

  /// Tells libcurl whom to tell which sockets it wants watched, and when it
  /// wants to be called.
  func configure(
    _ context: UnsafeMutableRawPointer, _ watch: prefop_curl_socket_function, _ setTimer: prefop_curl_timer_function
  ) throws(Failure) {
    let results = unsafe (
      prefop_curl_multi_set_pointer(pointer, CURLMOPT_SOCKETDATA, context),
      prefop_curl_multi_set_pointer(pointer, CURLMOPT_TIMERDATA, context),
      prefop_curl_multi_set_socket_function(pointer, watch),
      prefop_curl_multi_set_timer_function(pointer, setTimer)
    )
    guard results == (CURLM_OK, CURLM_OK, CURLM_OK, CURLM_OK) else { throw .outOfMemory }
  }

  /// How many connections are kept that have nothing to do. Else libcurl closes
  /// all but four whenever little is under way.
  func keep(connections limit: Int) throws(Failure) {
    let result = unsafe prefop_curl_multi_set_long(pointer, CURLMOPT_MAXCONNECTS, limit)
    guard result == CURLM_OK else { throw .outOfMemory }
  }
}
