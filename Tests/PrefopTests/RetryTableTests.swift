import Foundation
import Testing

@testable import Prefop

/// The retry table against the Go SDK as run: which statuses it asks again for.
struct RetryTableTests {
  private struct Recording: Decodable {
    struct Observation: Decodable {
      let requests: [Int]
      let statuses: [String]
    }
    let observed: [Observation]
  }

  private func observations() throws -> [Recording.Observation] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../vectors/go-retry.json")
    return try JSONDecoder().decode(Recording.self, from: Data(contentsOf: file)).observed
  }

  private func numbers(_ ranges: [String]) -> [Int] {
    ranges.flatMap { range -> [Int] in
      let ends = range.split(separator: "-").compactMap { Int($0) }
      return Array(ends[0]...(ends.last ?? ends[0]))
    }
  }

  @Test func itAgreesWithTheGoSDK() throws {
    // Ours waits when a gateway limits the rate; Go gives up.
    let improvements = [429]
    for observation in try observations() {
      for status in numbers(observation.statuses) where !(200...299).contains(status) && !improvements.contains(status)
      {
        let goesOn = observation.requests != [1, 0]
        let remedy = Outcome.status(status).remedy
        #expect((remedy == .pause || remedy == .slowDown) == goesOn, "HTTP \(status): \(remedy)")
      }
    }
    #expect(Outcome.status(429).remedy == .slowDown)
    #expect(Outcome.status(573).remedy == .slowDown)
  }

  @Test func eachStatusHasItsMeaning() {
    let meanings: [(Int, Status)] = [
      (301, .http), (400, .badRequest), (401, .unauthorized), (403, .forbidden), (404, .notFound), (418, .http),
      (429, .rateLimited), (500, .server), (502, .server), (573, .rateLimited), (579, .server), (599, .server),
      (612, .notFound), (631, .http), (701, .http),
    ]
    for (status, meaning) in meanings { #expect(Outcome.status(status).status == meaning, "HTTP \(status)") }
  }

  @Test func onlyWhatMayPassIsRetryable() {
    let passing: [Outcome] = [
      .status(429), .status(503), .status(573), .hijacked, .notATask, .unresolved, .unreachable, .broken, .timedOut,
      .outOfMemory,
    ]
    let lasting: [Outcome] = [.task, .status(400), .status(401), .status(612), .tooLarge, .untrusted, .system]
    for outcome in passing { #expect(outcome.isRetryable, "\(outcome)") }
    for outcome in lasting { #expect(!outcome.isRetryable, "\(outcome)") }
  }
}
