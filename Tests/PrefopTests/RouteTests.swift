import Testing

@testable import Prefop

/// Which hosts a query asks, in virtual time.
struct RouteTests {
  private final class World {
    let directory: Lock<Directory>
    var now: Int64 = 0

    init(api: String? = nil, bucket: String = "uc-a,uc-b", asks: Bool = true) throws {
      directory = try withSpan(bucket) { bucket in
        guard let api else { return try Lock(World.directory(nil, bucket, asks)) }
        return try withSpan(api) { api in try Lock(World.directory(api, bucket, asks)) }
      }
    }

    private static func directory(_ api: Span<UInt8>?, _ bucket: Span<UInt8>, _ asks: Bool) throws -> Directory {
      try Directory(apiHosts: api, bucketHosts: bucket, named: "bucket_hosts", preferHTTPS: true, asksForRegions: asks)
    }

    var hostCount: Int { directory.withLock { directory in directory.hosts.count } }

    /// What a query of this id asks, told of each host how it answers.
    func hosts(
      _ id: String, accessKey: String = "ak", bucket: String = "",
      regions: String? = nil, _ answer: (String) -> Outcome
    ) throws -> [String] {
      try withSpan(id) { id in
        try withSpan(accessKey) { accessKey in
          try withSpan(bucket) { bucket in
            let subject = RegionSubject(accessKey: accessKey, bucket: bucket)
            return try run(PersistentID(id), subject, regions, answer)
          }
        }
      }
    }

    private func run(
      _ id: PersistentID, _ subject: RegionSubject, _ regions: String?, _ answer: (String) -> Outcome
    ) throws -> [String] {
      var query = Query(
        route: directory.withLock { directory in Route(directory, region: id.region) },
        attemptLimit: 1, attemptTimeout: 1_000, deadline: at(now + 30_000), seed: 1)
      var asked: [String] = []
      for _ in 0..<1_000 {
        switch try query.next(directory, subject, at: at(now)) {
        case .send(let request, let host, _):
          let name = string(host.endpoint.authority)
          asked.append(request == .regions(ofBucket: true) ? "bucket at \(name)" : name)
          now += 10
          var outcome = answer(name)
          if case .regions(let ofBucket) = request, outcome == .task {
            outcome = store(regions ?? "{}", subject.part(ofBucket: ofBucket)) ? .task : .notATask
          }
          query.received(outcome, retryAfter: 0, reason: Message(), directory, at: at(now))
          if request == .task, outcome == .task { return asked }
        case .pause(let end): now = end.milliseconds
        case .wait:
          Issue.record("nobody else asks")
          return asked
        case .finished: return asked
        }
      }
      Issue.record("the query never ends")
      return asked
    }

    private func store(_ regions: String, _ subject: RegionSubject) -> Bool {
      withSpan(regions) { document in
        var draft = RegionDraft()
        do throws(JSONError) { try draft.read(document) } catch { return false }
        return directory.withLock { directory in
          guard let answer = try? RegionAnswer(draft, document, preferHTTPS: true, in: &directory.hosts),
            !answer.hosts.isEmpty
          else { return false }
          directory.regions.store(answer, for: subject, at: at(now))
          return true
        }
      }
    }
  }

  private static let two = """
    {"regions":[
      {"id":"z1","ttl":86400,"api":{"old":["z1-old"],"domains":["z1-api"],"acc_domains":["z1-acc"]}},
      {"id":"z0","ttl":3600,"api":{"domains":["api-z0.qiniuapi.com","z0-api"],"old":["z0-old"]}}]}
    """

  private static let globals = ["api.qiniuapi.com", "api.qiniu.com"]

  @Test func givenHostsAreAllThatIsAsked() throws {
    let world = try World(api: "a,b")
    #expect(try world.hosts("z0.1") { _ in .unreachable } == ["a", "b"])
  }

  @Test func theRegionOfTheIDIsAskedFirstAndAlone() throws {
    let world = try World()
    #expect(try world.hosts("z0.1") { _ in .task } == ["api-z0.qiniuapi.com"])
    #expect(try world.hosts("cn-east-2.1") { _ in .status(612) } == ["api-cn-east-2.qiniuapi.com"], "its word is final")
  }

  @Test func aRegionThatFailsIsLookedUp() throws {
    let world = try World()
    let asked = try world.hosts("z0.1", regions: Self.two) {
      $0 == "z0-old" || $0.hasPrefix("uc") ? .task : .unreachable
    }
    #expect(asked == ["api-z0.qiniuapi.com", "uc-a", "z0-api", "z0-old"], "of its own region alone, each host once")
    #expect(try world.hosts("z0.2", regions: nil) { _ in .task } == ["z0-old"], "the others are set aside")
  }

  @Test func anIDWithoutRegionIsLookedForInAllRegions() throws {
    let world = try World()
    let miss: (String) -> Outcome = { $0.hasPrefix("uc") ? .task : .status(612) }
    #expect(
      try world.hosts("16864pauo1vc9nhp12", regions: Self.two, miss) == ["uc-a", "z1-acc", "api-z0.qiniuapi.com"],
      "one host of each region says so, and that is final")
    let asked = try world.hosts("16864pauo1vc9nhp12") { $0 == "z0-api" ? .task : .unreachable }
    #expect(asked == ["z1-acc", "z1-api", "z1-old", "api-z0.qiniuapi.com", "z0-api"], "the answer is kept")
  }

  @Test func aMissIsNotFinalWhileARegionCannotTell() throws {
    let world = try World()
    let asked = try world.hosts("1", regions: Self.two) {
      $0.hasPrefix("uc") ? .task : $0.hasPrefix("z1") ? .unreachable : $0 == Self.globals[0] ? .task : .status(612)
    }
    #expect(asked.last == Self.globals[0])
  }

  @Test func aMissIsNotFinalWhileARegionHasNoTime() throws {
    for busy in [429, 573, 503] {
      let world = try World()
      let asked = try world.hosts("1", regions: Self.two) {
        $0.hasPrefix("uc") ? .task : $0.hasPrefix("z1") ? .status(busy) : $0 == Self.globals[0] ? .task : .status(612)
      }
      #expect(asked.last == Self.globals[0], "\(busy)")
    }
  }

  @Test func aBucketsRegionsComeBeforeAllRegions() throws {
    let world = try World()
    let bucket = #"{"hosts":[{"region":"z2","ttl":60,"api":{"domains":["z2-api"]}}]}"#
    #expect(try world.hosts("1", bucket: "b", regions: bucket) { _ in .task } == ["bucket at uc-a", "z2-api"])
    #expect(try world.hosts("1", bucket: "b") { _ in .task } == ["z2-api"])
    #expect(try world.hosts("1", bucket: "b") { _ in .status(612) } == ["z2-api"])
  }

  @Test func withoutTheBucketServiceTheGlobalHostsAreLeft() throws {
    let world = try World()
    let down: (String) -> Outcome = { $0.hasPrefix("uc") ? .unreachable : .task }
    #expect(try world.hosts("1", down) == ["uc-a", "uc-b", Self.globals[0]])
    #expect(try world.hosts("1", down) == [Self.globals[0]], "it is left alone for a while")
    world.now += RegionCache.pauseAfterFailure
    #expect(
      try world.hosts("1", down) == ["uc-a", "uc-b", Self.globals[0]], "all are set aside, so the least bad is asked")
  }

  @Test func nobodyIsAskedForRegionsWithoutAKeyOrAgainstTheOptions() throws {
    #expect(try World().hosts("1", accessKey: "") { _ in .task } == [Self.globals[0]])
    #expect(try World(asks: false).hosts("1") { _ in .task } == [Self.globals[0]])
    #expect(try World(asks: false).hosts("z0.1") { _ in .unreachable } == ["api-z0.qiniuapi.com"] + Self.globals)
  }

  @Test func anAnswerIsRefreshedAfterHalfItsTimeAndServesUntilThen() throws {
    let world = try World()
    let well: (String) -> Outcome = { _ in .task }
    _ = try world.hosts("1", regions: Self.two, well)
    world.now = 1_700_000
    #expect(try world.hosts("1", well) == ["z1-acc"])
    world.now = 1_800_100
    let down: (String) -> Outcome = { $0.hasPrefix("uc") ? .unreachable : .task }
    #expect(try world.hosts("1", down) == ["uc-a", "uc-b", "z1-acc"], "what is known serves while nobody tells")
    #expect(try world.hosts("1", down) == ["z1-acc"])
    world.now += RegionCache.pauseAfterFailure + 600_000
    let fresh = #"{"regions":[{"id":"z9","api":{"domains":["z9-api"]}}]}"#
    #expect(try world.hosts("1", regions: fresh, well) == ["uc-a", "z9-api"])
    world.now += 43_000_000
    #expect(try world.hosts("1", well) == ["z9-api"], "without a lifetime it is good for a day")
  }

  @Test func theSmallestLifetimeCounts() throws {
    for other in ["-1", "0", "null", "9223372036854775807", "7200"] {
      let world = try World()
      let regions =
        #"{"regions":[{"id":"a","ttl":\#(other),"api":{"domains":["a"]}},{"id":"b","ttl":3600},{"id":"c","ttl":\#(other)}]}"#
      #expect(try world.hosts("1", regions: regions) { _ in .task } == ["uc-a", "a"])
      world.now = 1_799_000
      #expect(try world.hosts("1", regions: regions) { _ in .task } == ["a"], "\(other)")
      world.now = 1_801_000
      #expect(try world.hosts("1", regions: regions) { _ in .task } == ["uc-a", "a"], "\(other)")
    }
  }

  @Test func whoeverUsesAnOldAnswerRefreshesIt() throws {
    let world = try World()
    let lost: (String) -> Outcome = { $0 == "api-z0.qiniuapi.com" ? .unreachable : .task }
    #expect(try world.hosts("z0.1", regions: Self.two, lost) == ["api-z0.qiniuapi.com", "uc-a", "z0-api"])
    world.now += 1_790_000
    #expect(try world.hosts("z0.1", lost) == ["api-z0.qiniuapi.com", "z0-api"])
    world.now += 20_000
    let fresh = #"{"regions":[{"id":"z0","ttl":3600,"api":{"domains":["z0-new"]}}]}"#
    #expect(try world.hosts("z0.1", regions: fresh, lost) == ["uc-a", "z0-new"])
  }

  @Test func aHostThatFailedIsSetAsideForTenMinutesThenTriedOnce() throws {
    let world = try World(api: "a,b,c")
    #expect(try world.hosts("1") { $0 == "a" ? .unreachable : .task } == ["a", "b"])
    #expect(try world.hosts("1") { _ in .task } == ["b"])
    world.now += HostHealth.rest
    #expect(try world.hosts("1") { $0 == "a" ? .timedOut : .task } == ["a", "b"], "one query tries it")
    #expect(try world.hosts("1") { _ in .task } == ["b"])
    world.now += HostHealth.rest
    #expect(try world.hosts("1") { _ in .task } == ["a"])
    #expect(try world.hosts("1") { _ in .task } == ["a"], "a success clears it")
  }

  @Test func aHostThatAnswersOneIsNotSetAsideForAnother() throws {
    let world = try World(api: "a,b")
    let asked = try world.hosts("1") { _ in
      let other = try? world.hosts("2") { $0 == "a" ? .broken : .task }
      #expect(other == ["a", "b"])
      return .task
    }
    #expect(asked == ["a"])
    #expect(try world.hosts("3") { _ in .task } == ["a"])
  }

  @Test func oneTrialAtATime() {
    var health = HostHealth()
    health.fail(at: at(0))
    let offers = [HostHealth.rest - 1, HostHealth.rest, HostHealth.rest].map { health.isOffered(at: at($0)) }
    #expect(offers == [false, true, false], "another query comes while the first tries")
    health.succeed()
    let isOffered = health.isOffered(at: at(HostHealth.rest))
    #expect(isOffered)
  }

  @Test func whenAllAreSetAsideTheLeastBadIsAskedFirst() throws {
    let world = try World(api: "a,b,c")
    _ = try world.hosts("1") { _ in .unreachable }
    world.now += 1_000
    #expect(try world.hosts("1") { $0 == "b" ? .task : .unreachable } == ["a", "b"])
    #expect(try world.hosts("1") { _ in .task } == ["b"])
  }

  @Test func aLimitedRateIsNoBlame() throws {
    let world = try World(api: "a,b")
    #expect(try world.hosts("1") { $0 == "a" ? .status(429) : .task } == ["a", "b"])
    #expect(try world.hosts("1") { _ in .task } == ["a"])
  }

  @Test func whatIsNoHostIsLeftOut() throws {
    let world = try World()
    let lies = #"""
      {"regions":[{"id":"z0","api":{"domains":["user@evil","evil/path","ev il","evil\n","","[::x]","evil:0",
      "http://evil","good-1","evil?","evil#","\u0067ood-2"],"old":null}},
      {"id":"../z9","api":{"domains":["good-3"]}}]}
      """#
    let asked = try world.hosts("1", regions: lies) { $0.hasPrefix("uc") ? .task : .unreachable }
    #expect(asked.filter { !Self.globals.contains($0) } == ["uc-a", "good-1", "good-2", "good-3"])
  }

  @Test func anAnswerWithoutHostsIsNone() throws {
    for answer in ["{}", "[]", "", #"{"regions":[]}"#, #"{"regions":[{"id":"z0","api":{"domains":["@"]}}]}"#] {
      let asked = try World().hosts("1", regions: answer) { _ in .task }
      #expect(asked == ["uc-a", "uc-b", Self.globals[0]], "\(answer)")
    }
  }

  @Test func whoNamesManyRegionsTakesBoundedMemory() throws {
    let world = try World()
    for number in 0..<1_000 { _ = try world.hosts("r\(number).1") { _ in .task } }
    #expect(world.hostCount < 100)
    #expect(try world.hosts("r1.1") { _ in .task } == ["api-r1.qiniuapi.com"])
    world.now += RegionCache.pauseAfterFailure
    let late = try world.hosts("r999.1", regions: Self.two) { $0.hasPrefix("uc") ? .task : .unreachable }
    #expect(late.first == "uc-a", "the region is looked for among those that there are")
  }
}
