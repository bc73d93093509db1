import CPlatform

/// Reports of queries that ended, kept and used again: with a steady stream of
/// completions none takes memory.
@safe
struct ReportPool: ~Copyable {
  private var spare = unsafe List<UnsafeMutablePointer<Report>>()

  init() {}

  deinit {
    for index in unsafe spare.indices { unsafe free(spare[index]) }
  }

  /// A copy of a report; nil: there is no memory for one.
  @inline(never)
  mutating func keep(_ report: borrowing Report) -> UnsafeMutablePointer<Report>? {
    let kept: UnsafeMutablePointer<Report>
    if let report = unsafe spare.popLast() {
      unsafe kept = report
    } else {
      guard let memory = unsafe malloc(MemoryLayout<Report>.size) else { return nil }
      unsafe kept = memory.bindMemory(to: Report.self, capacity: 1)
    }
    unsafe kept.initialize(to: copy report)
    return unsafe kept
  }

  mutating func giveBack(_ kept: UnsafeMutablePointer<Report>) {
    do throws(OutOfMemory) {
      try unsafe spare.append(kept)
    } catch {
      unsafe free(kept)
    }
  }
}
