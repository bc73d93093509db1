/// Signs status requests with one key pair, which it keeps until another comes.
struct RequestSigner: ~Copyable {
  private var access = Bytes()
  private var secretKey = Secret()
  private let signer: Signer

  init() throws(OutOfMemory) { signer = try Signer() }

  var accessKey: Span<UInt8> { @_lifetime(borrow self) get { access.span } }

  /// Whether it holds this key pair already.
  @inline(never)
  func holds(_ pair: KeyPair) -> Bool {
    access.span.equals(pair.accessKey) && secretKey.span.equalsInConstantTime(pair.secretKey)
  }

  @inline(never)
  mutating func take(_ pair: KeyPair) throws(OutOfMemory) {
    // Until the whole pair is there, it holds none.
    secretKey = Secret()
    access = try Bytes(copying: pair.accessKey)
    secretKey = try Secret(copying: pair.secretKey)
    signer.setKey(pair.secretKey)
  }

  /// Wipes the pair; it signs nothing until it is given another.
  @inline(never)
  mutating func forget() {
    access = Bytes()
    secretKey = Secret()
    signer.setKey(Span())
  }

  /// The signature of a status request; `date` when it is sent.
  @inline(never)
  func sign(target: Span<UInt8>, host: Span<UInt8>, date: InlineArray<16, UInt8>?) -> SignatureText {
    signer.rewind()
    signer.add("GET ")
    signer.add(target)
    signer.add("\nHost: ")
    signer.add(host)
    signer.add("\nContent-Type: application/x-www-form-urlencoded\n")
    if let date {
      signer.add("X-Qiniu-Date: ")
      signer.add(date.span)
      signer.add("\n")
    }
    signer.add("\n")
    return signer.finish()
  }
}
