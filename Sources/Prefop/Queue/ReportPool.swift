import CPlatform

/// Reports of queries that ended, kept and used again: with a steady stream of
/// completions none takes memory.
@safe
struct ReportPool: ~Copyable {
  private var spare = unsafe List<UnsafeMutablePointer<Report>>()

  /// Those that are in use, too.
  private var total = 0

  init() {}

  deinit {
    for index in unsafe spare.indices { unsafe free(spare[index]) }
  }

  /// Makes room for so many reports, so that nothing can fail later.
  mutating func reserve(_ count: Int) throws(OutOfMemory) {
    while unsafe spare.count < count {
      // Room to give back all that there are.
      try unsafe spare.reserve(total + 1 - spare.count)
      let memory = try unsafe allocate(MemoryLayout<Report>.size)
      unsafe spare.appendReserved(memory.bindMemory(to: Report.self, capacity: 1))
      total += 1
    }
  }

  /// A copy of a report; nil: there is no room.
  @inline(never)
  mutating func keep(_ report: borrowing Report) -> UnsafeMutablePointer<Report>? {
    guard let kept = unsafe spare.popLast() else { return nil }
    unsafe kept.initialize(to: copy report)
    return unsafe kept
  }

  mutating func giveBack(_ kept: UnsafeMutablePointer<Report>) { unsafe spare.appendReserved(kept) }
}
