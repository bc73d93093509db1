import CPrefop

@_cdecl("prefop_notification_verify") @implementation
public func prefop_notification_verify(
  _ client: OpaquePointer!, _ notification: UnsafePointer<prefop_notification>!,
  _ task: UnsafeMutablePointer<UnsafeMutablePointer<prefop_task>?>!,
  _ error: UnsafeMutablePointer<prefop_error>!
) -> prefop_status {
  unsafe task?.pointee = nil
  var report = Report()
  return unsafe border(error, &report) { report throws(Failure) in
    let task = try unsafe required(task, "task")
    let notification = try unsafe Notification(required(notification, "notification"))
    unsafe task.pointee = try unsafe NotificationReading.task(in: notification, client: client, fault: &report.message)
  }
}
