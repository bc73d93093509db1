import CLibcurl

/// The TLS sessions of many transfers of one thread: each host's handshake is
/// shortened for all of them, and none has a cache of its own, for which libcurl
/// takes memory even where no TLS is spoken.
@safe
struct TLSSessions: ~Copyable {
  /// nil when it is closed.
  private var share: UnsafeMutableRawPointer?

  /// The process whose sessions they are.
  private let generation = Process.generation

  init() throws(OutOfMemory) {
    guard let share = unsafe curl_share_init() else { throw OutOfMemory() }
    guard unsafe prefop_curl_share(share, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK else {
      unsafe curl_share_cleanup(share)
      throw OutOfMemory()
    }
    unsafe self.share = share
  }

  // Open still only when no transfer had it.
  deinit { if let share = unsafe share, generation == Process.generation { unsafe curl_share_cleanup(share) } }

  /// What libcurl takes as CURLOPT_SHARE.
  var handle: UnsafeMutableRawPointer? { unsafe share }

  /// Forgets them; to be called when all transfers that have them are closed. In
  /// a forked child they are left alone, as those are.
  mutating func close() {
    if generation == Process.generation { unsafe curl_share_cleanup(share) }
    unsafe share = nil
  }
}
