/// What is behind a `prefop_client`: settings that never change, and what its
/// threads share.
struct Client: ~Copyable {
  let settings: Settings
  let directory: Lock<Directory>
  private let shared: Lock<Shared>

  struct Shared: ~Copyable {
    fileprivate var credentials: Credentials

    /// Which pair that is: grows with each change, so that an engine knows
    /// without a look at the keys whether it signs with the current one.
    fileprivate var revision: UInt64 = 1

    /// Engines that nobody uses. The one used last is taken first: its
    /// connection is the likeliest to be alive still.
    fileprivate var idle = List<Engine>()

    /// Who uses the client: the program until it frees it, and each of its queues.
    fileprivate var owners = 1

    /// Engines in use. There is room for them among the idle ones.
    fileprivate var inUse = 0

    fileprivate init(_ credentials: consuming Credentials) { self.credentials = credentials }
  }

  init(
    _ settings: consuming Settings, _ directory: consuming Directory, _ credentials: consuming Credentials
  ) throws(Failure) {
    let shared = try Self.lock(Shared(credentials))
    let lockedDirectory = try Self.lock(directory)
    self.settings = settings
    self.directory = lockedDirectory
    self.shared = shared
  }

  private static func lock<Value: ~Copyable>(_ value: consuming Value) throws(Failure) -> Lock<Value> {
    do throws(OutOfMemory) { return try Lock(value) } catch { throw .outOfMemory }
  }

  func setCredentials(_ credentials: consuming Credentials) {
    var next = credentials
    shared.withLock { shared in
      swap(&shared.credentials, &next)
      shared.revision += 1
      for index in shared.idle.indices { shared.idle[index].forgetPair() }
    }
    // The old pair is wiped here, outside of the lock.
  }

  /// Takes a pair unless there is one already.
  func setCredentialsIfAbsent(_ credentials: consuming Credentials) {
    var next = credentials
    shared.withLock { shared in
      guard !shared.credentials.isPresent else { return }
      swap(&shared.credentials, &next)
      shared.revision += 1
    }
  }

  var hasCredentials: Bool { shared.withLock { shared in shared.credentials.isPresent } }

  /// A copy of the client's own key pair.
  func credentials() throws(Failure) -> Credentials {
    try shared.withLock { shared throws(Failure) in try shared.credentials.copy() }
  }

  /// An engine for this thread alone. Every one taken is to be given back.
  func takeEngine() throws(Failure) -> Engine {
    try reserveRoom()
    do throws(Failure) {
      while let engine = shared.withLock({ shared in shared.idle.popLast() }) {
        if engine.isUsable { return engine }
      }
      return try Engine()
    } catch {
      shared.withLock { shared in shared.inUse -= 1 }
      throw error
    }
  }

  /// Lets the next call have the engine; one that is of no use any more goes.
  func giveBack(_ engine: consuming Engine) {
    let isUsable = engine.isUsable
    engine.trim()
    var spare: Engine? = consume engine
    shared.withLock { shared in
      shared.inUse -= 1
      guard isUsable, var engine = spare.take() else { return }
      // A query's own pair, and one that was replaced meanwhile, are not kept.
      if engine.credentialsRevision != shared.revision { engine.forgetPair() }
      shared.idle.appendReserved(engine)
    }
  }

  /// Room to give one more engine back is made before anything is sent: then
  /// giving it back cannot fail.
  private func reserveRoom() throws(Failure) {
    do throws(OutOfMemory) {
      try shared.withLock { shared throws(OutOfMemory) in
        try shared.idle.reserve(shared.inUse + 1)
        shared.inUse += 1
      }
    } catch {
      throw .outOfMemory
    }
  }

  /// One owner more.
  func retain() { shared.withLock { shared in shared.owners += 1 } }

  /// One owner less; true: it was the last one, and the client is to be destroyed.
  func release() -> Bool {
    shared.withLock { shared in
      shared.owners -= 1
      return shared.owners == 0
    }
  }

  /// The client's current pair with its revision; the pair is left out when the
  /// revision is known. nil: there is none.
  func credentials(ifNewerThan known: UInt64) throws(Failure) -> CurrentCredentials? {
    try shared.withLock { shared throws(Failure) in
      guard shared.credentials.isPresent else { return nil }
      guard shared.revision != known else { return CurrentCredentials(revision: known, changed: Credentials()) }
      return CurrentCredentials(revision: shared.revision, changed: try shared.credentials.copy())
    }
  }

  /// Makes the engine sign with the client's current pair; false when there is none.
  func key(_ engine: inout Engine) throws(Failure) -> Bool {
    var isPresent = false
    var revision: UInt64 = 0
    var changed = Credentials()
    try shared.withLock { shared throws(Failure) in
      isPresent = shared.credentials.isPresent
      revision = shared.revision
      if isPresent, engine.credentialsRevision != revision { changed = try shared.credentials.copy() }
    }
    if changed.isPresent {
      try engine.sign(with: changed.pair, settings)
      engine.credentialsRevision = revision
    }
    return isPresent
  }
}

/// The key pair of a client at some moment.
struct CurrentCredentials: ~Copyable {
  let revision: UInt64

  /// None: it is the one that was known.
  let changed: Credentials
}
