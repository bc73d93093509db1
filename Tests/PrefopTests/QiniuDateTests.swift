import Foundation
import Testing

@testable import Prefop

struct QiniuDateTests {
  private func text(_ seconds: Int64) -> String { string(QiniuDate(secondsSince1970: seconds).text.span) }

  @Test func itAgreesWithFoundation() {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
    var seconds: Int64 = 0
    var step: Int64 = 1
    while seconds < 253_402_300_799 {
      #expect(text(seconds) == formatter.string(from: Date(timeIntervalSince1970: TimeInterval(seconds))))
      seconds += step
      step = step % 90_000_017 + 8_191_777
    }
  }

  @Test func leapDays() {
    #expect(text(951_782_399) == "20000228T235959Z")
    #expect(text(951_782_400) == "20000229T000000Z")
    #expect(text(1_709_164_800) == "20240229T000000Z")
    #expect(text(4_107_542_400) == "21000301T000000Z")
  }

  @Test func timesOutsideOfFourDigitYearsAreClamped() {
    #expect(text(-1) == "19700101T000000Z")
    #expect(text(.max) == "99991231T235959Z")
    #expect(text(.min) == "19700101T000000Z")
  }
}
