/// The names of regions: "z0", "cn-east-2".
enum RegionID {
  static var lengthLimit: Int { 32 }

  /// What stands before the first dot of a task's id, if it can be a region. An
  /// id is opaque otherwise, and many have no region in them.
  @_lifetime(copy id)
  static func prefix(of id: Span<UInt8>) -> Span<UInt8>? {
    var end = 0
    while end < id.count, end <= lengthLimit, id[end] != UInt8(ascii: ".") { end += 1 }
    guard end < id.count - 1, id[end] == UInt8(ascii: ".") else { return nil }
    let region = id.extracting(0..<end)
    return isValid(region) ? region : nil
  }

  /// Lower-case letters, digits and hyphens, the hyphens inside: such a text can
  /// be part of a host name.
  static func isValid(_ text: Span<UInt8>) -> Bool {
    guard 1...lengthLimit ~= text.count else { return false }
    for index in text.indices {
      switch text[index] {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): break
      case UInt8(ascii: "-"): guard index > 0, index < text.count - 1 else { return false }
      default: return false
      }
    }
    return true
  }
}

/// A region's id, kept.
typealias RegionName = InlineText<33>
