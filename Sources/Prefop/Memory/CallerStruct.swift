/// Structs of the caller, which may be of an older or a newer version than this
/// library: one that is larger may hold nothing that we do not know.
@safe
enum CallerStruct {
  /// No struct of any version comes near; a larger number is a forgotten one.
  private static var sizeLimit: Int { 4096 }

  @inline(never)
  static func read<Struct>(
    _ pointer: UnsafePointer<Struct>, _ name: StaticString
  ) throws(Failure) -> Struct {
    let size = MemoryLayout<Struct>.size
    let start = unsafe UnsafeRawPointer(pointer)
    let given = unsafe Int(start.loadUnaligned(as: UInt32.self))
    guard given >= size, given <= sizeLimit else {
      throw Failure(
        .argument,
        "{name}.struct_size is {number}, not {limit}: set it to the struct's size, or use its _INIT macro",
        name: name, number: given, limit: size)
    }
    for offset in size..<given where unsafe start.load(fromByteOffset: offset, as: UInt8.self) != 0 {
      throw Failure(
        .unsupported,
        "{name} has a member set, at byte {number}, that version 1.0 does not know: use a newer library",
        name: name, number: offset)
    }
    return unsafe pointer.pointee
  }
}
