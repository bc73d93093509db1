import CPrefop

extension Client {
  /// Asks what became of a task, on the caller's thread, host after host.
  @inline(never)
  func query(
    _ id: PersistentID, _ queryOptions: QueryOptions, timeout: Int64, report: inout Report
  ) throws(Failure) -> UnsafeMutablePointer<prefop_task> {
    var programErrors = try orFailure { () throws(OutOfMemory) in try ErrorQueue() }
    defer { programErrors.restore() }
    var engine = try takeEngine()
    do throws(Failure) {
      let task = try unsafe query(id, queryOptions, timeout: timeout, &engine, &report)
      giveBack(engine)
      return unsafe task
    } catch {
      giveBack(engine)
      throw error
    }
  }

  @inline(never)
  private func query(
    _ id: PersistentID, _ queryOptions: QueryOptions, timeout: Int64, _ engine: inout Engine, _ report: inout Report
  ) throws(Failure) -> UnsafeMutablePointer<prefop_task> {
    let isSigned = try key(&engine, for: queryOptions)
    engine.begin()
    let start = Clock.now
    var query = Query(
      route: directory.withLock { directory in Route(directory, region: id.region) },
      attemptLimit: settings.attemptLimit, attemptTimeout: settings.attemptTimeout,
      deadline: start.advanced(by: timeout), seed: engine.seed(at: start))
    do throws(Failure) {
      return try unsafe run(&query, id, queryOptions, isSigned: isSigned, timeout: timeout, &engine, &report)
    } catch {
      query.abandon(directory, subject(engine, queryOptions, isSigned), at: Clock.now)
      throw error
    }
  }

  @inline(never)
  private func run(
    _ query: inout Query, _ id: PersistentID, _ queryOptions: QueryOptions, isSigned: Bool, timeout: Int64,
    _ engine: inout Engine, _ report: inout Report
  ) throws(Failure) -> UnsafeMutablePointer<prefop_task> {
    var last = unsafe Attempt(outcome: .system)
    while true {
      switch try query.next(directory, subject(engine, queryOptions, isSigned), at: Clock.now) {
      case .send(let request, let host, let deadline):
        report.begin()
        try engine.load(request, id, bucket: queryOptions.bucket)
        last = try engine.exchange(
          settings, host, isSigned: isSigned && request != .regions(ofBucket: true),
          responseLimit: request == .task ? settings.responseLimit : Self.regionsLimit,
          until: deadline, isInterruptible: queryOptions.isInterruptible, detail: &report.message)
        if request == .task {
          if last.outcome == .task {
            last.readTask(in: engine.transfer.value.body.span, using: &engine.draft.value, &report.message)
          }
          report.record(last, from: host, engine.transfer.value.head)
        } else if last.outcome == .task {
          try storeRegions(
            in: engine.transfer.value.body.span,
            of: subject(engine, queryOptions, true).part(ofBucket: request == .regions(ofBucket: true)), &last)
        }
        // It says nothing of the host.
        if last.isInterrupted { throw interruption(&report) }
        query.received(last.outcome, retryAfter: last.retryAfter, reason: report.message, directory, at: Clock.now)
        if let task = unsafe last.task { return unsafe task }
      case .pause(let end):
        guard Poller.sleep(until: end, isInterruptible: queryOptions.isInterruptible) else {
          throw interruption(&report)
        }
      case .wait(let ofBucket, let end):
        try waitForRegions(
          subject(engine, queryOptions, isSigned).part(ofBucket: ofBucket), &query, until: end, queryOptions, &report)
      case .finished:
        throw QueryFailure(last: last, timeout: timeout).describe(
          query, answer: engine.transfer.value.body.span, settings, &report)
      }
    }
  }

  /// Makes the engine sign with the pair that counts: the query's, else the
  /// client's. False: there is none, and the request goes unsigned.
  @inline(never)
  private func key(_ engine: inout Engine, for queryOptions: QueryOptions) throws(Failure) -> Bool {
    if let pair = queryOptions.pair {
      if !engine.signs(with: pair) { try engine.sign(with: pair, settings) }
      return true
    }
    if try key(&engine) { return true }
    guard settings.allowsAnonymous else { throw Self.missingCredentials }
    return false
  }

  static var missingCredentials: Failure {
    Failure(
      .credentials,
      "no credentials: give access_key and secret_key to the client or the query, or set QINIU_ACCESS_KEY and QINIU_SECRET_KEY, or write a profile file"
    )
  }

  @inline(never)
  func interruption(_ report: inout Report) -> Failure {
    report.isRetryable = true
    // What the last attempt said is not why the query ended.
    report.message.removeAll()
    return Failure(.interrupted, "a signal interrupted the query")
  }
}
