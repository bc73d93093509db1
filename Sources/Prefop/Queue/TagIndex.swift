/// Finds submissions by their tags: a table with linear probing, whose slots hold
/// the first of all submissions with one tag; the others hang on it. It is made
/// when it is first needed, since most queues never look a tag up.
struct TagIndex: ~Copyable {
  private var slots = List<Submission?>()
  private var tagCount = 0

  private(set) var isMade = false

  init() {}

  /// Begins an index, of nothing yet. Without memory there is none.
  mutating func make(for count: Int) throws(OutOfMemory) {
    isMade = false
    tagCount = 0
    try allocateSlots(for: count)
    isMade = true
  }

  /// To be done without.
  mutating func drop() {
    isMade = false
    slots.removeAll(keepingAtMost: 0)
  }

  func first(_ tag: UInt64) -> Submission? { isMade ? slots[position(of: tag)] : nil }

  mutating func insert(_ submission: Submission) throws(OutOfMemory) {
    if (tagCount + 1) * 2 > slots.count { try grow() }
    let position = position(of: submission.tag)
    let first = slots[position]
    submission.previousOfTag = nil
    submission.nextOfTag = first
    first?.previousOfTag = submission
    if first == nil { tagCount += 1 }
    slots[position] = submission
  }

  mutating func remove(_ submission: Submission) {
    submission.nextOfTag?.previousOfTag = submission.previousOfTag
    if let previous = submission.previousOfTag {
      previous.nextOfTag = submission.nextOfTag
      return
    }
    let position = position(of: submission.tag)
    slots[position] = submission.nextOfTag
    if submission.nextOfTag == nil {
      tagCount -= 1
      closeGap(at: position)
    }
  }

  /// Moves those behind a slot that became empty to where probing finds them.
  private mutating func closeGap(at position: Int) {
    var gap = position
    var probe = (gap + 1) & mask
    while let submission = slots[probe] {
      let home = home(of: submission.tag)
      // How far it stands behind its home, and how far the gap would.
      if (probe - home) & mask >= (probe - gap) & mask {
        slots[gap] = submission
        slots[probe] = nil
        gap = probe
      }
      probe = (probe + 1) & mask
    }
  }

  private mutating func grow() throws(OutOfMemory) {
    var old = List<Submission?>()
    swap(&old, &slots)
    do throws(OutOfMemory) {
      try allocateSlots(for: tagCount + 1)
    } catch {
      swap(&old, &slots)
      throw error
    }
    for index in old.indices {
      if let submission = old[index] { slots[position(of: submission.tag)] = submission }
    }
  }

  /// At least four slots a tag, so that it is some time until the next growth: at
  /// most half of them are ever in use.
  private mutating func allocateSlots(for count: Int) throws(OutOfMemory) {
    var slotCount = Self.leastSlotCount
    while slotCount / 4 < count { slotCount *= 2 }
    slots.removeAll()
    try slots.reserve(slotCount)
    for _ in 0..<slotCount { slots.appendReserved(nil) }
  }

  private static var leastSlotCount: Int { 32 }

  private var mask: Int { slots.count - 1 }

  /// Programs number their tags, or take addresses: a product modulo 2^64 spreads
  /// both over its upper half. Nothing but the distribution depends on it.
  private func home(of tag: UInt64) -> Int {
    Int(truncatingIfNeeded: (tag &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
  }

  /// Where the tag is, or the empty slot where it would be.
  private func position(of tag: UInt64) -> Int {
    var position = home(of: tag)
    while let submission = slots[position], submission.tag != tag { position = (position + 1) & mask }
    return position
  }
}
