import CPrefop

/// From C's `prefop_queue *` to the queue, which keeps its client alive.
@safe
enum QueueHandle {
  /// What is behind the pointer.
  @safe
  private struct Owner: ~Copyable {
    let client: OpaquePointer
    var queue: Queue

    /// A call is under way. In a forked child: one was, in another thread, and
    /// what it worked on may be half done.
    var isBusy = false
  }

  static func make(_ client: OpaquePointer?, fault: inout Message) throws(Failure) -> OpaquePointer {
    let client = try unsafe ClientHandle.resolve(client, fault: &fault)
    let reference = unsafe SharedReference(Handle<Client>.value(of: client))
    let queue = try Queue(reference)
    do throws(OutOfMemory) {
      let handle = try unsafe Handle.make(Owner(client: client, queue: queue))
      reference.value.retain()
      return unsafe handle
    } catch {
      throw .outOfMemory
    }
  }

  /// Runs `body` with the queue.
  static func use<R>(_ handle: OpaquePointer?, _ body: (inout Queue) throws(Failure) -> R) throws(Failure) -> R {
    guard let handle = unsafe handle else { throw Failure(.argument, "queue is NULL") }
    let owner = unsafe Handle<Owner>.value(of: handle)
    guard unsafe owner.pointee.queue.generation == Process.generation else {
      throw Failure(.forked, "the queue was made before the fork: make another one in the child")
    }
    unsafe owner.pointee.isBusy = true
    defer { unsafe owner.pointee.isBusy = false }
    return try unsafe body(&owner.pointee.queue)
  }

  /// Reads one number of the queue; 0 for NULL and in a forked child.
  static func pendingCount(_ handle: OpaquePointer?) -> Int {
    guard let handle = unsafe handle else { return 0 }
    let owner = unsafe Handle<Owner>.value(of: handle)
    guard unsafe owner.pointee.queue.generation == Process.generation else { return 0 }
    return unsafe owner.pointee.queue.pendingCount
  }

  /// Nothing but a write to a descriptor, so that a signal handler may do it.
  static func wakeUp(_ handle: OpaquePointer?) {
    guard let handle = unsafe handle else { return }
    let owner = unsafe Handle<Owner>.value(of: handle)
    guard unsafe owner.pointee.queue.generation == Process.generation else { return }
    unsafe Event.raise(owner.pointee.queue.wakeupDescriptor)
  }

  static func destroy(_ handle: OpaquePointer) {
    let owner = unsafe Handle<Owner>.value(of: handle)
    let isForked = unsafe owner.pointee.queue.generation != Process.generation
    // Rather lost than torn.
    if unsafe isForked && owner.pointee.isBusy { return }
    let client = unsafe owner.pointee.client
    do throws(OutOfMemory) {
      var programErrors = try ErrorQueue()
      unsafe close(handle, isForked: isForked)
      programErrors.restore()
    } catch {
      unsafe close(handle, isForked: isForked)
    }
    unsafe ClientHandle.release(client)
  }

  private static func close(_ handle: OpaquePointer, isForked: Bool) {
    unsafe Handle<Owner>.value(of: handle).pointee.queue.close(isForked: isForked)
    unsafe Handle<Owner>.destroy(handle)
  }
}
