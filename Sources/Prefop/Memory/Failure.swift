/// Why a call fails: the status that it returns, and one line for a person.
struct Failure: Error {
  var status: Status
  var message: Message

  init(_ status: Status, _ message: Message) {
    self.status = status
    self.message = message
  }

  static var outOfMemory: Failure { Failure(.memory, "out of memory") }
}

/// Runs what can only run out of memory, where that is one failure of several.
@inline(__always)
func orFailure<R: ~Copyable>(_ body: () throws(OutOfMemory) -> R) throws(Failure) -> R {
  do throws(OutOfMemory) {
    return try body()
  } catch {
    throw .outOfMemory
  }
}
