import CPrefop

/// Many queries at once, driven by the thread that asks for their completions.
/// Here is what a program does with it; how the queries go on is in `QueueTurn`
/// and `QueueFlights`.
struct Queue: ~Copyable {
  let client: SharedReference<Client>

  var poller: QueuePoller
  private var ownEngine: Box<QueueEngine>
  var keys: KeyRing
  var timers = TimerHeap()
  var scouts = Scouts()
  var draft = TaskDraft()
  var reports = ReportPool()

  /// Given, and not begun.
  var waiting = SubmissionList()

  /// Ended, and not taken.
  var completed = SubmissionList()

  /// One for each slot that was needed so far, and the slots without a query.
  var flights = List<Box<Flight>>()
  var idle = List<Int>()
  var finished = List<QueueEngine.Finish>()

  /// Some flight is `ready`.
  var hasReady = false

  /// The program called, and nobody has told it yet.
  var isAwake = false

  /// When the network was last looked at.
  var lastTurn = Instant(milliseconds: .min)

  /// When a program that does not wait began to take completions one after another.
  private var seriesStart: Instant?

  /// What a signal handler may use.
  let wakeupDescriptor: Int32
  let generation = Process.generation

  /// Milliseconds for which completions are handed out without a look at the
  /// network.
  private static var longestAbsence: Int64 { 10 }

  /// Milliseconds after which such a series takes what there is, and then ends,
  /// though the network may have more: else a fast server would keep the program
  /// from all else it has to do.
  private static var longestSeries: Int64 { 2 }

  init(_ client: SharedReference<Client>) throws(Failure) {
    let keys = try orFailure { () throws(OutOfMemory) in try KeyRing() }
    let poller = try QueuePoller()
    let engine = try Self.makeEngine(poller.descriptor)
    self.client = client
    self.keys = keys
    wakeupDescriptor = poller.wakeupDescriptor
    self.poller = poller
    ownEngine = engine
  }

  var engine: Reference<QueueEngine> { Reference(ownEngine) }

  /// Another engine instead of one that is of no use any more.
  mutating func replaceEngine() throws(Failure) {
    let next = try Self.makeEngine(poller.descriptor)
    ownEngine = next
  }

  @inline(never)
  private static func makeEngine(_ poller: Int32) throws(Failure) -> Box<QueueEngine> {
    let engine = try box(QueueEngine(poller: poller))
    try configure(engine)
    return engine
  }

  private static func configure(_ engine: borrowing Box<QueueEngine>) throws(Failure) { try engine.value.configure() }

  private static func box(_ engine: consuming QueueEngine) throws(Failure) -> Box<QueueEngine> {
    do throws(OutOfMemory) { return try Box(engine) } catch { throw .outOfMemory }
  }

  /// How many queries under way there can be.
  var limit: Int { client.value.settings.inFlightLimit }

  var flyingCount: Int { flights.count - idle.count }

  /// Submissions whose completion was not taken.
  var pendingCount: Int { waiting.count + flyingCount + completed.count }

  mutating func submit(_ id: PersistentID, tag: UInt64, _ options: QueryOptions) throws(Failure) {
    do throws(OutOfMemory) {
      waiting.append(try Submission(id, tag: tag, options))
    } catch {
      throw .outOfMemory
    }
    announce()
  }

  /// The next completion, which is the caller's then, with what there is to
  /// tell of it; nil: there was none in time, or a signal or a wakeup came.
  mutating func next(timeout: Int64, report: inout Report) throws(Failure) -> Submission? {
    let now = Clock.now
    let isStale = lastTurn.milliseconds(until: now) > Self.longestAbsence
    if timeout == 0, completed.isEmpty, hasHadItsTurn(at: now) {
      seriesStart = nil
      announce()
      return nil
    }
    if isStale || completed.isEmpty {
      var programErrors = try orFailure { () throws(OutOfMemory) in try ErrorQueue() }
      defer { programErrors.restore() }
      // What has come meanwhile counts, though its time is over now.
      if isStale, flyingCount > 0 { _ = try look(until: now, from: now) }
      try run(timeout, from: now)
    }
    let completion = completed.popFirst()
    if let kept = unsafe completion?.takeReport() {
      report = unsafe kept.pointee
      unsafe reports.giveBack(kept)
    }
    seriesStart = completion == nil || timeout != 0 ? nil : seriesStart ?? now
    announce()
    return completion
  }

  /// Whether a series of completions has been long enough.
  private func hasHadItsTurn(at now: Instant) -> Bool {
    guard let seriesStart else { return false }
    return seriesStart.milliseconds(until: now) >= Self.longestSeries
  }

  /// Ends all queries with this tag; returns how many there were.
  mutating func cancel(_ tag: UInt64) -> Int {
    var count = waiting.move(tag, to: &completed)
    for slot in flights.indices {
      let flight = Reference(flights[slot])
      guard let submission = flight.value.submission, submission.tag == tag else { continue }
      abort(slot, flight)
      unsafe submission.complete(.cancelled)
      vacate(slot, flight)
      count += 1
    }
    announce()
    return count
  }

  /// The descriptor that a program can poll.
  mutating func share() throws(Failure) -> Int32 {
    try poller.share()
    announce()
    return poller.descriptor
  }

  /// Ends all queries; to be called before the queue is destroyed.
  mutating func close(isForked: Bool) {
    if isForked {
      closeInChild()
      return
    }
    client.value.directory.withLock { directory in directory.regions.withdraw(poller.regionsDescriptor) }
    for slot in flights.indices {
      let flight = Reference(flights[slot])
      if let submission = flight.value.submission {
        abort(slot, flight)
        submission.destroy()
        flight.value.submission = nil
      }
      engine.value.inside { flight.value.transfer.value.close() }
    }
  }

  /// What the parent's queries hold, without a word to libcurl.
  private mutating func closeInChild() {
    for slot in flights.indices {
      flights[slot].value.submission?.destroy()
      flights[slot].value.transfer.value.close()
    }
  }

  /// Sees to it that the descriptor is readable when `next` has something to do.
  @inline(never)
  private mutating func announce() {
    guard poller.isShared else { return }
    let now = Clock.now
    let canBegin = !waiting.isEmpty && flyingCount < limit
    if canBegin || !completed.isEmpty || hasReady || isAwake || !engine.value.isUsable {
      poller.arm(for: now, now: now)
    } else {
      poller.arm(for: min(timers.first ?? .never, engine.value.due ?? .never), now: now)
    }
  }
}
