/// A host and perhaps a port, as a list of hosts gives them.
struct HostAddress: ~Escapable {
  /// A name, an IPv4 address, or an IPv6 address in brackets.
  let host: Span<UInt8>
  let port: Int?

  private static var hostLengthLimit: Int { 253 }

  /// Checks "host", "host:port", "[::1]" or "[::1]:port".
  @_lifetime(copy text)
  init(_ text: Span<UInt8>, listedIn list: StaticString) throws(Failure) {
    // Such a text is not shown: it may hold a password.
    guard text.firstIndex(of: UInt8(ascii: "@")) == nil else {
      throw Failure(
        .configuration, "{name}: a host has a user or a password before \"@\": give \"host[:port]\"", name: list)
    }
    let hostEnd = try Self.endOfHost(text, list)
    host = text.extracting(0..<hostEnd)
    port = try Self.port(text.extracting(hostEnd..<text.count), of: text, list)
    guard host.count <= Self.hostLengthLimit else {
      throw Failure(.configuration, "{name}: the host {text} is too long", name: list, text: text)
    }
  }

  /// The authority that libcurl sends: lower case, without the scheme's own port.
  @inline(never)
  func authority(host: Span<UInt8>, isHTTPS: Bool) throws(OutOfMemory) -> Bytes {
    var authority = Bytes()
    for index in host.indices { try authority.append(host[index].lowercased) }
    if let port, port != (isHTTPS ? 443 : 80) {
      let text: InlineText<8> = ":\(port)"
      try authority.append(text.span)
    }
    return authority
  }

  @inline(never)
  private static func endOfHost(_ text: Span<UInt8>, _ list: StaticString) throws(Failure) -> Int {
    guard !text.isEmpty else { throw Failure(.configuration, "{name} has an empty host", name: list) }
    if text[0] == UInt8(ascii: "[") {
      guard let bracket = text.firstIndex(of: UInt8(ascii: "]")), bracket > 1 else {
        throw Failure(.configuration, "{name}: the host {text} is no IPv6 address in brackets", name: list, text: text)
      }
      for index in 1..<bracket where !isIPv6Byte(text[index]) {
        throw Failure(.configuration, "{name}: the host {text} is no IPv6 address in brackets", name: list, text: text)
      }
      return bracket + 1
    }
    let end = text.firstIndex(of: UInt8(ascii: ":")) ?? text.count
    guard end > 0 else { throw Failure(.configuration, "{name}: the host {text} has no name", name: list, text: text) }
    for index in 0..<end where !isNameByte(text[index]) || isEmptyLabel(text, at: index) {
      throw Failure(
        .configuration, "{name}: the host {text} is no host name: give \"host[:port]\", without path, user or blanks",
        name: list, text: text)
    }
    return end
  }

  @inline(never)
  private static func port(_ rest: Span<UInt8>, of text: Span<UInt8>, _ list: StaticString) throws(Failure) -> Int? {
    guard !rest.isEmpty else { return nil }
    guard rest[0] == UInt8(ascii: ":"), let port = number(rest.extracting(1..<rest.count)), 1...65_535 ~= port else {
      throw Failure(
        .configuration, "{name}: the port of {text} is not a number from 1 to 65535", name: list, text: text)
    }
    return port
  }

  /// A number of up to five digits.
  @inline(never)
  private static func number(_ digits: Span<UInt8>) -> Int? {
    guard 1...5 ~= digits.count else { return nil }
    var number = 0
    for index in digits.indices {
      guard digits[index].isDigit else { return nil }
      number = number * 10 + Int(digits[index] - UInt8(ascii: "0"))
    }
    return number
  }

  @inline(never)
  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
  }

  /// A dot at the beginning, or behind another. One at the end is the root's.
  @inline(never)
  private static func isEmptyLabel(_ text: Span<UInt8>, at index: Int) -> Bool {
    text[index] == UInt8(ascii: ".") && (index == 0 || text[index - 1] == UInt8(ascii: "."))
  }

  @inline(never)
  private static func isIPv6Byte(_ byte: UInt8) -> Bool {
    byte.isDigit || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte | 0x20 || byte == UInt8(ascii: ":")
      || byte == UInt8(ascii: ".")
  }
}
