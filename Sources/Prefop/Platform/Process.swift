import CPlatform

/// What every client of the process shares. It is the innermost lock: whoever
/// holds it takes no other.
@safe
struct ProcessState: ~Copyable {
  /// Descriptors that a forked child must close: it cannot use them, and a TLS
  /// peer of the parent must not hear from the child.
  private var descriptors = List<Int32>()

  var isCurlReady = false

  /// The prefop_client behind NULL, once made.
  var defaultClient: OpaquePointer?

  /// Keeps a descriptor from outliving a fork.
  mutating func remember(descriptor: Int32) throws(OutOfMemory) { try descriptors.append(descriptor) }

  /// With the last of many goes the memory that they took.
  mutating func forget(descriptor: Int32) {
    for index in descriptors.indices where descriptors[index] == descriptor {
      _ = descriptors.swapRemove(at: index)
      break
    }
    if descriptors.isEmpty { descriptors.removeAll(keepingAtMost: Self.keptCapacity) }
  }

  /// More than one client has that asks for one task after another.
  private static var keptCapacity: Int { 16 }

  fileprivate mutating func reserveDescriptor() throws(OutOfMemory) { try descriptors.reserve(1) }

  /// In a forked child.
  fileprivate mutating func closeDescriptors() {
    for index in descriptors.indices { _ = CPlatform.close(descriptors[index]) }
    descriptors.removeAll()
  }
}

enum Process {
  /// Grows in each forked child: what was made under another one is of no use.
  static var generation: UInt64 { prefop_process_generation() }

  /// Runs `body` with the shared state.
  static func withState<R: ~Copyable, Problem: Error>(
    orFailing failure: (OutOfMemory) -> Problem,
    _ body: (inout ProcessState) throws(Problem) -> R
  ) throws(Problem) -> R {
    let process = unsafe shared
    unsafe pthread_mutex_lock(&process.pointee.mutex)
    defer { unsafe pthread_mutex_unlock(&process.pointee.mutex) }
    let state: UnsafeMutablePointer<ProcessState>
    do throws(OutOfMemory) {
      unsafe state = try unsafe sharedState(of: process)
    } catch {
      throw failure(error)
    }
    return try unsafe body(&state.pointee)
  }

  /// Opens a descriptor that no forked child keeps: there is no fork between
  /// `make` and the moment that the descriptor is known.
  static func open(_ make: () -> Int32) throws(OutOfMemory) -> Int32 {
    try withState(orFailing: { $0 }) { state throws(OutOfMemory) in
      try state.reserveDescriptor()
      let descriptor = make()
      if descriptor >= 0 { try state.remember(descriptor: descriptor) }
      return descriptor
    }
  }

  /// Closes a descriptor; there is no fork between that and its being forgotten,
  /// or a child might close a descriptor of the program with the same number.
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

  /// The address of static memory, which is never null.
  static var shared: UnsafeMutablePointer<prefop_process> {
    unsafe prefop_process_shared().unsafelyUnwrapped
  }

  private static func sharedState(
    of process: UnsafeMutablePointer<prefop_process>
  ) throws(OutOfMemory) -> UnsafeMutablePointer<ProcessState> {
    if let state = unsafe process.pointee.state { return unsafe state.assumingMemoryBound(to: ProcessState.self) }
    let memory = try unsafe allocate(MemoryLayout<ProcessState>.size)
    let state = unsafe memory.bindMemory(to: ProcessState.self, capacity: 1)
    unsafe state.initialize(to: ProcessState())
    unsafe process.pointee.state = unsafe memory
    return unsafe state
  }

  /// In a forked child, where there is one thread, and all locks are held by the
  /// thread of the parent that it was.
  static func startChild() {
    let process = unsafe shared
    unsafe process.pointee.generation += 1
    if let state = unsafe process.pointee.state?.assumingMemoryBound(to: ProcessState.self) {
      unsafe state.pointee.closeDescriptors()
    }
  }
}
