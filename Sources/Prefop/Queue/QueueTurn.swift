import CPlatform

/// How a queue goes on.
extension Queue {
  /// Lets the queries go on until one ends, the time is over, or the program is
  /// called.
  mutating func run(_ timeout: Int64, from start: Instant) throws(Failure) {
    // For ever is too long when nothing can come.
    let end = timeout >= 0 ? start.advanced(by: timeout) : pendingCount == 0 ? start : .never
    var now = start
    var hasLooked = false
    while true {
      let leavesSome = try turn(at: now)
      guard completed.isEmpty else { return }
      // A look before this may have taken the wakeup.
      if isAwake || hasLooked && now >= end { return }
      let due = leavesSome ? now : min(timers.first ?? .never, engine.value.due ?? .never)
      guard try look(until: min(end, due), from: now) != nil else { return }
      hasLooked = true
      now = Clock.now
    }
  }

  /// Takes what the network has, waiting for it until an instant. Returns how many
  /// events there were; nil: a signal came.
  @inline(never)
  mutating func look(until end: Instant, from now: Instant) throws(Failure) -> Int? {
    switch poller.wait(until: end, now: now) {
    case .signal: return nil
    case .failed:
      throw Failure(.system, "waiting for the network failed (errno {number})", number: Int(prefop_errno()))
    case .ready(let count):
      guard count > 0 else { return 0 }
      var isCalled = false
      var haveRegions = false
      let engine = engine
      engine.value.setTime(Clock.now)
      engine.value.act(on: &poller, count: count) { notice in
        switch notice {
        case .wakeup: isCalled = true
        case .regions: haveRegions = true
        case .timer: break
        }
      }
      if isCalled { isAwake = true }
      if haveRegions { release { flight in flight.value.phase == .awaitingRegions } }
      return count
    }
  }

  /// Does what can be done without waiting; returns whether it left some of that
  /// for the next turn.
  @inline(never)
  private mutating func turn(at now: Instant) throws(Failure) -> Bool {
    lastTurn = now
    var rounds = 0
    // Beginning takes no waiting, but many new connections at once take their time.
    var allowance = poller.batchLimit
    // An answer can be there as soon as its request is sent; where a wait had its
    // place then, another can begin.
    var hasLanded = false
    repeat {
      rounds += 1
      if !engine.value.isUsable || mayHaveTaintedTrust && flyingCount == 0 { try renewEngine(at: now) }
      engine.value.setTime(now)
      _ = land(at: now)
      expire(at: now)
      if engine.value.takeBegunRequest() { endScouts() }
      advanceReady(at: now, &allowance)
      try begin(at: now, &allowance)
      step()
      if engine.value.takeBegunRequest() { endScouts() }
      hasLanded = land(at: now)
    } while rounds < Self.roundLimit && ((engine.value.due ?? .never) <= now || hasLanded && canBegin)
    return hasReady || canBegin && (hasLanded || allowance == 0)
  }

  /// Through a copy of the reference: else ThreadSanitizer takes the step for a
  /// change of the client.
  private func step() {
    let engine = engine
    engine.value.step()
  }

  /// A turn ends sometime, whatever libcurl wants.
  private static var roundLimit: Int { 8 }

  /// Takes the transfers that ended; returns whether there were any.
  @inline(never)
  private mutating func land(at now: Instant) -> Bool {
    finished.removeAll()
    let engine = engine
    engine.value.collect(into: &finished)
    for index in finished.indices {
      let finish = finished[index]
      guard flights.indices ~= finish.slot else { continue }
      let flight = Reference(flights[finish.slot])
      guard flight.value.phase == .sending else { continue }
      detach(flight)
      let attempt = flight.value.transfer.value.judge(
        finish.code, client.value.settings, &flight.value.report.message)
      if attempt.mayHaveTaintedTrust { mayHaveTaintedTrust = true }
      conclude(finish.slot, flight, attempt, at: now)
    }
    return !finished.isEmpty
  }

  /// Goes on with those whose time has come.
  private mutating func expire(at now: Instant) {
    while let submission = timers.popDue(at: now) {
      guard submission.place == .flying else {
        wake(submission, at: now)
        continue
      }
      let slot = submission.slot
      let flight = Reference(flights[slot])
      switch flight.value.phase {
      case .sending:
        detach(flight)
        conclude(slot, flight, flight.value.transfer.value.judgeTimeout(), at: now)
      case .awaitingRegions:
        flight.value.query.gaveUpWaiting()
        advance(slot, flight, at: now)
      case .parked:
        flight.value.isReleased = true
        advance(slot, flight, at: now)
      case .held:
        flight.value.turn.isDue = true
        if flight.value.hasSent { advance(slot, flight, at: now) } else { restart(slot, flight, at: now) }
      case .pausing: advance(slot, flight, at: now)
      case .idle, .ready: break
      }
    }
  }

  private mutating func endScouts() {
    for index in (0..<scouts.count).reversed() {
      let slot = scouts.slot(index)
      if flights[slot].value.transfer.value.isConnected { endScout(slot) }
    }
  }

  /// Lets those go that wait for this query's connection, if any do.
  @inline(never)
  mutating func endScout(_ slot: Int) {
    guard let place = scouts.end(slot) else { return }
    release { flight in flight.value.phase == .parked && flight.value.host?.place == place }
  }

  /// Makes some flights `ready`.
  @inline(never)
  private mutating func release(_ isReleased: (Reference<Flight>) -> Bool) {
    for slot in flights.indices {
      let flight = Reference(flights[slot])
      guard isReleased(flight), let submission = flight.value.submission else { continue }
      timers.remove(submission)
      if flight.value.phase == .parked { flight.value.isReleased = true }
      flight.value.phase = .ready
      hasReady = true
    }
  }

  private mutating func advanceReady(at now: Instant, _ allowance: inout Int) {
    guard hasReady else { return }
    hasReady = false
    for slot in flights.indices {
      let flight = Reference(flights[slot])
      guard flight.value.phase == .ready else { continue }
      guard allowance > 0 else {
        hasReady = true
        return
      }
      allowance -= 1
      advance(slot, flight, at: now)
    }
  }

  /// Whether there are submissions, and room for them, also among the
  /// completions: they hold tasks.
  var canBegin: Bool {
    (!waiting.isEmpty || !due.isEmpty) && completed.count < limit && flyingCount < limit
  }

  /// Begins submissions.
  private mutating func begin(at now: Instant, _ allowance: inout Int) throws(Failure) {
    while canBegin, allowance > 0 {
      allowance -= 1
      let report: UnsafeMutablePointer<Report>
      do throws(OutOfMemory) {
        if idle.isEmpty { try addFlight() }
        unsafe report = try unsafe reports.take()
      } catch {
        // Those under way will do.
        guard flyingCount == 0 else { return }
        throw .outOfMemory
      }
      guard let slot = idle.popLast(), let submission = takeNext() else { return }
      // A wait whose last poll failed has one.
      if unsafe submission.report == nil {
        unsafe submission.give(report)
      } else {
        unsafe reports.giveBack(report)
      }
      begin(submission, slot, Reference(flights[slot]), at: now)
    }
  }

  private mutating func addFlight() throws(OutOfMemory) {
    try idle.reserve(flights.count + 1 - idle.count)
    try finished.reserve(flights.count + 1 - finished.count)
    try scouts.reserve(flights.count + 1)
    try reserveTimers(flightCount: flights.count + 1)
    let slot = flights.count
    try flights.append(Box(Flight()))
    unsafe flights[slot].value.transfer.value.join(engine.value.watcher, sessions, as: slot)
    idle.appendReserved(slot)
  }

  /// After an error of the multi interface: what was under way goes out again,
  /// from another handle. It was nobody's fault among the hosts.
  private mutating func renewEngine(at now: Instant) throws(Failure) {
    for slot in flights.indices where flights[slot].value.phase == .sending { detach(Reference(flights[slot])) }
    try replaceEngine()
    mayHaveTaintedTrust = false
    engine.value.setTime(now)
    for slot in flights.indices {
      unsafe flights[slot].value.transfer.value.join(engine.value.watcher, sessions, as: slot)
    }
    for slot in flights.indices where flights[slot].value.phase == .sending {
      conclude(slot, Reference(flights[slot]), unsafe Attempt(outcome: .lost), at: now)
    }
  }
}
