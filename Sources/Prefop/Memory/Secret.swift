import CCrypto

/// Bytes that are wiped before their memory is given back. Not growable: a
/// reallocation would leave a copy behind.
struct Secret: ~Copyable {
  private var bytes: Bytes

  init() { bytes = Bytes() }

  init(copying source: Span<UInt8>) throws(OutOfMemory) {
    bytes = try Bytes(copying: source)
  }

  /// Wipes memory of somebody else.
  static func wipe(_ start: UnsafePointer<UInt8>, _ count: Int) {
    unsafe OPENSSL_cleanse(UnsafeMutableRawPointer(mutating: start), count)
  }

  deinit { bytes.wipe() }

  var span: Span<UInt8> {
    @_lifetime(borrow self)
    get { bytes.span }
  }
}
