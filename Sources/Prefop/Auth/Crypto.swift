import CCrypto

/// libcrypto, set up in the one order in which it can fail safely.
enum Crypto {
  /// The default context comes first: if it could not be made, every later use
  /// of libcrypto by libcurl would follow a null pointer.
  static func prepare() throws(Failure) {
    _ = ERR_set_mark()
    defer { _ = ERR_pop_to_mark() }
    guard unsafe OSSL_LIB_CTX_get0_global_default() != nil else { throw .outOfMemory }
    guard prefop_crypto_init() == 1 else {
      throw Failure(.system, "libcrypto could not be set up: memory is gone, or its configuration is wrong")
    }
  }
}
