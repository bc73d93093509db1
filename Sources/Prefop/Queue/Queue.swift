import CPrefop

/// Many queries at once, driven by the thread that asks for their completions.
/// Here is what a program does with it, but for cancelling (`QueueTags`); how
/// the queries go on is in `QueueTurn`, `QueueFlights` and `QueueWaits`.
struct Queue: ~Copyable {
  let client: SharedReference<Client>

  // In this order they go: an engine takes its sockets from the poller at its end.
  private var ownEngine: Box<QueueEngine>
  private(set) var sessions: TLSSessions
  var poller: QueuePoller
  var keys: KeyRing
  var timers = TimerHeap<Submission>()
  var scouts = Scouts()
  var gates = RateGates()
  var tags = TagIndex()
  var draft = TaskDraft()
  var reports: ReportPool

  /// Given, and not begun.
  var waiting = SubmissionList()

  /// Waits that are to poll now.
  var due = SubmissionList()

  /// Whether one of those is the next to begin, not one of `waiting`.
  var isTurnOfDue = false

  /// Ended or changed, and not taken.
  var completed = SubmissionList()

  /// Submissions whose last completion was not taken.
  private(set) var pendingCount = 0

  /// Those of them that are waits, and have not ended: each may need a timer.
  private var waitCount = 0

  /// One for each slot that was needed so far, and the slots without a query.
  var flights = List<Box<Flight>>()
  var idle = List<Int>()
  var finished = List<QueueEngine.Finish>()

  /// Some flight is `ready`.
  var hasReady = false

  /// The program called, and nobody has told it yet.
  var isAwake = false

  /// The engine is to be replaced when nothing is under way, see `Attempt`.
  var mayHaveTaintedTrust = false

  /// When the network was last looked at.
  var lastTurn = Instant(milliseconds: .min)

  /// When a program that does not wait began to take completions one after another,
  /// and when it called last.
  private var seriesStart: Instant?
  private var lastCall = Instant(milliseconds: .min)

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

  /// A program that did not call for so many milliseconds did something else: what
  /// follows is another series.
  private static var longestGap: Int64 { 10 }

  init(_ client: SharedReference<Client>) throws(Failure) {
    let keys = try orFailure { () throws(OutOfMemory) in try KeyRing() }
    let sessions = try orFailure { () throws(OutOfMemory) in try TLSSessions() }
    let poller = try QueuePoller()
    let engine = try Self.makeEngine(poller.descriptor, connections: client.value.settings.inFlightLimit)
    self.client = client
    self.keys = keys
    // Those of the flights, and those of the completions that may wait.
    reports = ReportPool(keeping: 2 * client.value.settings.inFlightLimit)
    wakeupDescriptor = poller.wakeupDescriptor
    self.poller = poller
    ownEngine = engine
    self.sessions = sessions
  }

  var engine: Reference<QueueEngine> { Reference(ownEngine) }

  /// Another engine instead of one that is of no use any more.
  mutating func replaceEngine() throws(Failure) {
    let next = try Self.makeEngine(poller.descriptor, connections: limit)
    ownEngine = next
  }

  @inline(never)
  private static func makeEngine(_ poller: Int32, connections limit: Int) throws(Failure) -> Box<QueueEngine> {
    let engine = try box(QueueEngine(poller: poller))
    try configure(engine, connections: limit)
    return engine
  }

  private static func configure(_ engine: borrowing Box<QueueEngine>, connections limit: Int) throws(Failure) {
    try engine.value.configure(connections: limit)
  }

  private static func box(_ engine: consuming QueueEngine) throws(Failure) -> Box<QueueEngine> {
    do throws(OutOfMemory) { return try Box(engine) } catch { throw .outOfMemory }
  }

  /// How many queries under way there can be.
  var limit: Int { client.value.settings.inFlightLimit }

  var flyingCount: Int { flights.count - idle.count }

  /// Nothing of it is sent before `next` runs.
  mutating func submit(_ id: PersistentID, tag: UInt64, _ options: QueryOptions) throws(Failure) {
    do throws(OutOfMemory) {
      if options.isUntilFinished { try reserveTimers(waitCount: waitCount + 1) }
      let submission = try Submission(id, tag: tag, options, at: options.isUntilFinished ? Clock.now : .never)
      waiting.append(submission)
      pendingCount += 1
      if submission.isWait {
        waitCount += 1
        timers.set(submission, at: submission.wait.wait.deadline)
      }
      enterTag(of: submission)
    } catch {
      throw .outOfMemory
    }
    announce()
  }

  /// Makes room for a timer of each wait and of each flight.
  mutating func reserveTimers(waitCount: Int? = nil, flightCount: Int? = nil) throws(OutOfMemory) {
    try timers.reserve((waitCount ?? self.waitCount) + (flightCount ?? flights.count))
  }

  /// The next completion, with what there is to tell of it; nil: there was none
  /// in time, or a signal or a wakeup came.
  mutating func next(timeout: Int64, report: inout Report) throws(Failure) -> Completion? {
    let now = Clock.now
    let isStale = lastTurn.milliseconds(until: now) > Self.longestAbsence
    if lastCall.milliseconds(until: now) > Self.longestGap { seriesStart = nil }
    lastCall = now
    let isEnding = timeout == 0 && hasHadItsTurn(at: now)
    if !isEnding, isStale || completed.isEmpty {
      var programErrors = try orFailure { () throws(OutOfMemory) in try ErrorQueue() }
      defer { programErrors.restore() }
      if isStale { try catchUp(at: now) }
      try run(timeout, from: now)
    }
    let completion = completed.popFirst().map { handOut($0, &report) }
    if completion == nil {
      // Whoever called has had what a wakeup is for: a call that returns.
      poller.dropWakeup()
      isAwake = false
    }
    seriesStart = completion == nil || timeout != 0 ? nil : seriesStart ?? now
    announce()
    return completion
  }

  /// What has come while the program was away counts, though its time is over now.
  private mutating func catchUp(at now: Instant) throws(Failure) {
    // Each look takes one event at least, unless there is none.
    for _ in 0..<flyingCount {
      guard let found = try look(until: now, from: now), found > 0, (timers.first ?? .never) <= now else { return }
    }
  }

  /// Ends a submission, or, if only its task changed, lets it go on.
  private mutating func handOut(_ submission: Submission, _ report: inout Report) -> Completion {
    if let kept = unsafe submission.takeReport() {
      report = unsafe kept.pointee
      unsafe reports.giveBack(kept)
    }
    let hasMore = submission.isWait && submission.wait.hasMore
    let completion = unsafe Completion(
      tag: submission.tag, status: submission.status, task: submission.takeTask(), hasMore: hasMore)
    if hasMore {
      submission.wait.hasMore = false
      rest(submission)
    } else {
      pendingCount -= 1
      submission.destroy()
    }
    return completion
  }

  /// Its last completion waits to be taken.
  @inline(never)
  mutating func complete(_ submission: Submission, _ status: Status) {
    submission.status = status
    if tags.isMade { tags.remove(submission) }
    if submission.isWait {
      waitCount -= 1
      submission.wait.hasMore = false
      timers.remove(submission)
    }
    submission.place = .completed
    completed.append(submission)
  }

  /// Whether a series of completions has been long enough.
  private func hasHadItsTurn(at now: Instant) -> Bool {
    guard let seriesStart else { return false }
    return seriesStart.milliseconds(until: now) >= Self.longestSeries
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
    destroyResting()
    let engine = engine
    for slot in flights.indices {
      let flight = Reference(flights[slot])
      if let submission = flight.value.submission {
        abort(slot, flight)
        submission.destroy()
        flight.value.submission = nil
      }
      engine.value.inside { flight.value.transfer.value.close() }
    }
    engine.value.inside { sessions.close() }
  }

  /// What the parent's queries hold, without a word to libcurl.
  private mutating func closeInChild() {
    destroyResting()
    for slot in flights.indices {
      flights[slot].value.submission?.destroy()
      flights[slot].value.transfer.value.close()
    }
    sessions.close()
  }

  /// No list has them.
  private mutating func destroyResting() {
    for index in timers.indices where timers[index].place == .resting { timers[index].destroy() }
  }

  /// Sees to it that the descriptor is readable when `next` has something to do.
  @inline(never)
  mutating func announce() {
    guard poller.isShared else { return }
    let now = Clock.now
    if canBegin || !completed.isEmpty || hasReady || isAwake || !engine.value.isUsable {
      poller.arm(for: now, now: now)
    } else {
      poller.arm(for: min(timers.first ?? .never, engine.value.due ?? .never), now: now)
    }
  }
}
