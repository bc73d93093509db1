/// When a wait asks again, without clock and network: it is told what each poll
/// brought, and says when the next one is due.
///
/// Nobody knows how long a task takes, but one that has taken long will hardly
/// end in the next second. So pauses grow with the task's age: a result is then
/// noticed late by a share of the task's duration, whatever that is, and polls
/// grow with its logarithm.
struct WaitSchedule {
  struct Limits: Equatable {
    /// Milliseconds of the shortest and of the longest pause.
    let shortest: Int64
    let longest: Int64

    /// A pause is at most this part of the task's age. With a fifth a result is
    /// noticed late by a little less than a tenth of the duration on average.
    var part: Int64 = 5
  }

  let deadline: Instant
  private let start: Instant
  private let limits: Limits

  /// When the task began, as far as is known.
  private var origin: Instant
  private var random: Random

  /// By how much a limited rate stretches the pauses.
  private var stretch: Int64 = 1

  /// Pauses are shorter by up to this part, so that those who began together do
  /// not ask together.
  private static var jitterPart: Int64 { 6 }

  /// For so long after the wait began the service may not know a task that was
  /// just submitted.
  private static var grace: Int64 { 10_000 }

  /// What the last poll before the deadline needs to be answered.
  private static var lastPollTime: Int64 { 1_000 }

  /// The longest pause that the service may ask for: one senseless header is not
  /// to end a wait.
  private static var longestRequest: Int64 { 3_600_000 }

  private static var longestStretch: Int64 { 1 << 10 }

  init(start: Instant, deadline: Instant, limits: Limits, seed: UInt64) {
    self.start = start
    self.deadline = deadline
    self.limits = limits
    origin = start
    random = Random(seed: seed)
  }

  /// An answer told how old the task is, in milliseconds. A wait that began
  /// late goes on from there.
  mutating func learn(age: Int64, at now: Instant) {
    guard age > 0 else { return }
    origin = min(origin, now.advanced(by: -age))
  }

  /// Whether a task that was not found may still show up.
  func mayAppear(at now: Instant) -> Bool { start.milliseconds(until: now) < Self.grace }

  /// When to poll next; the deadline, when no poll is due before it.
  /// `retryAfter`: milliseconds that the service asked to wait.
  mutating func next(isRateLimited: Bool = false, retryAfter: Int64 = 0, at now: Instant) -> Instant {
    stretch = isRateLimited ? min(stretch * 2, Self.longestStretch) : 1
    let requested = min(retryAfter, Self.longestRequest)
    let due = now.advanced(by: max(pause(at: now), requested))
    if due < deadline { return due }
    // What is handed out at the deadline is to be fresh.
    let last = deadline.advanced(by: -Self.lastPollTime)
    return now.advanced(by: max(limits.shortest, requested)) <= last ? last : deadline
  }

  private mutating func pause(at now: Instant) -> Int64 {
    let share = max(limits.shortest, origin.milliseconds(until: now) / limits.part)
    let (stretched, overflows) = share.multipliedReportingOverflow(by: stretch)
    let longest = overflows ? limits.longest : min(stretched, limits.longest)
    let shortest = max(limits.shortest, longest - longest / Self.jitterPart)
    return shortest + random.upTo(longest - shortest)
  }
}
