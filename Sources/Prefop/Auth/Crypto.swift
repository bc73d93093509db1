import CCrypto

/// libcrypto, set up in the one order in which it can fail safely.
enum Crypto {
  static var failure: Failure {
    Failure(.system, "libcrypto could not compute HMAC-SHA1: memory is gone, or its configuration forbids SHA1")
  }

  /// The algorithm, fetched once for the process.
  static func hmac() throws(Failure) -> OpaquePointer {
    try unsafe Process.withState(orFailing: { _ in .outOfMemory }) { state throws(Failure) in
      try prepare(&state)
      guard let mac = unsafe state.hmac else { throw failure }
      return unsafe mac
    }
  }

  /// The default context comes first: if it could not be made, every later use
  /// of libcrypto, libcurl's included, would follow a null pointer.
  static func prepare(_ state: inout ProcessState) throws(Failure) {
    guard unsafe state.hmac == nil else { return }
    _ = ERR_set_mark()
    defer { _ = ERR_pop_to_mark() }
    guard unsafe OSSL_LIB_CTX_get0_global_default() != nil else { throw .outOfMemory }
    guard prefop_crypto_init() == 1, let mac = unsafe prefop_crypto_fetch_hmac() else { throw failure }
    unsafe state.hmac = mac
  }
}
