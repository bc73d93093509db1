import Foundation
import Testing

@testable import Prefop

struct CreationDateTests {
  private func milliseconds(_ text: String) -> Int64? { withSpan(text) { CreationDate.milliseconds($0) } }

  @Test func asTheServiceWritesIt() {
    #expect(milliseconds("2024-10-22T12:26:36.123+08:00") == 1_729_571_196_123)
    #expect(milliseconds("2024-10-31T17:14:02.234999218+08:00") == 1_730_366_042_234)
    #expect(milliseconds("1970-01-01T00:00:00Z") == 0)
  }

  @Test func itAgreesWithFoundation() {
    let formatter = ISO8601DateFormatter()
    var seconds: Int64 = -60_000_000_000
    var step: Int64 = 1
    while seconds < 253_402_300_799 {
      let text = formatter.string(from: Date(timeIntervalSince1970: TimeInterval(seconds)))
      // Before 1583 Foundation counts days as Caesar did.
      if seconds > -12_212_553_600 { #expect(milliseconds(text) == seconds * 1000, "\(text)") }
      seconds += step
      step = step % 90_000_017 + 8_191_777
    }
  }

  @Test func fractions() {
    for (fraction, expected) in [(".5", 500), (".05", 50), (".0009", 0), (".999999999", 999), (".120", 120)] {
      #expect(milliseconds("1970-01-01T00:00:00\(fraction)Z") == Int64(expected), "\(fraction)")
    }
  }

  @Test func zones() {
    #expect(milliseconds("1970-01-01T00:00:00+23:59") == -86_340_000)
    #expect(milliseconds("1970-01-01T00:00:00-05:30") == 19_800_000)
    #expect(milliseconds("1970-01-01t00:00:00z") == 0)
  }

  @Test func bounds() {
    #expect(milliseconds("0000-01-01T00:00:00+23:59") != nil)
    #expect(milliseconds("9999-12-31T23:59:60.999999999-23:59") != nil)
    #expect(milliseconds("2024-02-29T00:00:00Z") != nil)
    #expect(milliseconds("2000-02-29T00:00:00Z") != nil)
    #expect(milliseconds("2016-12-31T23:59:60Z") == 1_483_228_800_000)
  }

  @Test(arguments: [
    "", "2024", "2024-10-22", "2024-10-22T12:26:36", "2024-10-22 12:26:36Z", "2024-10-22T12:26:36.Z",
    "2024-10-22T12:26:36.1234567890Z", "2024-10-22T12:26:36,5Z", "2024-10-22T12:26:36.5", "2024-10-22T12:26:36Z ",
    "2024-10-22T12:26:36+0800", "2024-10-22T12:26:36+08", "2024-10-22T12:26:36+08:00x", "2024-10-22T12:26:36+24:00",
    "2024-10-22T12:26:36+08:60", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z",
    "2024-01-32T00:00:00Z", "2024-04-31T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
    "2024-10-22T24:00:00Z", "2024-10-22T23:60:00Z", "2024-10-22T23:59:61Z", "-024-10-22T12:26:36Z",
    "2024-1-022T12:26:36Z", "２024-10-22T12:26:36Z", "99999-10-22T12:26:36Z", "2024-10-22T12:26:36.\u{0}Z",
    "2024-10-22T12:26:36−08:00",
  ])
  func whatIsNoSuchDate(_ text: String) { #expect(milliseconds(text) == nil, "\(text)") }

  /// Any byte anywhere: nil or a number, never a trap.
  @Test func noByteTraps() {
    let text = Array("2024-10-22T12:26:36.123456789+08:00".utf8)
    for index in text.indices {
      for byte in UInt8.min...UInt8.max {
        var bytes = text
        bytes[index] = byte
        _ = CreationDate.milliseconds(bytes.span)
      }
      let cut = Array(text[..<index])
      #expect(CreationDate.milliseconds(cut.span) == nil)
    }
  }
}

/// The Date of an answer.
struct AnswerDateTests {
  private func milliseconds(_ text: StaticString) -> Int64? {
    var date = InlineText<64>()
    date.append(text)
    return Curl.milliseconds(ofDate: date)
  }

  @Test func aDate() { #expect(milliseconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777_000) }

  @Test func none() {
    #expect(milliseconds("") == nil)
    #expect(milliseconds("yesterday") == nil)
    #expect(milliseconds("Sun, 99 Nov 1994 08:49:37 GMT") == nil)
  }
}
