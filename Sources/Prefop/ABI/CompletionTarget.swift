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
    unsafe write(Completion(tag: 0, status: .ok, task: nil, hasMore: false))
  }

  /// Hands a completion out; the failure that it is, if it is one, is thrown.
  func fill(_ completion: Completion) throws(Failure) {
    write(completion)
    guard completion.status == .ok else {
      throw completion.status == .cancelled
        ? Failure(.cancelled, "the query was cancelled")
        : Failure(completion.status, "out of memory: the details are lost")
    }
  }

  private func write(_ completion: Completion) {
    unsafe target.pointee.flags = completion.hasMore ? UInt32(PREFOP_COMPLETION_MORE) : 0
    unsafe target.pointee.tag = completion.tag
    unsafe target.pointee.task = unsafe completion.task
    unsafe target.pointee.status = completion.status.rawValue
    unsafe target.pointee.reserved = 0
  }
}
