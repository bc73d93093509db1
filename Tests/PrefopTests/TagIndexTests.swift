import Testing

@testable import Prefop

/// The index of tags, beside a dictionary of lists.
struct TagIndexTests {
  /// What programs take for tags: numbers, addresses, the upper half of a word.
  private static let kinds: [@Sendable (UInt64) -> UInt64] = [
    { $0 }, { $0 &* 64 }, { $0 << 32 }, { $0 % 3 }, { .max - $0 }, { $0 &* 0x9E37_79B9_7F4A_7C15 },
  ]

  private func submission(_ tag: UInt64) throws -> Submission {
    try withSpan("z0.id") { text in
      try Submission(PersistentID(text), tag: tag, QueryOptions(nil), at: .never)
    }
  }

  @Test(arguments: 0..<6, [UInt64(1), 2, 3])
  func itAgreesWithADictionary(kind: Int, seed: UInt64) throws {
    var random = Random(seed: seed)
    var index = TagIndex()
    try index.make(for: 0)
    var byTag: [UInt64: [Submission]] = [:]
    for _ in 0..<5_000 {
      let tag = Self.kinds[kind](UInt64(random.upTo(400)))
      if random.upTo(1) == 0 {
        let made = try submission(tag)
        try index.insert(made)
        byTag[tag, default: []].append(made)
      } else if let all = byTag[tag], !all.isEmpty {
        let gone = all[Int(random.upTo(Int64(all.count - 1)))]
        index.remove(gone)
        byTag[tag] = all.count == 1 ? nil : all.filter { $0 != gone }
        gone.destroy()
      }
      let found = index.first(tag)
      #expect(found.map { byTag[tag, default: []].contains($0) } ?? (byTag[tag] == nil))
    }
    for (tag, all) in byTag {
      var left = all.count
      while let submission = index.first(tag) {
        #expect(submission.tag == tag)
        index.remove(submission)
        submission.destroy()
        left -= 1
      }
      #expect(left == 0)
    }
  }

  @Test func withoutAnIndexNothingIsFound() throws {
    var index = TagIndex()
    let before = (index.isMade, index.first(1))
    #expect(before == (false, nil))
    try index.make(for: 10)
    let made = try submission(1)
    try index.insert(made)
    index.drop()
    let after = (index.isMade, index.first(1))
    #expect(after == (false, nil))
    made.destroy()
  }
}
