import Testing

@testable import Prefop

/// What cannot be seen through the C interface; whether documents are right is
/// compared with Python's reader there.
struct TOMLTests {
  /// Reads a document of one table, "t", and what `body` wants of it.
  private func read<R>(
    _ lines: String, _ body: (inout TOMLReader) throws(TOMLError) -> R
  ) throws(TOMLError) -> R {
    var bytes = Array("[t]\n\(lines)\n".utf8)
    bytes.append(0)
    var toml = TOMLReader(bytes.span)
    try toml.read()
    let isThere = try toml.open(("t" as StaticString).span)
    #expect(isThere)
    return try body(&toml)
  }

  private func text(_ value: String) throws(TOMLError) -> String {
    try read("k = \(value)") { toml throws(TOMLError) in
      var text = Secret()
      try toml.text("k", into: &text)
      return string(text.span)
    }
  }

  private func list(_ value: String) throws(TOMLError) -> String {
    try read("k = \(value)") { toml throws(TOMLError) in
      var list = Secret()
      try toml.list("k", into: &list)
      return string(list.span)
    }
  }

  @Test func textMeansWhatItSays() throws {
    #expect(try text(#""""#) == "")
    #expect(try text(#"'\n'"#) == #"\n"#)
    #expect(try text(#""\b\t\n\f\r\"\\\u00e9\U0001F600\u0000.""#) == "\u{8}\t\n\u{c}\r\"\\é😀\0.")
    #expect(try text("\"\"\"\r\n\r\na\\\r\n  \r\n b\\  \n\"\"\"\"\"") == "\nab\"\"")
    #expect(try text("''''\r\n''''") == "'\n'")
    #expect(try text(#""\babcd\fabcd""#) == "\u{8}abcd\u{c}abcd")
  }

  @Test func listsAreJoinedWithoutWhatIsEmpty() throws {
    #expect(try list("'a, b'") == "a, b")
    #expect(try list("[]") == "")
    #expect(try list("['', \"\", '''''']") == "")
    #expect(try list("['a']") == "a")
    #expect(try list("[\n 'a', # ,\n \"\", \"\\u0062\",\n '''\nc''' ,\n]") == "a,b,c")
  }

  @Test func anElementOfAnotherTypeIsToldByItsLine() {
    let error = #expect(throws: TOMLError.self) { try list("['a',\n\n 1]") }
    #expect(error?.problem == .expectedText)
    #expect("[t]\nk = ['a',\n\n 1]".utf8.count == error.map { $0.offset + 2 })
  }

  @Test func booleans() throws {
    for (value, meaning) in [("true", true), ("false", false)] {
      #expect(try read("k = \(value)") { toml throws(TOMLError) in try toml.boolean("k") } == meaning)
    }
    #expect(try read("") { toml throws(TOMLError) in try toml.boolean("k") } == false)
  }

  @Test func aKeyThatIsNotThereLeavesTheTextAsItWas() throws {
    let isUntouched = try read("k2 = 1\n[t.x]\nk = 'a'") { toml throws(TOMLError) in
      var text = Secret()
      try toml.text("k", into: &text)
      try toml.list("k", into: &text)
      return text.isEmpty
    }
    #expect(isUntouched)
  }

  @Test func theLineOfAPlace() {
    withSpan("a\nb\r\n\nc") { document in
      for (offset, line) in [(0, 1), (1, 1), (2, 2), (5, 3), (6, 4), (7, 4), (1000, 4)] {
        #expect(TOMLError(problem: .expectedKey, offset: offset).line(in: document) == line)
      }
    }
  }
}

struct SecretTests {
  @Test func itHoldsWhatItHasRoomFor() throws {
    var secret = try Secret(capacity: 3)
    #expect(secret.isEmpty && secret.count == 0)
    for byte in "abc".utf8 { secret.appendReserved(byte) }
    #expect(string(secret.span) == "abc")
    secret.removeAll(from: 3)
    secret.removeAll(from: 7)
    secret.removeAll(from: -1)
    #expect(string(secret.span) == "abc")
    secret.removeAll(from: 1)
    let written = unsafe secret.appendReserved(upTo: 2) { place, limit in
      unsafe place.storeBytes(of: UInt8(ascii: "x"), as: UInt8.self)
      return limit - 1
    }
    #expect(written == 1 && string(secret.span) == "ax")
    #expect(secret.appendReserved(upTo: 1) { _, _ in -1 } == -1)
    #expect(string(secret.span) == "ax")
    let copy = try Secret(copying: secret.span)
    #expect(string(copy.span) == "ax")
  }
}
