/// An argument that C must not leave out.
@inline(__always)
func required<Value>(
  _ pointer: UnsafePointer<Value>?, _ name: StaticString
) throws(Failure) -> UnsafePointer<Value> {
  guard let pointer = unsafe pointer else { throw Failure(.argument, "{name} is NULL", name: name) }
  return unsafe pointer
}

/// Where C wants a result put.
@inline(__always)
func required<Value>(
  _ pointer: UnsafeMutablePointer<Value>?, _ name: StaticString
) throws(Failure) -> UnsafeMutablePointer<Value> {
  guard let pointer = unsafe pointer else {
    throw Failure(.argument, "{name} is NULL: pass where to put the result", name: name)
  }
  return unsafe pointer
}

/// `length` bytes of the caller.
@inline(__always)
@_lifetime(immortal)
func callerBytes(
  _ start: UnsafeRawPointer?, _ length: Int, _ name: StaticString
) throws(Failure) -> Span<UInt8> {
  guard length >= 0 else { throw Failure(.argument, "the length of {name} is too large", name: name) }
  guard let start = unsafe start else {
    guard length == 0 else {
      throw Failure(.argument, "{name} is NULL, but its length is {number}", name: name, number: length)
    }
    return Span()
  }
  let bytes = unsafe Span(_unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: length)
  return unsafe _overrideLifetime(bytes, copying: ())
}
