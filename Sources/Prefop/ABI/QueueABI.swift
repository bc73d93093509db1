import CPrefop

@_cdecl("prefop_queue_new") @implementation
public func prefop_queue_new(
  _ client: OpaquePointer!, _ queue: UnsafeMutablePointer<OpaquePointer?>!,
  _ error: UnsafeMutablePointer<prefop_error>!
) -> prefop_status {
  unsafe queue?.pointee = nil
  var report = Report()
  return unsafe border(error, &report) { report throws(Failure) in
    let queue = try unsafe required(queue, "queue")
    unsafe queue.pointee = try unsafe QueueHandle.make(client, fault: &report.message)
  }
}

@_cdecl("prefop_queue_submit") @implementation
public func prefop_queue_submit(
  _ queue: OpaquePointer!, _ persistentID: UnsafePointer<CChar>!, _ tag: UInt64,
  _ options: UnsafePointer<prefop_query_options>!, _ error: UnsafeMutablePointer<prefop_error>!
) -> prefop_status {
  unsafe border(error) { () throws(Failure) in
    let id = try unsafe PersistentID(CText.span(required(persistentID, "persistent_id")))
    let options = try unsafe QueryOptions(options)
    guard !options.reportsChanges || options.isUntilFinished else {
      throw Failure(.argument, "options.flags has EACH_CHANGE without UNTIL_FINISHED, so it is asked for once")
    }
    try unsafe QueueHandle.use(queue) { queue throws(Failure) in try queue.submit(id, tag: tag, options) }
  }
}

@_cdecl("prefop_queue_next") @implementation
public func prefop_queue_next(
  _ queue: OpaquePointer!, _ timeout: Int64, _ completion: UnsafeMutablePointer<prefop_completion>!,
  _ error: UnsafeMutablePointer<prefop_error>!
) -> Int32 {
  var report = Report()
  var taken = false
  let status = unsafe border(error, &report) { report throws(Failure) in
    let target = try unsafe CompletionTarget(required(completion, "completion"))
    let completion = try unsafe QueueHandle.use(queue) { queue throws(Failure) in
      try queue.next(timeout: timeout, report: &report)
    }
    guard let completion else { return }
    taken = true
    try target.fill(completion)
  }
  return taken ? 1 : status
}

@_cdecl("prefop_queue_fd") @implementation
public func prefop_queue_fd(_ queue: OpaquePointer!) -> Int32 {
  do throws(Failure) {
    return try unsafe QueueHandle.use(queue) { queue throws(Failure) in try queue.share() }
  } catch {
    return error.status.rawValue
  }
}

@_cdecl("prefop_queue_pending") @implementation
public func prefop_queue_pending(_ queue: OpaquePointer!) -> Int { unsafe QueueHandle.pendingCount(queue) }

@_cdecl("prefop_queue_cancel") @implementation
public func prefop_queue_cancel(_ queue: OpaquePointer!, _ tag: UInt64) -> Int {
  do throws(Failure) {
    return try unsafe QueueHandle.use(queue) { queue throws(Failure) in queue.cancel(tag) }
  } catch {
    return 0
  }
}

@_cdecl("prefop_queue_wakeup") @implementation
public func prefop_queue_wakeup(_ queue: OpaquePointer!) { unsafe QueueHandle.wakeUp(queue) }

@_cdecl("prefop_queue_free") @implementation
public func prefop_queue_free(_ queue: OpaquePointer!) {
  if let queue = unsafe queue { unsafe QueueHandle.destroy(queue) }
}
