/// When a task was submitted, as the service tells it: RFC 3339, with up to nine
/// digits of a second's fraction and a zone.
enum CreationDate {
  /// Milliseconds since 1970 in UTC; nil for anything else than such a date.
  static func milliseconds(_ text: Span<UInt8>) -> Int64? {
    guard let year = number(text, at: 0, digits: 4), has(text, "-", at: 4),
      let month = number(text, at: 5, digits: 2), 1...12 ~= month, has(text, "-", at: 7),
      let day = number(text, at: 8, digits: 2), 1...length(ofMonth: month, year) ~= day, has(text, "T", at: 10),
      let hour = number(text, at: 11, digits: 2), hour < 24, has(text, ":", at: 13),
      let minute = number(text, at: 14, digits: 2), minute < 60, has(text, ":", at: 16),
      // 60 is a leap second.
      let second = number(text, at: 17, digits: 2), second <= 60
    else { return nil }
    var end = 19
    guard let fraction = fraction(text, endingAt: &end), let offset = offset(text, at: end) else { return nil }
    let days = days(year, month, day)
    return (((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 + fraction
  }

  /// Milliseconds of the fraction, if there is one.
  private static func fraction(_ text: Span<UInt8>, endingAt end: inout Int) -> Int64? {
    guard has(text, ".", at: end) else { return 0 }
    let start = end + 1
    end = start
    var milliseconds: Int64 = 0
    while end < text.count, text[end].isDigit { end += 1 }
    guard 1...9 ~= end - start else { return nil }
    for index in start..<start + 3 {
      milliseconds *= 10
      if index < end { milliseconds += Int64(text[index] - UInt8(ascii: "0")) }
    }
    return milliseconds
  }

  /// Minutes that the zone is ahead of UTC.
  private static func offset(_ text: Span<UInt8>, at start: Int) -> Int64? {
    if has(text, "Z", at: start) { return text.count == start + 1 ? 0 : nil }
    guard has(text, "+", at: start) || has(text, "-", at: start), text.count == start + 6,
      let hour = number(text, at: start + 1, digits: 2), hour < 24, has(text, ":", at: start + 3),
      let minute = number(text, at: start + 4, digits: 2), minute < 60
    else { return nil }
    return (hour * 60 + minute) * (has(text, "+", at: start) ? 1 : -1)
  }

  /// Days since 1970, counted in years that begin in March (Howard Hinnant,
  /// "chrono-Compatible Low-Level Date Algorithms").
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    // Four centuries later, so that nothing is negative.
    let shifted = year + 400 - (month <= 2 ? 1 : 0)
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468 - 146_097
  }

  private static func length(ofMonth month: Int64, _ year: Int64) -> Int64 {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }

  private static func number(_ text: Span<UInt8>, at start: Int, digits: Int) -> Int64? {
    guard text.count - start >= digits else { return nil }
    var value: Int64 = 0
    for index in start..<start + digits {
      guard text[index].isDigit else { return nil }
      value = value * 10 + Int64(text[index] - UInt8(ascii: "0"))
    }
    return value
  }

  /// Letters stand there in either case.
  private static func has(_ text: Span<UInt8>, _ mark: Unicode.Scalar, at index: Int) -> Bool {
    index < text.count && text[index].uppercased == UInt8(ascii: mark)
  }
}
