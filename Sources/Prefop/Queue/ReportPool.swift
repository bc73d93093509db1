import CPlatform

/// Reports of queries, kept and used again: with a steady stream of queries none
/// takes memory. What many waits needed at once is given back.
@safe
struct ReportPool: ~Copyable {
  private var spare = unsafe List<UnsafeMutablePointer<Report>>()

  /// Those that are in use, too.
  private var total = 0

  /// So many are kept.
  private let spareLimit: Int

  init(keeping spareLimit: Int) { self.spareLimit = spareLimit }

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
      // Room to give back all that are kept.
      try unsafe spare.reserve(min(total + 1, spareLimit))
      unsafe report = try unsafe allocate(MemoryLayout<Report>.size).bindMemory(to: Report.self, capacity: 1)
      total += 1
    }
    unsafe report.initialize(to: Report())
    return unsafe report
  }

  mutating func giveBack(_ report: UnsafeMutablePointer<Report>?) {
    guard let report = unsafe report else { return }
    if unsafe spare.count < spareLimit {
      unsafe spare.appendReserved(report)
    } else {
      unsafe free(report)
      total -= 1
    }
  }
}
