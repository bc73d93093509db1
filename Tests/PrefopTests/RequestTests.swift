import Testing

@testable import Prefop

struct RequestTests {
  private func escaped(_ id: String) throws -> String {
    try withSpan(id) { span in
      let id = try PersistentID(span)
      var target = Bytes()
      try id.appendEscaped(to: &target)
      return string(target.span)
    }
  }

  @Test func idsAreEscapedAsAQueryStringHasThem() throws {
    #expect(try escaped("z0.597f28b445a2650c994bb208") == "z0.597f28b445a2650c994bb208")
    #expect(try escaped("AZaz09-_.~") == "AZaz09-_.~")
    #expect(try escaped("a b+c&d=e#f/g?h%") == "a+b%2Bc%26d%3De%23f%2Fg%3Fh%25")
    #expect(try escaped("视频") == "%E8%A7%86%E9%A2%91")
  }

  @Test(arguments: ["", "a\n", "\u{7F}", "a\tb", String(repeating: "i", count: 257)])
  func whatIsNoIDIsRefused(id: String) {
    let error = #expect(throws: Failure.self) { try escaped(id) }
    #expect(error?.status == .argument)
  }

  private func head(_ lines: String...) -> ResponseHead {
    var head = ResponseHead()
    for line in lines { withSpan(line + "\r\n") { head.read(line: $0) } }
    return head
  }

  @Test func theHeadTellsWhoseAnswerItIs() {
    let own = head("HTTP/1.1 200 OK", "x-REQID:  abc ", "")
    #expect(string(own.requestID.span) == "abc")
    #expect(own.isFromQiniu)
    #expect(own.isComplete)
    #expect(head("HTTP/2 200", "X-Log: mc.g;IO", "").isFromQiniu)
    #expect(!head("HTTP/1.1 200 OK", "X-Reqid:", "X-Log: ", "").isFromQiniu)
    #expect(!head("HTTP/1.1 200 OK", "X-Reqidx: a", "Server: x-reqid: a", "").isFromQiniu)
    #expect(!head("HTTP/1.1 200 OK", "X-Reqid: a").isComplete)
  }

  @Test func anInterimAnswerDoesNotCount() {
    #expect(!head("HTTP/1.1 103 Early Hints", "X-Reqid: early", "", "HTTP/1.1 200 OK", "").isFromQiniu)
  }

  @Test(arguments: [
    (#"{"error":"not such id in prefop","error_code":"x"}"#, "not such id in prefop"),
    (#"{"a":{"error":"inner"},"error":"\u4e2d\n文"}"#, "中 文"), ("bad token\nsecond line", "bad token"),
    ("\n  spaced", "spaced"), ("<html><body>502</body></html>", ""), (#"{"error":"#, ""), ("", ""), ("{}", ""),
  ])
  func theServicesOwnWords(body: String, expected: String) {
    #expect(withSpan(body) { string(ServiceText.read($0).span) } == expected)
  }

  @Test func agentsArePrintable() throws {
    let line = try withSpan("shop/1.0") { addition in
      let header = try UserAgent.header(with: addition)
      return string(header.span)
    }
    #expect(line.hasPrefix("User-Agent: prefop/1.0.0 (linux; x86_64) libcurl/"))
    #expect(line.hasSuffix(" shop/1.0\0"))
    #expect(throws: Failure.self) { try withSpan("a\r\nX: y") { _ = try UserAgent.header(with: $0) } }
  }
}
