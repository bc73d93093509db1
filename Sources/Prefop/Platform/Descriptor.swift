import CPlatform

/// A descriptor of ours, closed when it is not needed any more. A forked child
/// does not have it.
struct Descriptor: ~Copyable {
  let number: Int32
  private let generation = Process.generation

  init(_ make: () -> Int32) throws(Failure) {
    let number = try orFailure { () throws(OutOfMemory) in try Process.open(make) }
    guard number >= 0 else {
      throw Failure(.system, "no file descriptor is left (errno {number})", number: Int(prefop_errno()))
    }
    self.number = number
  }

  deinit {
    if number >= 0, generation == Process.generation { _ = Process.close(number) }
  }
}
