import Synchronization

/// All hosts that a client has to do with, each once, and their health. Hosts
/// are only ever added, so that transfers can use an endpoint without the lock.
struct HostTable: ~Copyable {
  private struct Host: ~Copyable {
    let endpoint: Box<Endpoint>

    /// What the health says, for those without the lock.
    let isSetAside: Box<Atomic<Bool>>
    var health = HostHealth()
  }

  private var hosts = List<Host>()

  var count: Int { hosts.count }

  /// The place of a host, which is added if it is new; nil: the table is full.
  @inline(never)
  mutating func place(of address: HostAddress, isHTTPS: Bool) throws(Failure) -> Int? {
    let endpoint = try Endpoint(address, isHTTPS: isHTTPS)
    for place in hosts.indices where hosts[place].endpoint.value.equals(endpoint) { return place }
    guard hosts.count < HostSet.capacity else { return nil }
    do throws(OutOfMemory) {
      try hosts.append(Host(endpoint: Box(endpoint), isSetAside: Box(Atomic(false))))
    } catch {
      throw .outOfMemory
    }
    return hosts.count - 1
  }

  /// The host at a place, for as long as the client lives.
  @inline(never)
  func host(at place: Int) -> HostReference {
    HostReference(place: place, endpoint: hosts[place].endpoint, isSetAside: hosts[place].isSetAside)
  }

  @inline(never)
  mutating func isOffered(_ place: Int, at now: Instant) -> Bool { hosts[place].health.isOffered(at: now) }
  @inline(never)
  mutating func fail(_ place: Int, at now: Instant) {
    hosts[place].health.fail(at: now)
    hosts[place].isSetAside.value.store(true, ordering: .relaxed)
  }
  @inline(never)
  mutating func succeed(_ place: Int) {
    hosts[place].health.succeed()
    hosts[place].isSetAside.value.store(false, ordering: .relaxed)
  }

  /// Of these hosts the one that failed the longest ago.
  @inline(never)
  func leastBad(of set: HostSet) -> Int? {
    var best: Int?
    var bestEnd = Instant.never
    for place in hosts.indices where set.contains(place) {
      let end = hosts[place].health.setAsideUntil ?? Instant(milliseconds: .min)
      if best == nil || end < bestEnd {
        best = place
        bestEnd = end
      }
    }
    return best
  }
}

/// A host of a client, which lives as long as the client does.
@safe
struct HostReference {
  let place: Int

  /// Whether a success changes something: perhaps another query set it aside
  /// since it was chosen.
  var isSetAside: Bool { unsafe flag.pointee.load(ordering: .relaxed) }

  private let address: UnsafePointer<Endpoint>
  private let flag: UnsafePointer<Atomic<Bool>>

  fileprivate init(place: Int, endpoint: borrowing Box<Endpoint>, isSetAside: borrowing Box<Atomic<Bool>>) {
    self.place = place
    unsafe address = endpoint.address
    unsafe flag = isSetAside.address
  }

  var endpoint: Endpoint {
    unsafeAddress { unsafe address }
  }
}
