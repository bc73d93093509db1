import CPrefop

/// The caller's `prefop_completion`.
@safe
struct CompletionTarget {
  private let target: UnsafeMutablePointer<prefop_completion>

  /// What is in it is forgotten, so that no task of before is taken for a new one.
  init(_ target: UnsafeMutablePointer<prefop_completion>) throws(Failure) {
    let size = unsafe MemoryLayout<prefop_completion>.size
    guard unsafe Int(target.pointee.struct_size) >= size else {
      throw Failure(
        .argument, "completion.struct_size is {number}, not {limit}: set it to the struct's size",
        number: unsafe Int(target.pointee.struct_size), limit: size)
    }
    unsafe self.target = unsafe target
    unsafe write(tag: 0, nil, .ok)
  }

  /// Hands a completion out; the failure that it is, if it is one, is thrown.
  func fill(_ submission: Submission) throws(Failure) {
    let status = submission.status
    unsafe write(tag: submission.tag, submission.takeTask(), status)
    submission.destroy()
    guard status == .ok else {
      throw status == .cancelled
        ? Failure(status, "the query was cancelled") : Failure(status, "out of memory: the details are lost")
    }
  }

  private func write(tag: UInt64, _ task: UnsafeMutablePointer<prefop_task>?, _ status: Status) {
    unsafe target.pointee.flags = 0
    unsafe target.pointee.tag = tag
    unsafe target.pointee.task = unsafe task
    unsafe target.pointee.status = status.rawValue
    unsafe target.pointee.reserved = 0
  }
}
