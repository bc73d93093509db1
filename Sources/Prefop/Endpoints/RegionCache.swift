/// What the bucket service said, for each account and bucket that was asked
/// for, and who is asking it just now.
struct RegionCache: ~Copyable {
  private struct Entry: ~Copyable {
    let accessKey: Bytes

    /// Empty: the entry is of the account, not of a bucket.
    let bucket: Bytes

    let answer: Box<RegionAnswer>
    var isKnown = false

    /// When the service is to be asked again, by the first query that comes by.
    var refreshAt = Instant(milliseconds: .min)

    /// The process in which somebody is asking just now; in a forked child
    /// nobody is.
    var asker: UInt64?

    /// Events to be raised when that one is done.
    var waiting = List<Int32>()
    var lastUse = Instant(milliseconds: .min)

    init(_ subject: RegionSubject) throws(OutOfMemory) {
      let accessKey = try Bytes(copying: subject.accessKey)
      let bucket = try Bytes(copying: subject.bucket)
      let answer = try Box(RegionAnswer())
      self.accessKey = accessKey
      self.bucket = bucket
      self.answer = answer
    }
  }

  enum Claim: Equatable {
    /// There is an answer.
    case known
    /// This query is to ask the service, and then to say what came of it.
    case ask
    /// Another query is asking: wait for it, then claim again.
    case wait
    /// The service did not answer lately.
    case unavailable
  }

  private var entries = List<Entry>()

  /// More would be kept only for a program that uses many accounts and buckets.
  private static var limit: Int { 64 }

  /// Milliseconds until the service is asked again after it failed.
  static var pauseAfterFailure: Int64 { 30_000 }

  /// Who is to ask. Of those that come together one is told to.
  mutating func claim(_ subject: RegionSubject, at now: Instant) throws(OutOfMemory) -> Claim {
    guard let index = try index(of: subject) else { return .unavailable }
    entries[index].lastUse = now
    let isKnown = entries[index].isKnown
    if entries[index].asker == Process.generation { return isKnown ? .known : .wait }
    guard now >= entries[index].refreshAt else { return isKnown ? .known : .unavailable }
    entries[index].asker = Process.generation
    // In a forked child they are the events of threads that it does not have.
    entries[index].waiting.removeAll()
    return .ask
  }

  /// Has an event raised when the one that asks is done; false: nobody asks any more.
  mutating func enlist(_ event: Int32, for subject: RegionSubject) throws(OutOfMemory) -> Bool {
    guard let index = existingIndex(of: subject), entries[index].asker == Process.generation else { return false }
    for place in entries[index].waiting.indices where entries[index].waiting[place] == event { return true }
    try entries[index].waiting.append(event)
    return true
  }

  /// To be called before the event is closed.
  mutating func withdraw(_ event: Int32, for subject: RegionSubject) {
    guard let index = existingIndex(of: subject) else { return }
    for place in entries[index].waiting.indices where entries[index].waiting[place] == event {
      _ = entries[index].waiting.swapRemove(at: place)
      return
    }
  }

  /// The same, for whatever it was enlisted.
  mutating func withdraw(_ event: Int32) {
    for index in entries.indices {
      for place in entries[index].waiting.indices where entries[index].waiting[place] == event {
        _ = entries[index].waiting.swapRemove(at: place)
        break
      }
    }
  }

  /// The service answered.
  mutating func store(_ answer: consuming RegionAnswer, for subject: RegionSubject, at now: Instant) {
    guard let index = existingIndex(of: subject) else { return }
    entries[index].refreshAt = now.advanced(by: answer.lifetime / 2)
    entries[index].answer.value = consume answer
    entries[index].isKnown = true
    release(index)
  }

  /// The service gave no answer. `isLasting`: it is to be left alone for a
  /// while. What it said before serves meanwhile.
  mutating func fail(_ subject: RegionSubject, isLasting: Bool, at now: Instant) {
    guard let index = existingIndex(of: subject) else { return }
    if isLasting { entries[index].refreshAt = now.advanced(by: Self.pauseAfterFailure) }
    release(index)
  }

  /// Where the answer for this subject is, to be read with the subscript.
  func known(_ subject: RegionSubject) -> Int? {
    guard let index = existingIndex(of: subject), entries[index].isKnown else { return nil }
    return index
  }

  /// Lends an answer.
  subscript(index: Int) -> RegionAnswer {
    unsafeAddress { unsafe entries.address(at: index).pointee.answer.address }
  }

  private mutating func release(_ index: Int) {
    entries[index].asker = nil
    while let event = entries[index].waiting.popLast() { Event.raise(event) }
  }

  private func existingIndex(of subject: RegionSubject) -> Int? {
    for index in entries.indices
    where entries[index].accessKey.span.equals(subject.accessKey) && entries[index].bucket.span.equals(subject.bucket) {
      return index
    }
    return nil
  }

  /// nil: there is no room, because every entry is being asked for.
  private mutating func index(of subject: RegionSubject) throws(OutOfMemory) -> Int? {
    if let index = existingIndex(of: subject) { return index }
    if entries.count >= Self.limit {
      guard let oldest = leastRecentlyUsed() else { return nil }
      _ = entries.swapRemove(at: oldest)
    }
    try entries.append(Entry(subject))
    return entries.count - 1
  }

  private func leastRecentlyUsed() -> Int? {
    var oldest: Int?
    for index in entries.indices where entries[index].asker != Process.generation {
      if let other = oldest, entries[other].lastUse <= entries[index].lastUse { continue }
      oldest = index
    }
    return oldest
  }
}
