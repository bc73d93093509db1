import CPlatform

/// Milliseconds on a clock that only goes forward. What decides when and whom to
/// ask reads no clock: instants are passed in, so tests run in virtual time.
struct Instant: Comparable {
  var milliseconds: Int64

  static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }

  /// The instant after a pause; one that cannot be counted is never reached.
  func advanced(by pause: Int64) -> Instant {
    let (sum, overflows) = milliseconds.addingReportingOverflow(pause)
    return overflows ? .never : Instant(milliseconds: sum)
  }

  /// Milliseconds until `later`, 0 when it has passed.
  func milliseconds(until later: Instant) -> Int64 {
    guard later > self else { return 0 }
    let (difference, overflows) = later.milliseconds.subtractingReportingOverflow(milliseconds)
    return overflows ? .max : difference
  }

  static var never: Instant { Instant(milliseconds: .max) }
}

enum Clock {
  /// Now, on the monotonic clock.
  static var now: Instant {
    let time = read(CLOCK_MONOTONIC)
    // Far from the limits; should a clock be mad, a wrong instant is better than
    // the end of the program.
    return Instant(milliseconds: Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000)
  }

  /// Seconds since 1970 in UTC, for the date that is signed.
  static var secondsSince1970: Int64 { Int64(read(CLOCK_REALTIME).tv_sec) }

  private static func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    // Cannot fail for these two clocks.
    _ = unsafe clock_gettime(clock, &time)
    return time
  }
}

enum Duration {
  /// Milliseconds as C gives them: 0 is the default; negative is none, which is
  /// longer than any process lives.
  static func given(_ milliseconds: Int64, default standard: Int64) -> Int64 {
    milliseconds == 0 ? standard : milliseconds < 0 ? .max : milliseconds
  }
}
