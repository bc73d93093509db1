import CPrefop

@_cdecl("prefop_query") @implementation
public func prefop_query(
  _ client: OpaquePointer!, _ persistentID: UnsafePointer<CChar>!,
  _ options: UnsafePointer<prefop_query_options>!,
  _ task: UnsafeMutablePointer<UnsafeMutablePointer<prefop_task>?>!,
  _ error: UnsafeMutablePointer<prefop_error>!
) -> prefop_status {
  unsafe ask(client, persistentID, options, task, error, untilFinished: false)
}

@_cdecl("prefop_wait") @implementation
public func prefop_wait(
  _ client: OpaquePointer!, _ persistentID: UnsafePointer<CChar>!,
  _ options: UnsafePointer<prefop_query_options>!,
  _ task: UnsafeMutablePointer<UnsafeMutablePointer<prefop_task>?>!,
  _ error: UnsafeMutablePointer<prefop_error>!
) -> prefop_status {
  unsafe ask(client, persistentID, options, task, error, untilFinished: true)
}

@inline(never)
private func ask(
  _ client: OpaquePointer?, _ persistentID: UnsafePointer<CChar>?,
  _ options: UnsafePointer<prefop_query_options>?,
  _ task: UnsafeMutablePointer<UnsafeMutablePointer<prefop_task>?>?,
  _ error: UnsafeMutablePointer<prefop_error>?, untilFinished: Bool
) -> prefop_status {
  unsafe task?.pointee = nil
  var report = Report()
  return unsafe border(error, &report) { report throws(Failure) in
    let task = try unsafe required(task, "task")
    let id = try unsafe PersistentID(CText.span(required(persistentID, "persistent_id")))
    var options = try unsafe QueryOptions(options)
    if untilFinished { options.isUntilFinished = true }
    guard !options.reportsChanges else {
      throw Failure(
        .argument, "options.flags has EACH_CHANGE: this call has one result, a queue can tell of each change")
    }
    let client = try unsafe ClientHandle.client(client, fault: &report.message)
    try unsafe client.pointee.ask(id, options, report: &report, task: &task.pointee)
  }
}
