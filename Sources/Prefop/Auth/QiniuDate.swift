/// A moment as X-Qiniu-Date has it: YYYYMMDDTHHMMSSZ, in UTC.
struct QiniuDate {
  let secondsSince1970: Int64
  let text: InlineArray<16, UInt8>

  init(secondsSince1970 seconds: Int64) {
    secondsSince1970 = seconds
    let clamped = min(max(seconds, 0), 253_402_300_799)  // the last second of the year 9999
    let (days, secondOfDay) = clamped.quotientAndRemainder(dividingBy: 86_400)
    let date = Self.civil(daysSince1970: days)
    var text = InlineArray<16, UInt8>(repeating: 0)
    func put(_ value: Int64, width: Int, at offset: Int) {
      var rest = value
      for place in 0..<width {
        text[offset + width - 1 - place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
    }
    put(date.year, width: 4, at: 0)
    put(date.month, width: 2, at: 4)
    put(date.day, width: 2, at: 6)
    text[8] = UInt8(ascii: "T")
    put(secondOfDay / 3600, width: 2, at: 9)
    put(secondOfDay / 60 % 60, width: 2, at: 11)
    put(secondOfDay % 60, width: 2, at: 13)
    text[15] = UInt8(ascii: "Z")
    self.text = text
  }

  /// The Gregorian date, counted in years that begin in March, so that the leap
  /// day is the last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  private static func civil(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
  }
}
