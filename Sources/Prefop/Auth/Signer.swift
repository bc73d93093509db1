import CCrypto

/// The text of a signature: URL-safe Base64, with padding, of 20 bytes.
typealias SignatureText = InlineArray<28, UInt8>

/// HMAC-SHA1 (RFC 2104) with one key, as every Qiniu signature is made.
///
/// The two blocks of the key are hashed once, and each signature goes on from
/// copies of the states that they leave. So signing takes no memory and cannot
/// fail, as libcrypto's own HMAC does and can, and costs a query a third of it.
struct Signer: ~Copyable {
  @safe
  private struct States {
    /// SHA-1 after the key's inner and its outer block.
    var inner = SHA_CTX()
    var outer = SHA_CTX()

    /// SHA-1 of the text so far.
    var text = SHA_CTX()
  }

  private let states: Box<States>

  /// The key, while it is taken: here, and not on the stack, where copies of it
  /// would stay. Zero otherwise.
  private let block: Box<InlineArray<64, UInt8>>

  private static var blockSize: Int { 64 }

  /// Signs with the empty key until it is given another.
  init() throws(OutOfMemory) {
    let states = try Box(States())
    let block = try Box(InlineArray<64, UInt8>(repeating: 0))
    self.states = states
    self.block = block
  }

  deinit {
    // Who has the states can sign.
    unsafe OPENSSL_cleanse(states.rawAddress, MemoryLayout<States>.size)
  }

  @inline(never)
  func setKey(_ key: Span<UInt8>) {
    clearBlock()
    if key.count > Self.blockSize {
      unsafe SHA1_Init(&states.value.text)
      Self.update(&states.value.text, key)
      unsafe SHA1_Final(blockAddress, &states.value.text)
    } else {
      for index in key.indices { block.value[index] = key[index] }
    }
    maskBlock(with: 0x36)
    unsafe SHA1_Init(&states.value.inner)
    unsafe SHA1_Update(&states.value.inner, blockAddress, Self.blockSize)
    // The second mask takes the first one off again.
    maskBlock(with: 0x36 ^ 0x5C)
    unsafe SHA1_Init(&states.value.outer)
    unsafe SHA1_Update(&states.value.outer, blockAddress, Self.blockSize)
    clearBlock()
  }

  private var blockAddress: UnsafeMutablePointer<UInt8> {
    unsafe block.rawAddress.assumingMemoryBound(to: UInt8.self)
  }

  @inline(never)
  private func maskBlock(with mask: UInt8) {
    for index in 0..<Self.blockSize { block.value[index] ^= mask }
  }

  @inline(never)
  private func clearBlock() { unsafe OPENSSL_cleanse(blockAddress, Self.blockSize) }

  /// Begins another text.
  @inline(never)
  func rewind() { states.value.text = states.value.inner }

  @inline(never)
  func add(_ text: Span<UInt8>) { Self.update(&states.value.text, text) }

  @inline(never)
  func add(_ text: StaticString) { add(text.span) }

  /// Ends the text.
  @inline(never)
  func finish() -> SignatureText {
    let digest = Self.finish(&states.value.text)
    states.value.text = states.value.outer
    Self.update(&states.value.text, digest.span)
    return Self.base64(Self.finish(&states.value.text))
  }

  @inline(never)
  private static func update(_ state: inout SHA_CTX, _ text: Span<UInt8>) {
    unsafe text.withUnsafeBufferPointer { bytes in
      if let start = bytes.baseAddress { _ = unsafe SHA1_Update(&state, start, bytes.count) }
    }
  }

  @inline(never)
  private static func finish(_ state: inout SHA_CTX) -> InlineArray<20, UInt8> {
    var digest = InlineArray<20, UInt8>(repeating: 0)
    var bytes = digest.mutableSpan
    unsafe bytes.withUnsafeMutableBufferPointer { bytes in
      _ = unsafe SHA1_Final(bytes.baseAddress, &state)
    }
    return digest
  }

  @inline(never)
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
