/// The parts of a URL that are signed. It is either whole, or only a path with
/// its query.
struct RequestURL: ~Escapable {
  /// Without user and password; empty when the URL is only a path.
  let host: Span<UInt8>

  /// As received, escapes and all; "/" when there is none.
  let path: Span<UInt8>

  /// Without its question mark; empty when there is none.
  let query: Span<UInt8>

  @_lifetime(copy url)
  init(_ url: Span<UInt8>) throws(Failure) {
    guard !url.contains(where: { $0.isControl || $0 == 0x20 }) else {
      throw Failure(.argument, "notification.url has a blank or a control character in it")
    }
    let whole = url.extracting(0..<(url.firstIndex(of: UInt8(ascii: "#")) ?? url.count))
    let start: Int
    if whole.hasPrefix("https://", ignoringCase: true) {
      start = 8
    } else if whole.hasPrefix("http://", ignoringCase: true) {
      start = 7
    } else if whole.hasPrefix("/") {
      start = 0
    } else {
      throw Failure(
        .argument, "notification.url is no URL: give \"https://host/path?query\" or \"/path?query\"")
    }
    let slash = whole.firstIndex(of: UInt8(ascii: "/"), from: start) ?? whole.count
    let mark = whole.firstIndex(of: UInt8(ascii: "?"), from: start) ?? whole.count
    let hostEnd = min(slash, mark)
    host = Self.withoutUser(whole.extracting(start..<hostEnd))
    path = whole.extracting(hostEnd..<mark)
    query = whole.extracting(min(mark + 1, whole.count)..<whole.count)
  }

  @_lifetime(copy authority)
  private static func withoutUser(_ authority: Span<UInt8>) -> Span<UInt8> {
    var start = 0
    while let at = authority.firstIndex(of: UInt8(ascii: "@"), from: start) { start = at + 1 }
    return authority.extracting(start..<authority.count)
  }

  /// The path with its %XX decoded, as the Go SDK signs it.
  func decodedPath() throws(Failure) -> Bytes {
    var decoded = Bytes()
    do throws(OutOfMemory) {
      var index = 0
      while index < path.count {
        if path[index] == UInt8(ascii: "%"), let byte = Hex.byte(in: path, at: index + 1) {
          try decoded.append(byte)
          index += 3
        } else {
          try decoded.append(path[index])
          index += 1
        }
      }
    } catch {
      throw .outOfMemory
    }
    return decoded
  }
}
