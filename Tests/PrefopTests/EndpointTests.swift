import Testing

@testable import Prefop

struct EndpointTests {
  private func authority(_ text: String, isHTTPS: Bool = true) throws -> String {
    try withSpan(text) { span in
      let address = try HostAddress(span, listedIn: "api_hosts")
      let endpoint = try Endpoint(address, isHTTPS: isHTTPS)
      return string(endpoint.authority)
    }
  }

  @Test(arguments: [
    ("api.qiniuapi.com", "api.qiniuapi.com"), ("API.Qiniuapi.COM", "api.qiniuapi.com"),
    ("api.qiniu.com:443", "api.qiniu.com"), ("api.qiniu.com:80", "api.qiniu.com:80"), ("h:65535", "h:65535"),
    ("127.0.0.1:9000", "127.0.0.1:9000"), ("[::1]:9000", "[::1]:9000"), ("[2001:DB8::1]", "[2001:db8::1]"),
    ("[0:0:0:0:0:0:0:1]:9000", "[::1]:9000"), ("[0::1]", "[::1]"),
  ])
  func theAuthorityIsWhatTheHostHeaderWillSay(text: String, expected: String) throws {
    #expect(try authority(text) == expected)
  }

  @Test func eachSchemeHasItsOwnPort() throws {
    #expect(try authority("h:80", isHTTPS: false) == "h")
    #expect(try authority("h:443", isHTTPS: false) == "h:443")
  }

  @Test(arguments: [
    "", ":80", "h:", "h:0", "h:65536", "h:99999999999999999999", "h:8a", "h:-1", "h/path", "user@h", "h h", "h\n",
    "ä.com",
    "[::1", "[]", "[::g]", "::1", "h:80:80", String(repeating: "a", count: 254),
  ])
  func whatIsNoHostIsRefused(text: String) {
    let error = #expect(throws: Failure.self) { try authority(text) }
    #expect(error?.status == .configuration)
  }

  private func list(_ text: String) throws -> [String] {
    try withSpan(text) { span in
      var hosts = HostTable()
      let places = try HostList.places(of: span, named: "api_hosts", preferHTTPS: true, in: &hosts)
      return places.indices.map { index in
        let host = hosts.host(at: places[index])
        return (host.endpoint.isHTTPS ? "https://" : "http://") + string(host.endpoint.authority)
      }
    }
  }

  @Test func listsOfHosts() throws {
    #expect(try list("a, http://b:8080/ ,HTTPS://c") == ["https://a", "http://b:8080", "https://c"])
    #expect(try list("a,b,A:443,http://a") == ["https://a", "https://b", "http://a"], "each host once")
    for bad in ["", "a,,b", "a,", "ftp://a", "http://a/b"] {
      #expect(throws: Failure.self) { try list(bad) }
    }
    let many = Array(repeating: "h", count: 33).joined(separator: ",")
    #expect(throws: Failure.self) { try list(many) }
  }
}
