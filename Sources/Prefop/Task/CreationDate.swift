/// When a task was submitted, as the service tells it: RFC 3339, with up to nine
/// digits of a second's fraction and a zone.
enum CreationDate {
  private typealias Fields = InlineArray<6, Int64>

  /// Milliseconds since 1970 in UTC; nil for anything else than such a date.
  static func milliseconds(_ text: Span<UInt8>) -> Int64? {
    let form: StaticString = "0000-00-00T00:00:00"
    var end = form.utf8CodeUnitCount
    guard let time = fields(text, form, at: 0),
      1...12 ~= time[1], 1...length(ofMonth: time[1], time[0]) ~= time[2], time[3] < 24, time[4] < 60,
      // 60 is a leap second.
      time[5] <= 60,
      let fraction = fraction(text, endingAt: &end), let offset = offset(text, at: end)
    else { return nil }
    let days = days(time[0], time[1], time[2])
    return (((days * 24 + time[3]) * 60 + time[4] - offset) * 60 + time[5]) * 1000 + fraction
  }

  /// The numbers in a text of this form, where each 0 stands for a digit, and a
  /// letter for itself in either case.
  private static func fields(_ text: Span<UInt8>, _ form: StaticString, at start: Int) -> Fields? {
    guard text.count - start >= form.utf8CodeUnitCount else { return nil }
    let form = form.span
    var fields = Fields(repeating: 0)
    var field = 0
    for index in form.indices {
      let byte = text[start + index]
      if form[index] != UInt8(ascii: "0") {
        guard byte.uppercased == form[index] else { return nil }
        field += 1
      } else {
        guard byte.isDigit else { return nil }
        fields[field] = fields[field] * 10 + Int64(byte - UInt8(ascii: "0"))
      }
    }
    return fields
  }

  /// Milliseconds of the fraction, if there is one.
  private static func fraction(_ text: Span<UInt8>, endingAt end: inout Int) -> Int64? {
    guard end < text.count, text[end] == UInt8(ascii: ".") else { return 0 }
    end += 1
    var milliseconds: Int64 = 0
    var weight: Int64 = 100
    let start = end
    while end < text.count, text[end].isDigit {
      milliseconds += weight * Int64(text[end] - UInt8(ascii: "0"))
      weight /= 10
      end += 1
    }
    return 1...9 ~= end - start ? milliseconds : nil
  }

  /// Minutes that the zone, the last in the text, is ahead of UTC.
  private static func offset(_ text: Span<UInt8>, at start: Int) -> Int64? {
    guard start < text.count else { return nil }
    let sign = text[start]
    if sign.uppercased == UInt8(ascii: "Z") { return text.count == start + 1 ? 0 : nil }
    guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), text.count == start + 6,
      let zone = fields(text, "00:00", at: start + 1), zone[0] < 24, zone[1] < 60
    else { return nil }
    let minutes = zone[0] * 60 + zone[1]
    return sign == UInt8(ascii: "-") ? -minutes : minutes
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
}
