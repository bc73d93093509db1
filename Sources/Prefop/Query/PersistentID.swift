/// The id of a task, as pfop handed it out: opaque, but fit for a URL.
struct PersistentID: ~Escapable {
  let text: Span<UInt8>

  /// How many bytes from the beginning need no escape: nearly always all.
  let plainCount: Int

  private static var lengthLimit: Int { 256 }

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) throws(Failure) {
    guard !text.isEmpty else { throw Failure(.argument, "persistent_id is empty: give the id that pfop returned") }
    guard text.count <= Self.lengthLimit else {
      throw Failure(
        .argument, "persistent_id has {number} bytes: at most {limit}", number: text.count, limit: Self.lengthLimit)
    }
    var plainCount = 0
    while plainCount < text.count, QueryEscape.isUnreserved(text[plainCount]) { plainCount += 1 }
    for index in plainCount..<text.count where text[index].isControl {
      throw Failure(
        .argument, "persistent_id {text} has a control character at byte {number}", number: index, text: text)
    }
    self.text = text
    self.plainCount = plainCount
  }

  /// One that was checked before.
  @_lifetime(copy text)
  init(checked text: Span<UInt8>, plainCount: Int) {
    self.text = text
    self.plainCount = plainCount
  }

  /// The region that its beginning names; empty: it names none.
  var region: RegionName {
    var name = RegionName()
    if let prefix = RegionID.prefix(of: text) { name.append(prefix) }
    return name
  }

  /// Appends the id as a query string has it.
  func appendEscaped(to target: inout Bytes) throws(OutOfMemory) {
    try QueryEscape.append(text, plainCount: plainCount, to: &target)
  }
}
