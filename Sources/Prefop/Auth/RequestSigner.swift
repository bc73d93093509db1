/// Signs status requests with one key pair, which it keeps until another comes.
struct RequestSigner: ~Copyable {
  private var access = Bytes()
  private var secretKey = Secret()
  private var signer = Signer()

  var accessKey: Span<UInt8> { @_lifetime(borrow self) get { access.span } }

  /// Whether it holds this key pair already.
  func holds(_ pair: KeyPair) -> Bool {
    access.span.equals(pair.accessKey) && secretKey.span.equalsInConstantTime(pair.secretKey)
  }

  mutating func take(_ pair: KeyPair) throws(Failure) {
    try signer.setKey(pair.secretKey)
    do throws(OutOfMemory) {
      // Without the pair the key in the signer is not trusted to be its own.
      secretKey = Secret()
      access = try Bytes(copying: pair.accessKey)
      secretKey = try Secret(copying: pair.secretKey)
    } catch {
      throw .outOfMemory
    }
  }

  /// The signature of a status request; `date` when it is sent.
  mutating func sign(
    target: Span<UInt8>, host: Span<UInt8>, date: InlineArray<16, UInt8>?
  ) throws(Failure) -> SignatureText {
    try signer.rewind()
    try signer.add("GET ")
    try signer.add(target)
    try signer.add("\nHost: ")
    try signer.add(host)
    try signer.add("\nContent-Type: application/x-www-form-urlencoded\n")
    if let date {
      try signer.add("X-Qiniu-Date: ")
      try signer.add(date.span)
      try signer.add("\n")
    }
    try signer.add("\n")
    return try signer.finish()
  }
}
