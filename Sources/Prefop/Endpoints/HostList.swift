/// Reads a list of hosts: "host[:port]" or "http(s)://host[:port]", separated
/// by commas.
enum HostList {
  static var limit: Int { 32 }

  /// The places of the hosts, in order, without repetitions.
  static func places(
    of list: Span<UInt8>, named name: StaticString, preferHTTPS: Bool, in hosts: inout HostTable
  ) throws(Failure) -> List<Int> {
    // Nothing of such a list is shown: a password may hold commas too.
    guard list.firstIndex(of: UInt8(ascii: "@")) == nil else {
      throw Failure(
        .configuration, "{name}: a host has a user or a password before \"@\": give \"host[:port]\"", name: name)
    }
    var places = List<Int>()
    var seen = HostSet()
    var count = 0
    var start = 0
    while start <= list.count {
      let end = list.firstIndex(of: UInt8(ascii: ","), from: start) ?? list.count
      count += 1
      guard count <= limit else {
        throw Failure(.configuration, "{name} has more than {limit} hosts", name: name, limit: limit)
      }
      let place = try place(of: list.extracting(start..<end).trimmed, name, preferHTTPS, in: &hosts)
      if let place, !seen.contains(place) {
        seen.insert(place)
        do throws(OutOfMemory) { try places.append(place) } catch { throw .outOfMemory }
      }
      start = end + 1
    }
    return places
  }

  private static func place(
    of entry: Span<UInt8>, _ name: StaticString, _ preferHTTPS: Bool, in hosts: inout HostTable
  ) throws(Failure) -> Int? {
    if entry.hasPrefix("https://", ignoringCase: true) {
      return try place(of: withoutSlash(entry.extracting(8..<entry.count)), name, isHTTPS: true, in: &hosts)
    }
    if entry.hasPrefix("http://", ignoringCase: true) {
      return try place(of: withoutSlash(entry.extracting(7..<entry.count)), name, isHTTPS: false, in: &hosts)
    }
    return try place(of: entry, name, isHTTPS: preferHTTPS, in: &hosts)
  }

  private static func place(
    of entry: Span<UInt8>, _ name: StaticString, isHTTPS: Bool, in hosts: inout HostTable
  ) throws(Failure) -> Int? {
    try hosts.place(of: HostAddress(entry, listedIn: name), isHTTPS: isHTTPS)
  }

  /// A URL's empty path is no path.
  @_lifetime(copy entry)
  private static func withoutSlash(_ entry: Span<UInt8>) -> Span<UInt8> {
    guard entry.count > 0, entry[entry.count - 1] == UInt8(ascii: "/") else { return entry }
    return entry.extracting(0..<entry.count - 1)
  }
}
