import CPlatform

/// An allocation failed. Nothing was changed by the operation that says so.
struct OutOfMemory: Error {}

/// The one place where the library takes memory.
@inline(never)
func allocate(_ byteCount: Int) throws(OutOfMemory) -> UnsafeMutableRawPointer {
  guard byteCount >= 0, let memory = unsafe malloc(max(byteCount, 1)) else { throw OutOfMemory() }
  return unsafe memory
}

/// The one place where the library lets memory grow.
@inline(never)
func reallocate(
  _ memory: UnsafeMutableRawPointer?, _ byteCount: Int
) throws(OutOfMemory) -> UnsafeMutableRawPointer {
  guard byteCount >= 0, let memory = unsafe realloc(memory, max(byteCount, 1)) else {
    throw OutOfMemory()
  }
  return unsafe memory
}

/// The bytes that `count` elements of a type take, when that can be counted.
func byteCount<Element: ~Copyable>(
  of type: Element.Type, count: Int
) throws(OutOfMemory) -> Int {
  let (bytes, overflows) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
  guard count >= 0, !overflows else { throw OutOfMemory() }
  return bytes
}

/// The next capacity of storage that must hold `needed` and grows by doubling.
func grownCapacity(from capacity: Int, toHold needed: Int, atLeast minimum: Int) -> Int {
  let (doubled, overflows) = capacity.multipliedReportingOverflow(by: 2)
  return max(max(needed, minimum), overflows ? needed : doubled)
}
