import Testing

@testable import Prefop

struct TextTests {
  @Test func textThatDoesNotFitEndsAtACharacter() {
    for length in 0..<12 {
      var text = InlineText<8>()
      let whole = String(repeating: "a", count: length) + "视é😀"
      withSpan(whole) { text.append($0) }
      let shown = string(text.span)
      #expect(whole.hasPrefix(shown) && shown.utf8.count <= 7, "\(whole) became \(shown)")
    }
  }

  @Test func numbers() {
    let numbers: [Int] = [0, 7, -7, 10, 1_234_567_890, .max, .min]
    for number in numbers {
      var text = InlineText<32>()
      text.append(number)
      #expect(string(text.span) == String(number))
    }
  }

  @Test func foreignTextIsMadePrintable() {
    var message = Message()
    message.appendPrintable([0x61, 0x0A, 0x1B, 0x62, 0xFF, 0xE8, 0xA7, 0x86].span)
    #expect(string(message.span) == "a  b?视")
    message.removeAll()
    withSpan(String(repeating: "x", count: 100)) { message.appendExcerpt($0) }
    #expect(string(message.span) == "\"" + String(repeating: "x", count: 60) + "...\"")
  }

  @Test func failuresFillTheirTemplateIn() {
    let failure = withSpan("a b") { text in
      message(
        Failure(.argument, "{name}: {text} at {number} {other}", name: "n", number: -1, text: text)
      )
    }
    #expect(failure == "n: \"a b\" at -1 {other}")
    #expect(message(Failure(.argument, "{number} of {limit}", number: 3, limit: 2)) == "3 of 2")
    for limit in [0, 1, 1 << 31, 1 << 32, 1 << 62, .max] {
      #expect(message(Failure(.argument, "{number} of {limit}", number: limit, limit: limit)) == "\(limit) of \(limit)")
    }
    #expect(message(Failure(.argument, "{limit}{text}", limit: -1)) == "0")
    var inItem = Failure(.argument, "hash is wrong")
    inItem.item = 3
    #expect(message(inItem) == "items[3].hash is wrong")
  }

  @Test func utf8IsJudgedAsRFC3629Says() {
    let wrong: [[UInt8]] = [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
      [0xED, 0xA0, 0x80],
      [0xED, 0xBF, 0xBF], [0xE1, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
      [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xF1, 0x80, 0x80, 0x41],
    ]
    for bytes in wrong { #expect(UTF8Validation.validSequence(in: bytes.span, at: 0) == nil, "\(bytes)") }
    for scalar in ["a", "é", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}"] {
      let bytes = Array(scalar.utf8)
      #expect(UTF8Validation.validSequence(in: bytes.span, at: 0) == bytes.count, "\(scalar)")
    }
  }

  @Test func plainTextEndsAtTheFirstSpecialByteWhereverItIs() {
    for special: UInt8 in [0x00, 0x1F, 0x22, 0x5C, 0x80, 0xFF] {
      for place in 0..<24 {
        var bytes = [UInt8](repeating: 0x7F, count: 24)
        bytes[place] = special
        #expect(ByteScan.endOfPlainText(bytes.span, from: 0) == place)
        #expect(ByteScan.endOfPlainText(bytes.span, from: place + 1) == 24)
      }
    }
  }
}
