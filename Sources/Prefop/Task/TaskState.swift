import CPrefop

/// What the codes of a task and its items say: is it finished, did all of it
/// succeed, which item failed, did anything change. A task that is none (a struct of a wrong size, a
/// NULL among its items) is neither finished nor succeeded.
struct TaskState: ~Escapable {
  private let task: TaskView?

  @_lifetime(immortal)
  init(_ pointer: UnsafePointer<prefop_task>) {
    do throws(Failure) {
      task = try unsafe TaskView(pointer)
    } catch {
      task = nil
    }
  }

  var isFinished: Bool {
    guard let task else { return false }
    return TaskCode.isFinished(task.code)
  }

  var isSucceeded: Bool {
    guard let task, isFinished, task.code != TaskCode.failed else { return false }
    for index in 0..<task.itemCount where itemCode(index) != TaskCode.succeeded { return false }
    return true
  }

  /// The first item that failed, at or after an index.
  @inline(never)
  func failedItem(from first: Int) -> Int? {
    guard let task, first >= 0, first < task.itemCount else { return nil }
    for index in first..<task.itemCount where itemCode(index) == TaskCode.failed { return index }
    return nil
  }

  /// Differs between tasks whose own code or some item's code differs (FNV-1a,
  /// which multiplies modulo 2^64).
  var digest: UInt64 {
    guard let task else { return 0 }
    var digest = Self.mix(0xCBF2_9CE4_8422_2325, task.code)
    for index in 0..<task.itemCount { digest = Self.mix(digest, itemCode(index) ?? 0) }
    return digest
  }

  private static func mix(_ digest: UInt64, _ code: Int64) -> UInt64 {
    (digest ^ UInt64(bitPattern: code)) &* 0x0000_0100_0000_01B3
  }

  @inline(never)
  private func itemCode(_ index: Int) -> Int64? {
    do throws(Failure) {
      return try task?.item(at: index).code
    } catch {
      return nil
    }
  }
}
