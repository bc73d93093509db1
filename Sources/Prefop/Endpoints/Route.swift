/// Which hosts a query asks, one after the other: each at most once, those that
/// failed lately last.
///
/// A query goes to the hosts that the client was given, if it was. Else to the
/// host that its id's region leads to; then to the regions of its bucket, to all
/// regions of the account, and to the hosts that answer for every region. The
/// bucket service is asked only when its turn comes, and what it said is kept.
struct Route {
  enum Step {
    /// Ask this host.
    case ask(HostReference)
    /// Ask the bucket service, then come back.
    case askForRegions(ofBucket: Bool)
    /// Another query is asking the bucket service: wait for it, then come back.
    case wait(ofBucket: Bool)
    /// No host is left.
    case end
  }

  private enum Stage {
    case given, region, regionAsKnown, bucket, account, global, bucketService, setAside, ended
  }

  private var stage: Stage
  private let region: RegionName

  /// Hosts that had their turn.
  private var seen = HostSet()

  /// Hosts whose turn came while they were set aside.
  private var setAside = HostSet()

  /// The hosts of the region that is being asked, when the task may as well be
  /// in another one.
  private var neighbours: HostSet?

  /// In this stage: the bucket service had its turn; a region said that it does
  /// not have the task; a region could not be asked.
  private var hasClaimed = false
  private var isMissed = false
  private var isIncomplete = false

  /// The route of a query for a task.
  init(_ directory: borrowing Directory, region: RegionName) {
    stage = directory.given.isEmpty ? .region : .given
    self.region = region
  }

  /// The route of a query for regions.
  init() {
    stage = .bucketService
    region = RegionName()
  }

  /// Whether another region may have what the host just asked has not.
  var mayBeElsewhere: Bool { neighbours != nil }

  /// The host just asked has not got the task: nor have the others of its region.
  @inline(never)
  mutating func miss() {
    isMissed = true
    if let neighbours { seen.formUnion(neighbours) }
  }

  /// The bucket service had its turn.
  @inline(never)
  mutating func passOverRegions() { hasClaimed = true }

  /// The host just asked could not tell.
  @inline(never)
  mutating func fail() { isIncomplete = true }

  @inline(never)
  mutating func next(
    _ directory: inout Directory, _ subject: RegionSubject, at now: Instant
  ) throws(Failure) -> Step {
    while true {
      neighbours = nil
      switch stage {
      case .given:
        if let place = first(of: directory.given, &directory.hosts, now) { return ask(place, directory) }
        enter(.setAside)
      case .bucketService:
        if let place = first(of: directory.bucketService, &directory.hosts, now) { return ask(place, directory) }
        enter(.setAside)
      case .region:
        if !region.isEmpty, let place = try directory.guess(region), isOffered(place, &directory.hosts, now) {
          return ask(place, directory)
        }
        enter(.regionAsKnown)
      case .regionAsKnown:
        let account = subject.part(ofBucket: false)
        if !region.isEmpty, directory.regions.known(account) != nil {
          // Whoever uses an answer asks for another in time.
          if let step = try claim(account, &directory, now) { return step }
          if let place = first(ofRegionsOf: account, &directory, isOneRegion: true, now) {
            return ask(place, directory)
          }
        }
        enter(subject.bucket.isEmpty ? .account : .bucket)
      case .bucket:
        if let step = try claim(subject, &directory, now) { return step }
        if let place = first(ofRegionsOf: subject, &directory, isOneRegion: false, now) { return ask(place, directory) }
        enter(isMissed && !isIncomplete ? .ended : .account)
      case .account:
        let account = subject.part(ofBucket: false)
        if let step = try claim(account, &directory, now) { return step }
        if let place = first(ofRegionsOf: account, &directory, isOneRegion: false, now) { return ask(place, directory) }
        enter(isMissed && !isIncomplete ? .ended : .global)
      case .global:
        if let place = first(of: directory.global, &directory.hosts, now) { return ask(place, directory) }
        enter(.setAside)
      case .setAside:
        // Better a host that failed lately than none.
        guard let place = directory.hosts.leastBad(of: setAside) else { return .end }
        setAside.remove(place)
        return ask(place, directory)
      case .ended:
        return .end
      }
    }
  }

  @inline(never)
  private mutating func enter(_ next: Stage) {
    stage = next
    hasClaimed = false
    isMissed = false
    isIncomplete = false
  }

  @inline(never)
  private func ask(_ place: Int, _ directory: borrowing Directory) -> Step { .ask(directory.hosts.host(at: place)) }

  /// Whether it is this host's turn.
  @inline(never)
  private mutating func isOffered(_ place: Int, _ hosts: inout HostTable, _ now: Instant) -> Bool {
    guard !seen.contains(place) else { return false }
    seen.insert(place)
    if hosts.isOffered(place, at: now) { return true }
    setAside.insert(place)
    isIncomplete = true
    return false
  }

  @inline(never)
  private mutating func first(of places: borrowing List<Int>, _ hosts: inout HostTable, _ now: Instant) -> Int? {
    for index in places.indices where isOffered(places[index], &hosts, now) { return places[index] }
    return nil
  }

  /// Sees to it that the bucket service was asked, once in a stage.
  @inline(never)
  private mutating func claim(
    _ subject: RegionSubject, _ directory: inout Directory, _ now: Instant
  ) throws(Failure) -> Step? {
    guard !hasClaimed, directory.asksForRegions, !subject.accessKey.isEmpty else { return nil }
    let claim: RegionCache.Claim
    do throws(OutOfMemory) {
      claim = try directory.regions.claim(subject, at: now)
    } catch {
      throw .outOfMemory
    }
    switch claim {
    case .wait: return .wait(ofBucket: !subject.bucket.isEmpty)
    case .ask:
      hasClaimed = true
      return .askForRegions(ofBucket: !subject.bucket.isEmpty)
    case .known, .unavailable:
      hasClaimed = true
      return nil
    }
  }

  /// The next host of the regions that are known. If the id's region is among
  /// them, or must be, of that one alone.
  @inline(never)
  private mutating func first(
    ofRegionsOf subject: RegionSubject, _ directory: inout Directory, isOneRegion: Bool, _ now: Instant
  ) -> Int? {
    guard let answer = directory.regions.known(subject) else { return nil }
    let only = directory.regions[answer].region(named: region.span)
    guard only != nil || !isOneRegion else { return nil }
    for index in directory.regions[answer].hosts.indices {
      let host = directory.regions[answer].hosts[index]
      guard only == nil || host.region == only, isOffered(host.place, &directory.hosts, now) else { continue }
      if only == nil { neighbours = directory.regions[answer].hosts(of: host.region) }
      return host.place
    }
    return nil
  }
}
