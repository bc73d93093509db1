/// What is behind a `prefop_client`: settings that never change, and what its
/// threads share.
struct Client: ~Copyable {
  let settings: Settings
  private let shared: Lock<Shared>

  struct Shared: ~Copyable {
    fileprivate var credentials: Credentials

    /// Engines that nobody uses. The one used last is taken first: its
    /// connection is the likeliest to be alive still.
    fileprivate var idle = List<Engine>()

    fileprivate init(_ credentials: consuming Credentials) { self.credentials = credentials }
  }

  init(_ settings: consuming Settings, _ credentials: consuming Credentials) throws(Failure) {
    let shared: Lock<Shared>
    do throws(OutOfMemory) {
      shared = try Lock(Shared(credentials))
    } catch {
      throw .outOfMemory
    }
    self.settings = settings
    self.shared = shared
  }

  func setCredentials(_ credentials: consuming Credentials) {
    var next = credentials
    shared.withLock { shared in swap(&shared.credentials, &next) }
    // The old pair is wiped here, outside of the lock.
  }

  var hasCredentials: Bool { shared.withLock { shared in shared.credentials.isPresent } }

  /// A copy of the client's own key pair.
  func credentials() throws(Failure) -> Credentials {
    try shared.withLock { shared throws(Failure) in try shared.credentials.copy() }
  }

  /// An engine for this thread alone, keyed with the client's pair if `isKeyed`.
  func takeEngine() throws(Failure) -> Engine {
    while let engine = shared.withLock({ shared in shared.idle.popLast() }) {
      if engine.isUsable { return engine }
    }
    return try Engine(settings)
  }

  /// Lets the next call have the engine. One that is broken, or for which there
  /// is no room, goes.
  func giveBack(_ engine: consuming Engine) {
    guard engine.isUsable else { return }
    var spare: Engine? = engine
    shared.withLock { shared in
      do throws(OutOfMemory) {
        try shared.idle.reserve(1)
        if let engine = spare.take() { try shared.idle.append(engine) }
      } catch {
        // No room to keep it: it goes at the end of this function.
      }
    }
  }

  /// Makes the engine sign with the client's current pair; false when there is none.
  func key(_ engine: inout Engine) throws(Failure) -> Bool {
    var isPresent = false
    var changed = Credentials()
    try shared.withLock { shared throws(Failure) in
      isPresent = shared.credentials.isPresent
      if isPresent, !engine.signs(with: shared.credentials.pair) { changed = try shared.credentials.copy() }
    }
    if changed.isPresent { try engine.sign(with: changed.pair) }
    return isPresent
  }
}
