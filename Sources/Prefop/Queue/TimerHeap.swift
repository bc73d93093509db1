/// What is due when, the earliest first: at most one instant for each slot.
struct TimerHeap: ~Copyable {
  private struct Entry {
    var instant: Instant
    var slot: Int32
  }

  private var entries = List<Entry>()

  /// Where the entry of each slot is; -1: it has none.
  private var positions = List<Int32>()

  /// Makes room for so many slots, so that nothing can fail later.
  mutating func reserve(_ slotCount: Int) throws(OutOfMemory) {
    try entries.reserve(slotCount - entries.count)
    while positions.count < slotCount { try positions.append(-1) }
  }

  /// The earliest instant.
  var first: Instant? { entries.isEmpty ? nil : entries[0].instant }

  /// Takes a slot whose instant has come.
  mutating func popDue(at now: Instant) -> Int? {
    guard !entries.isEmpty, entries[0].instant <= now else { return nil }
    let slot = Int(entries[0].slot)
    remove(slot)
    return slot
  }

  @inline(never)
  mutating func set(_ slot: Int, at instant: Instant) {
    guard positions.indices ~= slot else { return }
    if positions[slot] < 0 {
      entries.appendReserved(Entry(instant: instant, slot: Int32(truncatingIfNeeded: slot)))
      positions[slot] = Int32(truncatingIfNeeded: entries.count - 1)
    } else {
      entries[Int(positions[slot])].instant = instant
    }
    settle(Int(positions[slot]))
  }

  @inline(never)
  mutating func remove(_ slot: Int) {
    guard positions.indices ~= slot, positions[slot] >= 0 else { return }
    let position = Int(positions[slot])
    _ = entries.swapRemove(at: position)
    positions[slot] = -1
    guard position < entries.count else { return }
    positions[Int(entries[position].slot)] = Int32(truncatingIfNeeded: position)
    settle(position)
  }

  /// Moves an entry up or down to where it belongs.
  @inline(never)
  private mutating func settle(_ start: Int) {
    var position = start
    while position > 0 {
      let parent = (position - 1) / 2
      guard entries[position].instant < entries[parent].instant else { break }
      exchange(position, parent)
      position = parent
    }
    while true {
      var child = position * 2 + 1
      guard child < entries.count else { return }
      if child + 1 < entries.count, entries[child + 1].instant < entries[child].instant { child += 1 }
      guard entries[child].instant < entries[position].instant else { return }
      exchange(position, child)
      position = child
    }
  }

  private mutating func exchange(_ a: Int, _ b: Int) {
    let entry = entries[a]
    entries[a] = entries[b]
    entries[b] = entry
    positions[Int(entries[a].slot)] = Int32(truncatingIfNeeded: a)
    positions[Int(entries[b].slot)] = Int32(truncatingIfNeeded: b)
  }
}
