import Testing

@testable import Prefop

/// The timers of a queue, beside a plain list of them.
struct TimerHeapTests {
  /// What has a timer: like a submission it is one by its identity.
  private final class Item: Timed {
    var timerPosition = -1
    let number: Int

    init(_ number: Int) { self.number = number }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func itAgreesWithASortedList(seed: UInt64) throws {
    var random = Random(seed: seed)
    var heap = TimerHeap<Item>()
    var items: [Item] = []
    var instants: [Int: Int64] = [:]
    for _ in 0..<2_000 {
      if items.count < 200, random.upTo(9) == 0 || items.isEmpty {
        items.append(Item(items.count))
        try heap.reserve(items.count)
      }
      let item = items[Int(random.upTo(Int64(items.count) - 1))]
      switch random.upTo(3) {
      case 0:
        heap.remove(item)
        instants[item.number] = nil
      case 1:
        let now = random.upTo(1_000)
        let earliest = instants.values.min()
        if let popped = heap.popDue(at: at(now)) {
          #expect(instants[popped.number] == earliest)
          #expect(earliest! <= now)
          #expect(popped.timerPosition == -1)
          instants[popped.number] = nil
        } else {
          #expect(earliest == nil || earliest! > now)
        }
      default:
        let instant = random.upTo(1_000)
        heap.set(item, at: at(instant))
        instants[item.number] = instant
      }
      let first = heap.first?.milliseconds
      #expect(first == instants.values.min())
      let numbers = heap.indices.map { heap[$0].number }
      #expect(Set(numbers) == Set(instants.keys) && numbers.count == instants.count)
    }
  }

  @Test func whatHasNoTimerIsLeftAlone() {
    var heap = TimerHeap<Item>()
    heap.remove(Item(1))
    let first = heap.first
    #expect(first == nil)
  }
}
