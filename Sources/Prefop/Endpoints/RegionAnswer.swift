/// What the bucket service said: regions, and the API hosts of each.
struct RegionAnswer: ~Copyable {
  /// In the order to ask in: region after region as the service gave them, the
  /// preferred hosts of each first.
  private(set) var hosts = List<RegionHost>()
  private var names = List<RegionName>()

  /// Milliseconds that it is good for.
  private(set) var lifetime: Int64 = RegionAnswer.longestLifetime

  /// What an answer without a lifetime, or with an absurd one, gets: a day.
  private static var longestLifetime: Int64 { 86_400_000 }

  init() {}

  /// Takes the hosts that are fit to be asked; what else there is, is left out.
  init(
    _ draft: borrowing RegionDraft, _ document: Span<UInt8>, preferHTTPS: Bool, in table: inout HostTable
  ) throws(Failure) {
    var names = List<RegionName>()
    var hosts = List<RegionHost>()
    for region in draft.regions.indices {
      var name = RegionName()
      let text = draft.regions[region].decodedName(in: document)
      if RegionID.isValid(text.span) { name.append(text.span) }
      do throws(OutOfMemory) { try names.append(name) } catch { throw .outOfMemory }
      for rank in 0..<RegionDraft.Rank.count {
        for index in draft.hosts.indices
        where draft.hosts[index].region == region && draft.hosts[index].rank.rawValue == rank {
          let text = draft.hosts[index].name.decodedName(in: document)
          guard let place = try Self.place(of: text.span, preferHTTPS, in: &table) else { continue }
          do throws(OutOfMemory) {
            try hosts.append(RegionHost(place: place, region: region))
          } catch {
            throw .outOfMemory
          }
        }
      }
    }
    self.init()
    self.names = names
    self.hosts = hosts
    if let seconds = draft.lifetime, seconds < Self.longestLifetime / 1000 { lifetime = seconds * 1000 }
  }

  /// Which region has this name.
  @inline(never)
  func region(named name: Span<UInt8>) -> Int? {
    guard !name.isEmpty else { return nil }
    for index in names.indices where names[index].span.equals(name) { return index }
    return nil
  }

  /// The hosts of one region.
  @inline(never)
  func hosts(of region: Int) -> HostSet {
    var set = HostSet()
    for index in hosts.indices where hosts[index].region == region { set.insert(hosts[index].place) }
    return set
  }

  /// nil: not a host, or one too many.
  @inline(never)
  private static func place(
    of text: Span<UInt8>, _ preferHTTPS: Bool, in table: inout HostTable
  ) throws(Failure) -> Int? {
    do throws(Failure) {
      return try table.place(of: HostAddress(text, listedIn: "regions"), isHTTPS: preferHTTPS)
    } catch {
      if error.status == .memory { throw error }
      return nil
    }
  }
}

struct RegionHost {
  let place: Int
  let region: Int
}
