import CCrypto

/// The text of a signature: URL-safe Base64, with padding, of 20 bytes.
typealias SignatureText = InlineArray<28, UInt8>

/// HMAC-SHA1 with one key, as every Qiniu signature is made. The keyed context
/// is kept: to rewind it costs a fifth of making one.
@safe
struct Signer: ~Copyable {
  private var context: OpaquePointer?

  /// One without a key cannot sign.
  init() { unsafe context = nil }

  init(key: Span<UInt8>) throws(Failure) {
    self.init()
    try setKey(key)
  }

  mutating func setKey(_ key: Span<UInt8>) throws(Failure) {
    let mac = try unsafe Crypto.hmac()
    guard let context = unsafe EVP_MAC_CTX_new(mac) else { throw .outOfMemory }
    let isKeyed = unsafe key.withUnsafeBufferPointer { bytes in
      unsafe prefop_crypto_key_sha1(context, bytes.baseAddress, bytes.count)
    }
    guard isKeyed == 1 else {
      unsafe EVP_MAC_CTX_free(context)
      throw Crypto.failure
    }
    unsafe EVP_MAC_CTX_free(self.context)
    unsafe self.context = context
  }

  deinit { unsafe EVP_MAC_CTX_free(context) }

  /// Begins another text.
  mutating func rewind() throws(Failure) {
    guard let context = unsafe context, unsafe prefop_crypto_rewind(context) == 1 else { throw Crypto.failure }
  }

  mutating func add(_ text: Span<UInt8>) throws(Failure) {
    guard let context = unsafe context else { throw Crypto.failure }
    let isAdded = unsafe text.withUnsafeBufferPointer { bytes in
      unsafe bytes.isEmpty ? 1 : EVP_MAC_update(context, bytes.baseAddress, bytes.count)
    }
    guard isAdded == 1 else { throw Crypto.failure }
  }

  mutating func add(_ text: StaticString) throws(Failure) {
    try add(unsafe Span(_unsafeStart: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Ends the text.
  mutating func finish() throws(Failure) -> SignatureText {
    guard let context = unsafe context else { throw Crypto.failure }
    var digest = InlineArray<20, UInt8>(repeating: 0)
    var digestCount = 0
    var digestBytes = digest.mutableSpan
    let isFinished = unsafe digestBytes.withUnsafeMutableBufferPointer { bytes in
      unsafe EVP_MAC_final(context, bytes.baseAddress, &digestCount, bytes.count)
    }
    guard isFinished == 1, digestCount == digest.count else { throw Crypto.failure }
    return Self.base64(digest)
  }

  private static func base64(_ digest: InlineArray<20, UInt8>) -> SignatureText {
    // libcrypto ends its text with a NUL.
    var encoded = InlineArray<29, UInt8>(repeating: 0)
    var encodedBytes = encoded.mutableSpan
    unsafe encodedBytes.withUnsafeMutableBufferPointer { target in
      unsafe digest.span.withUnsafeBufferPointer { source in
        _ = unsafe EVP_EncodeBlock(target.baseAddress, source.baseAddress, CInt(source.count))
      }
    }
    return SignatureText { index in
      switch encoded[index] {
      case UInt8(ascii: "+"): UInt8(ascii: "-")
      case UInt8(ascii: "/"): UInt8(ascii: "_")
      case let byte: byte
      }
    }
  }
}
