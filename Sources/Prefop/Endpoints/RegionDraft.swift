/// What one pass over an answer of the bucket service found: where each name
/// stands. Both kinds of answer are read alike:
///
///     {"regions": [{"id": "z0", "ttl": 86400, "api": {"domains": [...], "old": [...]}}]}
///     {"hosts": [{"region": "z0", "ttl": 86400, "api": {"domains": [...], "old": [...]}}]}
struct RegionDraft: ~Copyable {
  struct Host {
    let name: JSONText
    let region: Int
    let rank: Rank
  }

  /// Which of a region's hosts come first.
  enum Rank: Int {
    case accelerated, preferred, alternative

    static var count: Int { 3 }
  }

  /// Their names.
  private(set) var regions = List<JSONText>()
  private(set) var hosts = List<Host>()

  /// The smallest "ttl", in seconds, of those that are a time.
  private(set) var lifetime: Int64?

  /// What is more than that is not a list of regions.
  private static var regionLimit: Int { 64 }
  private static var hostLimit: Int { 192 }

  @inline(never)
  mutating func read(_ document: Span<UInt8>) throws(JSONError) {
    var json = JSONReader(document)
    try json.beginObject()
    while let name = try json.nextName() {
      switch name {
      case "regions", "hosts": try readRegions(&json)
      default: try json.skip()
      }
    }
    try json.finish()
  }

  @inline(never)
  private mutating func readRegions(_ json: inout JSONReader) throws(JSONError) {
    guard try json.beginArray() else { return }
    while try json.nextElement() {
      var region = JSONText.empty
      try json.beginObject()
      while let name = try json.nextName() {
        switch name {
        case "id", "region": region = try json.text() ?? .empty
        case "ttl":
          if let seconds = try json.integer(), seconds > 0 { lifetime = min(lifetime ?? seconds, seconds) }
        case "api": try readHosts(&json)
        default: try json.skip()
        }
      }
      if regions.count < Self.regionLimit { try Self.append(region, to: &regions) }
    }
  }

  @inline(never)
  private mutating func readHosts(_ json: inout JSONReader) throws(JSONError) {
    try json.beginObject()
    while let name = try json.nextName() {
      switch name {
      case "acc_domains": try readNames(&json, .accelerated)
      case "domains": try readNames(&json, .preferred)
      case "old": try readNames(&json, .alternative)
      default: try json.skip()
      }
    }
  }

  @inline(never)
  private mutating func readNames(_ json: inout JSONReader, _ rank: Rank) throws(JSONError) {
    guard try json.beginArray() else { return }
    while try json.nextElement() {
      guard let name = try json.text(), hosts.count < Self.hostLimit else { continue }
      let host = Host(name: name, region: regions.count, rank: rank)
      try Self.append(host, to: &hosts)
    }
  }

  @inline(never)
  private static func append<Element>(_ element: Element, to list: inout List<Element>) throws(JSONError) {
    do throws(OutOfMemory) {
      try list.append(element)
    } catch {
      throw JSONError(problem: .outOfMemory, offset: 0)
    }
  }
}

extension JSONText {
  /// A name without its escapes; one that is too long for a host comes out empty.
  @inline(never)
  func decodedName(in document: Span<UInt8>) -> InlineText<256> {
    var text = InlineText<256>()
    guard count < 256 else { return text }
    var decoder = JSONEscapeDecoder(raw(in: document))
    while let byte = decoder.next() { text.append(byte) }
    return text
  }
}
