/// Which queries are the first to go to a host. The others wait until its
/// connection stands: then they can share it, and a host that is not there is
/// not called by all at once.
struct Scouts: ~Copyable {
  private struct Scout {
    let slot: Int
    let place: Int
  }

  private var scouts = List<Scout>()

  /// Milliseconds that others wait for a scout.
  static var patience: Int64 { 1_000 }

  /// Makes room for so many slots, so that nothing can fail later.
  mutating func reserve(_ slotCount: Int) throws(OutOfMemory) { try scouts.reserve(slotCount - scouts.count) }

  var count: Int { scouts.count }

  func slot(_ index: Int) -> Int { scouts[index].slot }

  /// Whether a query is under way to that host which others wait for.
  func isAwaited(at place: Int) -> Bool {
    for index in scouts.indices where scouts[index].place == place { return true }
    return false
  }

  /// Whether it is this query that others wait for.
  func includes(_ slot: Int) -> Bool {
    for index in scouts.indices where scouts[index].slot == slot { return true }
    return false
  }

  /// At most one in a slot.
  mutating func send(_ slot: Int, to place: Int) { scouts.appendReserved(Scout(slot: slot, place: place)) }

  /// The scout has arrived, or failed. Returns the host that it went to; nil: it
  /// was none.
  mutating func end(_ slot: Int) -> Int? {
    for index in scouts.indices where scouts[index].slot == slot { return scouts.swapRemove(at: index).place }
    return nil
  }
}
