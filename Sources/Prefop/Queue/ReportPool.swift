import CPlatform

/// Reports of queries, kept and used again: with a steady stream of queries none
/// takes memory.
@safe
struct ReportPool: ~Copyable {
  private var spare = unsafe List<UnsafeMutablePointer<Report>>()

  /// Those that are in use, too.
  private var total = 0

  init() {}

  deinit {
    for index in unsafe spare.indices { unsafe free(spare[index]) }
  }

  /// An empty report.
  @inline(never)
  mutating func take() throws(OutOfMemory) -> UnsafeMutablePointer<Report> {
    let report: UnsafeMutablePointer<Report>
    if let last = unsafe spare.popLast() {
      unsafe report = last
    } else {
      // Room to give back all that there are.
      try unsafe spare.reserve(total + 1)
      unsafe report = try unsafe allocate(MemoryLayout<Report>.size).bindMemory(to: Report.self, capacity: 1)
      total += 1
    }
    unsafe report.initialize(to: Report())
    return unsafe report
  }

  mutating func giveBack(_ report: UnsafeMutablePointer<Report>) { unsafe spare.appendReserved(report) }
}
