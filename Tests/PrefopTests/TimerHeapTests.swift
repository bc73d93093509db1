import Testing

@testable import Prefop

/// The timers of a queue, beside a plain list of them.
struct TimerHeapTests {
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func itAgreesWithASortedList(seed: UInt64) throws {
    var random = Random(seed: seed)
    var heap = TimerHeap()
    var instants: [Int: Int64] = [:]
    var slotCount = 0
    for _ in 0..<2_000 {
      if slotCount < 200, random.upTo(9) == 0 || slotCount == 0 {
        slotCount += 1
        try heap.reserve(slotCount)
      }
      let slot = Int(random.upTo(Int64(slotCount) - 1))
      switch random.upTo(3) {
      case 0:
        heap.remove(slot)
        instants[slot] = nil
      case 1:
        let now = random.upTo(1_000)
        let popped = heap.popDue(at: at(now))
        let earliest = instants.values.min()
        if let popped {
          #expect(instants[popped] == earliest)
          #expect(earliest! <= now)
          instants[popped] = nil
        } else {
          #expect(earliest == nil || earliest! > now)
        }
      default:
        let instant = random.upTo(1_000)
        heap.set(slot, at: at(instant))
        instants[slot] = instant
      }
      let first = heap.first?.milliseconds
      #expect(first == instants.values.min())
    }
  }

  @Test func aSlotThatHasNoPlaceIsLeftAlone() {
    var heap = TimerHeap()
    heap.set(3, at: at(1))
    heap.remove(3)
    heap.remove(-1)
    let first = heap.first
    #expect(first == nil)
  }
}
