/// Bytes that are wiped before their memory is given back. Not growable: a
/// reallocation would leave a copy behind.
struct Secret: ~Copyable {
  private var bytes: Bytes

  init() { bytes = Bytes() }

  init(copying source: Span<UInt8>) throws(OutOfMemory) {
    bytes = try Bytes(copying: source)
  }

  deinit { bytes.wipe() }

  var span: Span<UInt8> {
    @_lifetime(borrow self)
    get { bytes.span }
  }
}
