/// The hosts to ask, in order; never empty.
struct EndpointList: ~Copyable {
  private var endpoints: List<Endpoint>

  static var limit: Int { 32 }
  private static var defaultHost: StaticString { "api.qiniuapi.com" }

  var count: Int { endpoints.count }

  /// Lends an endpoint; an index past the end means the last.
  subscript(index: Int) -> Endpoint {
    unsafeAddress { unsafe endpoints.address(at: min(max(index, 0), endpoints.count - 1)) }
  }

  /// The hosts of a list "host[:port]" or "http(s)://host[:port]", separated by
  /// commas; nil: the service's global host.
  init(_ list: Span<UInt8>?, named name: StaticString, preferHTTPS: Bool) throws(Failure) {
    var endpoints = List<Endpoint>()
    if let list {
      try Self.read(list, name, preferHTTPS, into: &endpoints)
    } else {
      let host = Self.defaultHost
      let text = unsafe Span(_unsafeStart: host.utf8Start, count: host.utf8CodeUnitCount)
      try Self.append(text, name, isHTTPS: preferHTTPS, to: &endpoints)
    }
    self.endpoints = endpoints
  }

  private static func read(
    _ list: Span<UInt8>, _ name: StaticString, _ preferHTTPS: Bool, into endpoints: inout List<Endpoint>
  ) throws(Failure) {
    // Nothing of such a list is shown: a password may hold commas too.
    guard list.firstIndex(of: UInt8(ascii: "@")) == nil else {
      throw Failure(
        .configuration, "{name}: a host has a user or a password before \"@\": give \"host[:port]\"", name: name)
    }
    var start = 0
    while start <= list.count {
      let end = list.firstIndex(of: UInt8(ascii: ","), from: start) ?? list.count
      try append(list.extracting(start..<end).trimmed, name, preferHTTPS, to: &endpoints)
      start = end + 1
    }
  }

  private static func append(
    _ entry: Span<UInt8>, _ name: StaticString, _ preferHTTPS: Bool, to endpoints: inout List<Endpoint>
  ) throws(Failure) {
    guard endpoints.count < limit else {
      throw Failure(.configuration, "{name} has more than {limit} hosts", name: name, limit: limit)
    }
    if entry.hasPrefix("https://", ignoringCase: true) {
      try append(withoutSlash(entry.extracting(8..<entry.count)), name, isHTTPS: true, to: &endpoints)
    } else if entry.hasPrefix("http://", ignoringCase: true) {
      try append(withoutSlash(entry.extracting(7..<entry.count)), name, isHTTPS: false, to: &endpoints)
    } else {
      try append(entry, name, isHTTPS: preferHTTPS, to: &endpoints)
    }
  }

  private static func append(
    _ entry: Span<UInt8>, _ name: StaticString, isHTTPS: Bool, to endpoints: inout List<Endpoint>
  ) throws(Failure) {
    let endpoint = try Endpoint(HostAddress(entry, listedIn: name), isHTTPS: isHTTPS)
    do throws(OutOfMemory) {
      try endpoints.append(endpoint)
    } catch {
      throw .outOfMemory
    }
  }

  /// A URL's empty path is no path.
  @_lifetime(copy entry)
  private static func withoutSlash(_ entry: Span<UInt8>) -> Span<UInt8> {
    guard entry.count > 0, entry[entry.count - 1] == UInt8(ascii: "/") else { return entry }
    return entry.extracting(0..<entry.count - 1)
  }
}
