import CPrefop

/// The steps of one query of a queue.
extension Queue {
  mutating func begin(_ submission: Submission, _ slot: Int, _ flight: Reference<Flight>, at now: Instant) {
    submission.place = .flying
    submission.slot = slot
    flight.value.submission = submission
    unsafe flight.value.reportAddress = unsafe submission.report
    if submission.isWait {
      flight.value.report.beginPoll()
      flight.value.report.attempts = submission.wait.attempts
    }
    flight.value.loaded = nil
    flight.value.hasSent = false
    flight.value.turn = RateGates.Turn()
    do throws(Failure) {
      try takeKey(flight, submission)
    } catch {
      return fail(slot, flight, error, at: now)
    }
    restart(slot, flight, at: now)
  }

  /// The query's time begins.
  mutating func restart(_ slot: Int, _ flight: Reference<Flight>, at now: Instant) {
    guard let submission = flight.value.submission else { return }
    flight.value.last = unsafe Attempt(outcome: .system)
    flight.value.isReleased = false
    flight.value.timeout =
      submission.isWait
      ? submission.wait.wait.pollTimeout(client.value.settings, at: now)
      : submission.timeout ?? client.value.settings.timeout
    do throws(Failure) {
      flight.value.query = Query(
        route: client.value.directory.withLock { directory in Route(directory, region: submission.id.region) },
        attemptLimit: client.value.settings.attemptLimit, attemptTimeout: client.value.settings.attemptTimeout,
        deadline: now.advanced(by: flight.value.timeout), seed: unsafe Random.seed(of: flight.pointer, at: now))
      try step(slot, flight, submission, at: now)
    } catch {
      fail(slot, flight, error, at: now)
    }
  }

  @inline(never)
  mutating func advance(_ slot: Int, _ flight: Reference<Flight>, at now: Instant) {
    guard let submission = flight.value.submission else { return }
    do throws(Failure) {
      try step(slot, flight, submission, at: now)
    } catch {
      fail(slot, flight, error, at: now)
    }
  }

  /// Takes what came of a request.
  @inline(never)
  mutating func conclude(_ slot: Int, _ flight: Reference<Flight>, _ attempt: Attempt, at now: Instant) {
    endScout(slot)
    flight.value.phase = .ready
    flight.value.isReleased = false
    guard let submission = flight.value.submission, let host = flight.value.host else { return }
    timers.remove(submission)
    var last = attempt
    do throws(Failure) {
      let body = flight.value.transfer.value.body.span
      switch flight.value.request {
      case .task:
        if last.outcome == .task { last.readTask(in: body, using: &draft, &flight.value.report.message) }
        flight.value.report.record(last, from: host, flight.value.transfer.value.head)
      case .regions(let ofBucket):
        if last.outcome == .task {
          try client.value.storeRegions(in: body, of: subject(flight, submission).part(ofBucket: ofBucket), &last)
        }
      }
      flight.value.last = last
      flight.value.query.received(
        last.outcome, retryAfter: last.retryAfter, reason: flight.value.report.message, client.value.directory, at: now)
      if flight.value.request == .task { mindRate(of: host, flight, last, at: now) }
      flight.value.turn = RateGates.Turn()
      if let task = unsafe last.task {
        unsafe answered(slot, flight, task, at: now)
      } else {
        try step(slot, flight, submission, at: now)
      }
    } catch {
      fail(slot, flight, error, at: now)
    }
  }

  @inline(never)
  private mutating func step(
    _ slot: Int, _ flight: Reference<Flight>, _ submission: Submission, at now: Instant
  ) throws(Failure) {
    if !flight.value.hasSent, !submission.isWait {
      flight.value.query.postpone(to: now.advanced(by: flight.value.timeout))
    }
    while true {
      switch try flight.value.query.next(client.value.directory, subject(flight, submission), at: now) {
      case .send(let request, let host, let deadline):
        if mustWait(slot, flight, for: host.place) {
          stay(flight, .parked, until: min(deadline, now.advanced(by: Scouts.patience)))
          flight.value.host = host
          return
        }
        if request == .task, let turn = gates.admit(&flight.value.turn, to: host.place, at: now) {
          stay(flight, .held, until: min(turn, latest(flight, submission)))
          flight.value.host = host
          return
        }
        try send(request, to: host, slot, flight, submission)
        stay(flight, .sending, until: deadline)
        return
      case .pause(let end):
        stay(flight, .pausing, until: end)
        return
      case .wait(let ofBucket, let end):
        guard try enlist(subject(flight, submission).part(ofBucket: ofBucket)) else { continue }
        stay(flight, .awaitingRegions, until: end)
        return
      case .finished:
        throw QueryFailure(last: flight.value.last, timeout: flight.value.timeout).describe(
          flight.value.query, answer: flight.value.transfer.value.body.span, client.value.settings,
          &flight.value.report)
      }
    }
  }

  @inline(never)
  private mutating func stay(_ flight: Reference<Flight>, _ phase: Flight.Phase, until end: Instant) {
    guard let submission = flight.value.submission else { return }
    flight.value.phase = phase
    timers.set(submission, at: end)
  }

  /// How a host limits the rate. No more than the time of one query is believed:
  /// then one of them tries again.
  private mutating func mindRate(
    of host: HostReference, _ flight: Reference<Flight>, _ attempt: Attempt, at now: Instant
  ) {
    switch attempt.outcome {
    case .status where attempt.outcome.remedy == .slowDown:
      let pause = min(attempt.retryAfter, flight.value.timeout)
      gates.limit(host.place, flight.value.turn, pause: pause, heldCount: heldCount(at: host.place), at: now)
    case let outcome where outcome.isAnswer:
      if gates.ease(host.place, at: now) { advanceTurns(at: host.place, now: now) }
    default: break
    }
  }

  /// Those that are held go sooner, in the same order.
  @inline(never)
  private mutating func advanceTurns(at place: Int, now: Instant) {
    for slot in flights.indices where flights[slot].value.phase == .held {
      let flight = Reference(flights[slot])
      guard flight.value.host?.place == place, let submission = flight.value.submission else { continue }
      let turn = gates.advance(&flight.value.turn, at: place, now: now)
      timers.set(submission, at: min(turn, latest(flight, submission)))
    }
  }

  /// How many queries have a turn at a host that is not due.
  private func heldCount(at place: Int) -> Int {
    var count = 0
    for slot in flights.indices where flights[slot].value.phase == .held {
      if flights[slot].value.host?.place == place { count += 1 }
    }
    return count
  }

  /// Until when it can be held: the time of a query begins when it is sent.
  private func latest(_ flight: Reference<Flight>, _ submission: Submission) -> Instant {
    if flight.value.hasSent { return flight.value.query.deadline }
    return submission.isWait ? submission.wait.wait.deadline : .never
  }

  /// Whether another query is to try the host first. If none does, and there is
  /// no connection to it, this one does.
  private mutating func mustWait(_ slot: Int, _ flight: Reference<Flight>, for place: Int) -> Bool {
    // A scout that its host's limited rate held does not wait for itself.
    guard !flight.value.isReleased, !scouts.includes(slot) else { return false }
    if scouts.isAwaited(at: place) { return true }
    if !engine.value.hasConnection(to: place) { scouts.send(slot, to: place) }
    return false
  }

  @inline(never)
  private func enlist(_ subject: RegionSubject) throws(Failure) -> Bool {
    try client.value.directory.withLock { directory throws(Failure) in
      do throws(OutOfMemory) {
        return try directory.regions.enlist(poller.regionsDescriptor, for: subject)
      } catch {
        throw .outOfMemory
      }
    }
  }

  private mutating func send(
    _ request: Query.Request, to host: HostReference, _ slot: Int, _ flight: Reference<Flight>,
    _ submission: Submission
  ) throws(Failure) {
    let subject = subject(flight, submission)
    let transfer = Reference(flight.value.transfer)
    flight.value.report.begin()
    flight.value.hasSent = true
    if flight.value.loaded != request {
      flight.value.loaded = nil
      try transfer.value.setTarget(
        request, submission.id, accessKey: subject.accessKey, bucket: subject.bucket)
      flight.value.loaded = request
    }
    flight.value.request = request
    flight.value.host = host
    let isSigned = flight.value.isSigned && request != .regions(ofBucket: true)
    let signer = isSigned ? try signer(flight, submission) : nil
    let seconds = client.value.settings.sendsDate ? Clock.secondsSince1970 : nil
    try engine.value.inside { () throws(Failure) in
      try unsafe transfer.value.prepare(
        client.value.settings, host, isSigned: isSigned,
        responseLimit: request == .task ? client.value.settings.responseLimit : Client.regionsLimit,
        at: UnsafeMutableRawPointer(transfer.pointer))
      transfer.value.sign(with: signer, host: host.endpoint.authority, secondsSince1970: seconds)
    }
    guard let easy = unsafe transfer.value.handle else { throw .outOfMemory }
    // Should it fail, the engine is renewed, and this ends like all under way.
    unsafe engine.value.add(easy)
  }

  // MARK: Keys

  /// Sees to it that the query can be signed, with one pair until its end.
  @inline(never)
  private mutating func takeKey(_ flight: Reference<Flight>, _ submission: Submission) throws(Failure) {
    flight.value.isSigned = true
    if let pair = submission.pair {
      try setHeader(flight, pair.accessKey, revision: 0)
    } else if let key = try keys.take(from: client.value) {
      flight.value.key = key
      let revision = keys.revision(key)
      if flight.value.headerRevision != revision {
        try setHeader(flight, keys.signer(key).value.accessKey, revision: revision)
      }
    } else {
      flight.value.isSigned = false
      guard client.value.settings.allowsAnonymous else { throw Client.missingCredentials }
    }
  }

  private func setHeader(_ flight: Reference<Flight>, _ accessKey: Span<UInt8>, revision: UInt64) throws(Failure) {
    flight.value.headerRevision = 0
    do throws(OutOfMemory) {
      try flight.value.transfer.value.signedHeaders.setAccessKey(accessKey, client.value.settings)
    } catch {
      throw .outOfMemory
    }
    flight.value.headerRevision = revision
  }

  private func signer(
    _ flight: Reference<Flight>, _ submission: Submission
  ) throws(Failure) -> Reference<RequestSigner>? {
    if let key = flight.value.key { return keys.signer(key) }
    guard let pair = submission.pair else { return nil }
    do throws(OutOfMemory) { return try keys.signer(with: pair) } catch { throw .outOfMemory }
  }

  /// Whose regions a query may need.
  @inline(never)
  @_lifetime(immortal)
  private func subject(_ flight: Reference<Flight>, _ submission: Submission) -> RegionSubject {
    let bucket = submission.bucket
    guard flight.value.isSigned else { return RegionSubject(accessKey: Span(), bucket: bucket) }
    if let pair = submission.pair { return RegionSubject(accessKey: pair.accessKey, bucket: bucket) }
    guard let key = flight.value.key else { return RegionSubject(accessKey: Span(), bucket: bucket) }
    // The pair stays as long as some query uses it.
    let accessKey = unsafe _overrideLifetime(keys.signer(key).value.accessKey, copying: ())
    return RegionSubject(accessKey: accessKey, bucket: bucket)
  }

  // MARK: Ends

  @inline(never)
  private mutating func fail(_ slot: Int, _ flight: Reference<Flight>, _ failure: Failure, at now: Instant) {
    guard let submission = flight.value.submission else { return }
    flight.value.query.abandon(client.value.directory, subject(flight, submission), at: now)
    if flight.value.report.message.isEmpty { failure.render(into: &flight.value.report.message) }
    failed(slot, flight, failure.status, at: now)
  }

  /// Stops a query, wherever it is.
  @inline(never)
  mutating func abort(_ slot: Int, _ flight: Reference<Flight>) {
    guard let submission = flight.value.submission else { return }
    if flight.value.phase == .sending { detach(flight) }
    flight.value.query.abandon(client.value.directory, subject(flight, submission), at: Clock.now)
    flight.value.report.message.removeAll()
  }

  /// Takes a transfer from libcurl.
  @inline(never)
  func detach(_ flight: Reference<Flight>) {
    if let easy = unsafe flight.value.transfer.value.handle { unsafe engine.value.remove(easy) }
  }

  /// The query has ended, and its slot is free.
  @inline(never)
  mutating func vacate(_ slot: Int, _ flight: Reference<Flight>) {
    guard let submission = flight.value.submission else { return }
    if submission.isWait { submission.wait.attempts = flight.value.report.attempts }
    flight.value.submission = nil
    unsafe flight.value.reportAddress = nil
    flight.value.phase = .idle
    timers.remove(submission)
    endScout(slot)
    if let key = flight.value.key { keys.giveBack(key) }
    flight.value.key = nil
    flight.value.transfer.value.trim()
    draft.trim()
    idle.appendReserved(slot)
  }
}
