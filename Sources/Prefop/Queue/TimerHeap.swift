/// What can have an instant in a heap. It keeps its position, so that it is found
/// there at once.
protocol Timed {
  /// -1: it has no instant.
  var timerPosition: Int { get nonmutating set }
}

/// What is due when, the earliest first: at most one instant for each element.
struct TimerHeap<Element: Timed>: ~Copyable {
  private struct Entry {
    var instant: Instant
    let element: Element
  }

  private var entries = List<Entry>()

  init() {}

  /// Makes room for so many elements, so that nothing can fail later.
  mutating func reserve(_ count: Int) throws(OutOfMemory) { try entries.reserve(count - entries.count) }

  /// The earliest instant.
  var first: Instant? { entries.isEmpty ? nil : entries[0].instant }

  var indices: Range<Int> { entries.indices }

  /// In no order.
  subscript(index: Int) -> Element { entries[index].element }

  /// Takes an element whose instant has come.
  mutating func popDue(at now: Instant) -> Element? {
    guard !entries.isEmpty, entries[0].instant <= now else { return nil }
    let element = entries[0].element
    remove(element)
    return element
  }

  @inline(never)
  mutating func set(_ element: Element, at instant: Instant) {
    if entries.indices ~= element.timerPosition {
      entries[element.timerPosition].instant = instant
    } else {
      element.timerPosition = entries.count
      entries.appendReserved(Entry(instant: instant, element: element))
    }
    settle(element.timerPosition)
  }

  @inline(never)
  mutating func remove(_ element: Element) {
    let position = element.timerPosition
    guard entries.indices ~= position else { return }
    _ = entries.swapRemove(at: position)
    element.timerPosition = -1
    guard position < entries.count else { return }
    entries[position].element.timerPosition = position
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
    entries[a].element.timerPosition = a
    entries[b].element.timerPosition = b
  }
}
