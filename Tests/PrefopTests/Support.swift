import Foundation

@testable import Prefop

/// Lends a string's bytes as the core takes text.
func withSpan<R: ~Copyable>(_ text: String, _ body: (Span<UInt8>) throws -> R) rethrows -> R {
  let bytes = Array(text.utf8)
  return try body(bytes.span)
}

/// What the core holds as text, for comparison.
func string(_ span: Span<UInt8>) -> String {
  var bytes: [UInt8] = []
  for index in span.indices { bytes.append(span[index]) }
  return String(decoding: bytes, as: UTF8.self)
}

/// The line that a failure shows.
func message(_ failure: Failure) -> String {
  var message = Message()
  failure.render(into: &message)
  return string(message.span)
}

func at(_ milliseconds: Int64) -> Instant { Instant(milliseconds: milliseconds) }
