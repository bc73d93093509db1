/// The hosts that limit the rate, and when the next query may go to each. After a
/// host said so nothing goes there for as long as it asked, and then one query
/// after another at even intervals, at first at half the rate there was: the
/// interval doubles when the host says so again, and shrinks a little with each
/// answer, until the host is no different from others. One refusal among many
/// answers makes no pause for all: it may be meant for one task or bucket.
struct RateGates: ~Copyable {
  /// What a query was given to go to a host.
  struct Turn {
    /// Turns given before the interval last grew are void; 0: none was given.
    var epoch = 0

    /// It has come.
    var isDue = false

    /// When it comes, in microseconds.
    var time: Int64 = 0
  }

  private struct Gate {
    let place: Int

    /// Nothing goes there before.
    var opening: Instant

    /// Microseconds between two queries.
    var interval: Int64

    /// The interval that the turns given so far are apart.
    var spacing: Int64

    /// Of the turns that are valid.
    var epoch: Int

    /// How often the host answered since it refused last.
    var answerCount: Int

    // In microseconds: the next turn, and the next one for those whose turn
    // became void. These are before, since they are older.
    var nextTurn: Int64
    var nextRenewal: Int64
  }

  private var gates = List<Gate>()
  private var epoch = 0
  private var meter = RateMeter()

  /// After so many answers a refusal is one among many.
  private static var manyAnswers: Int { 32 }

  /// Milliseconds. One senseless header is not to stop all for ever.
  private static var longestPause: Int64 { 3_600_000 }

  /// At most, of a gate that is new.
  private static var firstInterval: Int64 { 20_000 }
  private static var longestInterval: Int64 { 250_000 }

  /// Queries that go faster than that need no turns.
  private static var shortestInterval: Int64 { 100 }

  /// By which part of it each answer shortens the interval.
  private static var easing: Int64 { 32 }

  init() {}

  var isEmpty: Bool { gates.isEmpty }

  /// The host said that it limits the rate, to a query that had a turn or none.
  /// `pause`: milliseconds to leave it alone; `heldCount`: how many others have a
  /// turn that is not due.
  @inline(never)
  mutating func limit(_ place: Int, _ turn: Turn, pause: Int64, heldCount: Int, at now: Instant) {
    let pause = min(pause, Self.longestPause)
    guard let index = index(of: place) else { return addGate(at: place, pause: pause, now: now) }
    let opening = now.advanced(by: gates[index].answerCount >= Self.manyAnswers ? 0 : pause)
    gates[index].answerCount = 0
    gates[index].opening = max(gates[index].opening, opening)
    // What went out at another interval says nothing about this one.
    guard turn.epoch == gates[index].epoch else { return }
    epoch += 1
    gates[index].epoch = epoch
    gates[index].interval = min(gates[index].interval * 2, Self.longestInterval)
    gates[index].spacing = gates[index].interval
    gates[index].nextRenewal = Self.microseconds(gates[index].opening) + gates[index].interval
    gates[index].nextTurn = gates[index].nextRenewal + gates[index].interval * Int64(heldCount)
  }

  private mutating func addGate(at place: Int, pause: Int64, now: Instant) {
    let opening = now.advanced(by: meter.count(at: now) >= Self.manyAnswers ? 0 : pause)
    let start = Self.microseconds(opening)
    epoch += 1
    let interval = min(2 * meter.interval(at: now), Self.firstInterval)
    let gate = Gate(
      place: place, opening: opening, interval: interval, spacing: interval, epoch: epoch, answerCount: 0,
      nextTurn: start, nextRenewal: start)
    // Without memory each query still keeps the pause that it was told.
    do throws(OutOfMemory) { try gates.append(gate) } catch {}
  }

  /// The host answered. Returns whether those that are held can go sooner.
  mutating func ease(_ place: Int, at now: Instant) -> Bool {
    meter.record(at: now)
    return !gates.isEmpty && shrink(place, at: now)
  }

  @inline(never)
  private mutating func shrink(_ place: Int, at now: Instant) -> Bool {
    guard let index = index(of: place) else { return false }
    gates[index].answerCount += 1
    gates[index].interval -= gates[index].interval / Self.easing + 1
    if gates[index].interval < Self.shortestInterval {
      _ = gates.swapRemove(at: index)
      return true
    }
    guard gates[index].interval <= gates[index].spacing / 2 else { return false }
    gates[index].spacing = gates[index].interval
    let start = max(now, gates[index].opening)
    gates[index].nextTurn = Self.sooner(gates[index].nextTurn, after: start)
    gates[index].nextRenewal = Self.sooner(gates[index].nextRenewal, after: start)
    return true
  }

  /// When one that is held can go now that all can go sooner.
  func advance(_ turn: inout Turn, at place: Int, now: Instant) -> Instant {
    guard let index = index(of: place) else { return now }
    turn.time = Self.sooner(turn.time, after: max(now, gates[index].opening))
    return Instant(milliseconds: turn.time / 1000)
  }

  /// In half the time: intervals are half as long, and the order stays.
  private static func sooner(_ time: Int64, after begin: Instant) -> Int64 {
    let start = microseconds(begin)
    return time > start ? start + (time - start) / 2 : time
  }

  /// When a query may go to a host; nil: now. It is given a turn, unless it has one.
  @inline(never)
  mutating func admit(_ turn: inout Turn, to place: Int, at now: Instant) -> Instant? {
    guard let index = index(of: place) else { return nil }
    let isRenewal = turn.isDue && turn.epoch != 0
    if turn.isDue, turn.epoch == gates[index].epoch {
      return gates[index].opening > now ? gates[index].opening : nil
    }
    let earliest = Self.microseconds(max(now, gates[index].opening))
    let given = max(isRenewal ? gates[index].nextRenewal : gates[index].nextTurn, earliest)
    if isRenewal {
      gates[index].nextRenewal = given + gates[index].interval
    } else {
      gates[index].nextTurn = given + gates[index].interval
    }
    let instant = Instant(milliseconds: given / 1000)
    turn = Turn(epoch: gates[index].epoch, isDue: instant <= now, time: given)
    return turn.isDue ? nil : instant
  }

  private func index(of place: Int) -> Int? {
    for index in gates.indices where gates[index].place == place { return index }
    return nil
  }

  /// Instants are of this machine's uptime: far from the limits, but checked.
  private static func microseconds(_ instant: Instant) -> Int64 {
    let (product, overflows) = instant.milliseconds.multipliedReportingOverflow(by: 1000)
    return overflows ? .max / 2 : min(product, .max / 2)
  }
}
