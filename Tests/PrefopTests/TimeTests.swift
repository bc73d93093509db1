import Testing

@testable import Prefop

struct TimeTests {
  @Test func instantsSaturate() {
    #expect(at(1).advanced(by: .max) == .never)
    #expect(at(5).advanced(by: 7) == at(12))
    #expect(at(5).milliseconds(until: at(12)) == 7)
    #expect(at(12).milliseconds(until: at(5)) == 0)
    #expect(at(-1).milliseconds(until: .never) == .max)
  }

  @Test func durationsOfC() {
    #expect(Duration.given(0, default: 30) == 30)
    #expect(Duration.given(-5, default: 30) == .max)
    #expect(Duration.given(7, default: 30) == 7)
  }
}
