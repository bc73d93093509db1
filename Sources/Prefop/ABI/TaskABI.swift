import CPlatform
import CPrefop

@_cdecl("prefop_task_free") @implementation
public func prefop_task_free(_ task: UnsafeMutablePointer<prefop_task>!) {
  unsafe free(task)
}

@_cdecl("prefop_task_is_finished") @implementation
public func prefop_task_is_finished(_ task: UnsafePointer<prefop_task>!) -> Int32 {
  guard let task = unsafe task else { return 0 }
  return unsafe TaskState(task).isFinished ? 1 : 0
}

@_cdecl("prefop_task_is_succeeded") @implementation
public func prefop_task_is_succeeded(_ task: UnsafePointer<prefop_task>!) -> Int32 {
  guard let task = unsafe task else { return 0 }
  return unsafe TaskState(task).isSucceeded ? 1 : 0
}

@_cdecl("prefop_task_failed_item") @implementation
public func prefop_task_failed_item(_ task: UnsafePointer<prefop_task>!, _ from: Int) -> Int64 {
  guard let task = unsafe task else { return -1 }
  return unsafe TaskState(task).failedItem(from: from).map { Int64($0) } ?? -1
}
