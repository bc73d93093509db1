import CPlatform

/// A mutex that a fork waits for, so that the child finds whole what it guards.
///
/// It is held around every step inside libcurl, and never while waiting for the
/// network. Without it a child could be born while another thread is inside
/// libcrypto, whose locks would then be held in the child for ever.
@safe
struct ForkGuard: ~Copyable {
  private let mutex: Box<pthread_mutex_t>

  init() throws(OutOfMemory) {
    unsafe mutex = try unsafe Self.registered(Box(pthread_mutex_t()))
  }

  deinit {
    unsafe ForkGuards.remove(&mutex.value)
    unsafe pthread_mutex_destroy(&mutex.value)
  }

  @inline(never)
  func enter() { unsafe pthread_mutex_lock(&mutex.value) }
  @inline(never)
  func leave() { unsafe pthread_mutex_unlock(&mutex.value) }

  @inline(never)
  private static func registered(_ mutex: consuming Box<pthread_mutex_t>) throws(OutOfMemory) -> Box<pthread_mutex_t> {
    unsafe pthread_mutex_init(&mutex.value, nil)
    try unsafe ForkGuards.add(&mutex.value)
    return unsafe mutex
  }
}

/// All guards of the process. The order of locks is: this list, its guards, the
/// state of the process.
private enum ForkGuards {
  private typealias Guards = List<UnsafeMutablePointer<pthread_mutex_t>>

  @inline(never)
  static func add(_ mutex: UnsafeMutablePointer<pthread_mutex_t>) throws(OutOfMemory) {
    let process = unsafe Process.shared
    unsafe pthread_mutex_lock(&process.pointee.fork_mutex)
    defer { unsafe pthread_mutex_unlock(&process.pointee.fork_mutex) }
    try unsafe guards(of: process).pointee.append(mutex)
  }

  @inline(never)
  static func remove(_ mutex: UnsafeMutablePointer<pthread_mutex_t>) {
    let process = unsafe Process.shared
    unsafe pthread_mutex_lock(&process.pointee.fork_mutex)
    defer { unsafe pthread_mutex_unlock(&process.pointee.fork_mutex) }
    guard let guards = unsafe existing(in: process) else { return }
    for index in unsafe guards.pointee.indices where unsafe guards.pointee[index] == mutex {
      _ = unsafe guards.pointee.swapRemove(at: index)
      return
    }
  }

  @inline(never)
  private static func existing(
    in process: UnsafeMutablePointer<prefop_process>
  ) -> UnsafeMutablePointer<Guards>? {
    unsafe process.pointee.fork_guards?.assumingMemoryBound(to: Guards.self)
  }

  /// The list; the fork handlers are registered when it is made.
  @inline(never)
  private static func guards(
    of process: UnsafeMutablePointer<prefop_process>
  ) throws(OutOfMemory) -> UnsafeMutablePointer<Guards> {
    if let guards = unsafe existing(in: process) { return unsafe guards }
    let memory = try unsafe allocate(MemoryLayout<Guards>.size)
    guard pthread_atfork({ ForkGuards.enterAll() }, { ForkGuards.leaveAll() }, { ForkGuards.startChild() }) == 0 else {
      unsafe free(memory)
      throw OutOfMemory()
    }
    let guards = unsafe memory.bindMemory(to: Guards.self, capacity: 1)
    unsafe guards.initialize(to: Guards())
    unsafe process.pointee.fork_guards = unsafe memory
    return unsafe guards
  }

  // MARK: Fork handlers

  @inline(never)
  private static func enterAll() {
    let process = unsafe Process.shared
    unsafe pthread_mutex_lock(&process.pointee.fork_mutex)
    unsafe forEach { unsafe pthread_mutex_lock($0) }
    unsafe pthread_mutex_lock(&process.pointee.mutex)
  }

  @inline(never)
  private static func leaveAll() {
    let process = unsafe Process.shared
    unsafe pthread_mutex_unlock(&process.pointee.mutex)
    unsafe forEach { unsafe pthread_mutex_unlock($0) }
    unsafe pthread_mutex_unlock(&process.pointee.fork_mutex)
  }

  /// The child does not own the parent's mutexes: they begin anew.
  @inline(never)
  private static func startChild() {
    let process = unsafe Process.shared
    Process.startChild()
    unsafe pthread_mutex_init(&process.pointee.mutex, nil)
    unsafe forEach { unsafe pthread_mutex_init($0, nil) }
    unsafe pthread_mutex_init(&process.pointee.fork_mutex, nil)
  }

  @inline(never)
  private static func forEach(_ body: (UnsafeMutablePointer<pthread_mutex_t>) -> Void) {
    guard let guards = unsafe existing(in: Process.shared) else { return }
    for index in unsafe guards.pointee.indices { unsafe body(guards.pointee[index]) }
  }
}
