import CPlatform

/// What every client of the process shares, under one mutex: who must be told
/// of a fork, and the libraries that are set up once.
@safe
struct ProcessState: ~Copyable {
  /// Mutexes to be held while the process is copied.
  fileprivate var locks = unsafe List<UnsafeMutablePointer<pthread_mutex_t>>()

  /// Descriptors that a forked child must close: it cannot use them, and a TLS
  /// peer of the parent must not hear from the child.
  fileprivate var descriptors = List<Int32>()

  fileprivate var handlesForks = false

  /// Keeps a descriptor from outliving a fork.
  mutating func remember(descriptor: Int32) throws(OutOfMemory) { try descriptors.append(descriptor) }

  mutating func forget(descriptor: Int32) {
    for index in descriptors.indices where descriptors[index] == descriptor {
      _ = descriptors.swapRemove(at: index)
      return
    }
  }

  var isCurlReady = false

  /// The prefop_client behind NULL, once made.
  var defaultClient: OpaquePointer?
}

enum Process {
  /// Grows in each forked child: what was made under another one is of no use.
  static var generation: UInt64 { prefop_process_generation() }

  /// Runs `body` with the shared state; no other lock may be held.
  static func withState<R: ~Copyable, Problem: Error>(
    orFailing failure: (OutOfMemory) -> Problem,
    _ body: (inout ProcessState) throws(Problem) -> R
  ) throws(Problem) -> R {
    let process = unsafe shared
    unsafe pthread_mutex_lock(&process.pointee.mutex)
    defer { unsafe pthread_mutex_unlock(&process.pointee.mutex) }
    let state: UnsafeMutablePointer<ProcessState>
    do throws(OutOfMemory) {
      unsafe state = try sharedState(of: process)
    } catch {
      throw failure(error)
    }
    return try unsafe body(&state.pointee)
  }

  /// Opens a descriptor that no forked child keeps: there is no fork between
  /// `make` and the moment that the descriptor is known.
  static func open(_ make: () -> Int32) throws(OutOfMemory) -> Int32 {
    try withState(orFailing: { $0 }) { state throws(OutOfMemory) in
      try state.descriptors.reserve(1)
      let descriptor = make()
      if descriptor >= 0 { try state.descriptors.append(descriptor) }
      return descriptor
    }
  }

  /// Closes a descriptor; there is no fork between that and its being forgotten,
  /// or a child might close a descriptor of the host with the same number.
  static func close(_ descriptor: Int32) -> Int32 {
    do throws(OutOfMemory) {
      return try withState(orFailing: { $0 }) { state throws(OutOfMemory) in
        state.forget(descriptor: descriptor)
        return CPlatform.close(descriptor)
      }
    } catch {
      return CPlatform.close(descriptor)
    }
  }

  /// To be called before somebody else closes the descriptor.
  static func forget(descriptor: Int32) {
    do throws(OutOfMemory) {
      try withState(orFailing: { $0 }) { state throws(OutOfMemory) in state.forget(descriptor: descriptor) }
    } catch {
      // There is no state, so nothing was ever remembered.
    }
  }

  static func remember(lock: UnsafeMutablePointer<pthread_mutex_t>) throws(OutOfMemory) {
    try withState(orFailing: { $0 }) { state throws(OutOfMemory) in try unsafe state.locks.append(lock) }
  }

  static func forget(lock: UnsafeMutablePointer<pthread_mutex_t>) {
    do throws(OutOfMemory) {
      try withState(orFailing: { $0 }) { state throws(OutOfMemory) in
        for index in unsafe state.locks.indices where unsafe state.locks[index] == lock {
          _ = unsafe state.locks.swapRemove(at: index)
          return
        }
      }
    } catch {
      // There is no state, so nothing was ever remembered.
    }
  }

  /// The address of static memory, which is never null.
  private static var shared: UnsafeMutablePointer<prefop_process> {
    unsafe prefop_process_shared().unsafelyUnwrapped
  }

  private static func sharedState(
    of process: UnsafeMutablePointer<prefop_process>
  ) throws(OutOfMemory) -> UnsafeMutablePointer<ProcessState> {
    if unsafe process.pointee.state == nil {
      let memory = try unsafe allocate(MemoryLayout<ProcessState>.size)
      unsafe memory.bindMemory(to: ProcessState.self, capacity: 1).initialize(to: ProcessState())
      unsafe process.pointee.state = memory
    }
    let state = unsafe process.pointee.state.unsafelyUnwrapped.assumingMemoryBound(to: ProcessState.self)
    if unsafe !state.pointee.handlesForks {
      let result = pthread_atfork({ Process.lockAll() }, { Process.unlockAll() }, { Process.startChild() })
      guard result == 0 else { throw OutOfMemory() }
      unsafe state.pointee.handlesForks = true
    }
    return unsafe state
  }

  // MARK: Fork handlers

  /// Before the fork: no thread may be in the middle of a change.
  private static func lockAll() {
    let process = unsafe shared
    unsafe pthread_mutex_lock(&process.pointee.mutex)
    unsafe forEachLock { unsafe _ = pthread_mutex_lock($0) }
  }

  private static func unlockAll() {
    unsafe forEachLock { unsafe _ = pthread_mutex_unlock($0) }
    let process = unsafe shared
    unsafe pthread_mutex_unlock(&process.pointee.mutex)
  }

  /// In the child there is one thread, which does not own the parent's mutexes.
  private static func startChild() {
    let process = unsafe shared
    unsafe forEachLock { unsafe _ = pthread_mutex_init($0, nil) }
    if let state = unsafe process.pointee.state?.assumingMemoryBound(to: ProcessState.self) {
      for index in unsafe state.pointee.descriptors.indices {
        _ = unsafe CPlatform.close(state.pointee.descriptors[index])
      }
      unsafe state.pointee.descriptors.removeAll()
    }
    unsafe process.pointee.generation += 1
    unsafe pthread_mutex_init(&process.pointee.mutex, nil)
  }

  private static func forEachLock(_ body: (UnsafeMutablePointer<pthread_mutex_t>) -> Void) {
    let process = unsafe shared
    guard let state = unsafe process.pointee.state?.assumingMemoryBound(to: ProcessState.self) else { return }
    for index in unsafe state.pointee.locks.indices { unsafe body(state.pointee.locks[index]) }
  }
}
