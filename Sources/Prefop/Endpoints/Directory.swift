/// Where a client's queries can go: the hosts that it was given, and those that
/// it finds. All of its threads share it.
struct Directory: ~Copyable {
  var hosts = HostTable()
  var regions = RegionCache()

  /// The hosts of the options, which are then all that is asked; empty: hosts
  /// are found.
  let given: List<Int>

  /// Who tells which regions there are, and which hosts they have.
  let bucketService: List<Int>

  /// Hosts that answer for every region.
  let global: List<Int>

  let prefersHTTPS: Bool
  let asksForRegions: Bool

  private var guesses = List<Guess>()

  private struct Guess {
    let region: RegionName
    let place: Int
  }

  /// Ids can come from anybody, and each can name another region.
  private static var guessLimit: Int { 64 }
  private static var globalHosts: StaticString { "api.qiniuapi.com,api.qiniu.com" }
  private static var bucketHosts: StaticString { "uc.qiniuapi.com,kodo-config.qiniuapi.com,uc.qbox.me" }

  /// `apiHosts` and `bucketHosts`: lists of hosts; nil: the service's own.
  init(
    apiHosts: Span<UInt8>?, bucketHosts: Span<UInt8>?, named bucketName: StaticString, preferHTTPS: Bool,
    asksForRegions: Bool
  ) throws(Failure) {
    var hosts = HostTable()
    var given = List<Int>()
    if let apiHosts {
      given = try HostList.places(of: apiHosts, named: "api_hosts", preferHTTPS: preferHTTPS, in: &hosts)
    }
    let bucketService = try HostList.places(
      of: Self.list(bucketHosts, else: Self.bucketHosts), named: bucketName, preferHTTPS: preferHTTPS, in: &hosts)
    let global = try HostList.places(
      of: Self.globalHosts.span, named: "global", preferHTTPS: preferHTTPS, in: &hosts)
    self.hosts = hosts
    self.given = given
    self.bucketService = bucketService
    self.global = global
    prefersHTTPS = preferHTTPS
    self.asksForRegions = asksForRegions
  }

  @_lifetime(copy given)
  private static func list(_ given: Span<UInt8>?, else standard: StaticString) -> Span<UInt8> {
    if let given { return given }
    return standard.span
  }

  /// The host that a region's name leads to; nil: too many regions were named.
  mutating func guess(_ region: RegionName) throws(Failure) -> Int? {
    for index in guesses.indices where guesses[index].region.span.equals(region.span) { return guesses[index].place }
    guard guesses.count < Self.guessLimit else { return nil }
    var name = InlineText<256>()
    name.append("api-")
    name.append(region.span)
    name.append(".qiniuapi.com")
    guard
      let place = try hosts.place(of: HostAddress(name.span, listedIn: "persistent_id"), isHTTPS: prefersHTTPS)
    else { return nil }
    do throws(OutOfMemory) {
      try guesses.append(Guess(region: region, place: place))
    } catch {
      throw .outOfMemory
    }
    return place
  }
}
