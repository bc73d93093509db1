/// What a query does about regions.
extension Client {
  /// Bytes of an answer about regions.
  static var regionsLimit: Int { 1 << 20 }

  /// Whose regions a query may need.
  @_lifetime(borrow engine, copy queryOptions)
  func subject(_ engine: borrowing Engine, _ queryOptions: QueryOptions, _ isSigned: Bool) -> RegionSubject {
    let accessKey = engine.signer.value.accessKey
    return RegionSubject(
      accessKey: isSigned ? accessKey : accessKey.extracting(0..<0), bucket: queryOptions.bucket)
  }

  /// Reads the answer that the bucket service gave, and lets all queries use it.
  func storeRegions(
    in document: Span<UInt8>, of subject: RegionSubject, _ attempt: inout Attempt
  ) throws(Failure) {
    var draft = RegionDraft()
    do throws(JSONError) {
      try draft.read(document)
    } catch {
      attempt.outcome = error.problem == .outOfMemory ? .outOfMemory : .notATask
      return
    }
    let isUsable = try directory.withLock { directory throws(Failure) in
      let answer = try RegionAnswer(draft, document, preferHTTPS: directory.prefersHTTPS, in: &directory.hosts)
      guard !answer.hosts.isEmpty else { return false }
      directory.regions.store(answer, for: subject, at: Clock.now)
      return true
    }
    if !isUsable { attempt.outcome = .notATask }
  }

  /// Waits until the query that is asking for these regions is done.
  func waitForRegions(
    _ subject: RegionSubject, _ query: inout Query, until end: Instant, _ queryOptions: QueryOptions,
    _ report: inout Report
  ) throws(Failure) {
    let event = try Event()
    let isEnlisted = try directory.withLock { directory throws(Failure) in
      do throws(OutOfMemory) {
        return try directory.regions.enlist(event.descriptor, for: subject)
      } catch {
        throw .outOfMemory
      }
    }
    guard isEnlisted else { return }
    let wakening = Poller.wait(for: event.descriptor, until: end, isInterruptible: queryOptions.isInterruptible)
    directory.withLock { directory in directory.regions.withdraw(event.descriptor, for: subject) }
    switch wakening {
    case .ready: break
    case .signal: throw interruption(&report)
    case .timedOut, .failed: query.gaveUpWaiting()
    }
  }
}
