import CPlatform
import CPrefop

@_cdecl("prefop_task_parse") @implementation
public func prefop_task_parse(
  _ json: UnsafePointer<CChar>!, _ length: Int,
  _ task: UnsafeMutablePointer<UnsafeMutablePointer<prefop_task>?>!,
  _ error: UnsafeMutablePointer<prefop_error>!
) -> prefop_status {
  unsafe task?.pointee = nil
  var report = Report()
  return unsafe border(error, &report) { report throws(Failure) in
    let task = try unsafe required(task, "task")
    let json = try unsafe required(json, "json")
    var draft = TaskDraft()
    unsafe task.pointee = try unsafe TaskParsing.task(
      callerBytes(json, length, "json"), using: &draft, fault: &report.message)
  }
}

@_cdecl("prefop_task_to_json") @implementation
public func prefop_task_to_json(
  _ task: UnsafePointer<prefop_task>!,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!,
  _ length: UnsafeMutablePointer<Int>!,
  _ error: UnsafeMutablePointer<prefop_error>!
) -> prefop_status {
  unsafe json?.pointee = nil
  unsafe length?.pointee = 0
  return unsafe border(error) { () throws(Failure) in
    let json = try unsafe required(json, "json")
    let task = try unsafe TaskView(required(task, "task"))
    unsafe handOut(try TaskEncoder.encode(task), json, length)
  }
}

@_cdecl("prefop_task_item_parse") @implementation
public func prefop_task_item_parse(
  _ json: UnsafePointer<CChar>!, _ length: Int,
  _ item: UnsafeMutablePointer<UnsafeMutablePointer<prefop_task_item>?>!,
  _ error: UnsafeMutablePointer<prefop_error>!
) -> prefop_status {
  unsafe item?.pointee = nil
  var report = Report()
  return unsafe border(error, &report) { report throws(Failure) in
    let item = try unsafe required(item, "item")
    let json = try unsafe required(json, "json")
    unsafe item.pointee = try unsafe TaskParsing.item(callerBytes(json, length, "json"), fault: &report.message)
  }
}

@_cdecl("prefop_task_item_to_json") @implementation
public func prefop_task_item_to_json(
  _ item: UnsafePointer<prefop_task_item>!,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!,
  _ length: UnsafeMutablePointer<Int>!,
  _ error: UnsafeMutablePointer<prefop_error>!
) -> prefop_status {
  unsafe json?.pointee = nil
  unsafe length?.pointee = 0
  return unsafe border(error) { () throws(Failure) in
    let json = try unsafe required(json, "json")
    let item = try unsafe TaskItemView(required(item, "item"))
    unsafe handOut(try TaskEncoder.encode(item), json, length)
  }
}

@_cdecl("prefop_task_item_free") @implementation
public func prefop_task_item_free(_ item: UnsafeMutablePointer<prefop_task_item>!) {
  unsafe free(item)
}

@_cdecl("prefop_string_free") @implementation
public func prefop_string_free(_ string: UnsafeMutablePointer<CChar>!) {
  unsafe free(string)
}

/// Gives written text to the caller; its NUL does not count.
private func handOut(
  _ text: consuming Bytes, _ target: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
  _ length: UnsafeMutablePointer<Int>?
) {
  unsafe length?.pointee = text.count - 1
  let storage = unsafe UnsafeMutableRawPointer(text.takeStorage())
  unsafe target.pointee = storage?.assumingMemoryBound(to: CChar.self)
}
