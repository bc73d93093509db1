/// An access key, which is public, and its secret key, which is not; or none.
struct Credentials: ~Copyable {
  private var access: Bytes
  private var secret: Secret

  static var keyLengthLimit: Int { 256 }

  /// No key pair.
  init() {
    access = Bytes()
    secret = Secret()
  }

  @inline(never)
  init(_ pair: KeyPair) throws(Failure) {
    self.init()
    do throws(OutOfMemory) {
      access = try Bytes(copying: pair.accessKey)
      secret = try Secret(copying: pair.secretKey)
    } catch {
      throw .outOfMemory
    }
  }

  /// The pair that somebody gave, or none.
  init(ifGiven pair: KeyPair?) throws(Failure) {
    if let pair { self = try Credentials(pair) } else { self.init() }
  }

  var isPresent: Bool { !access.isEmpty }
  var accessKey: Span<UInt8> { @_lifetime(borrow self) get { access.span } }
  var secretKey: Span<UInt8> { @_lifetime(borrow self) get { secret.span } }

  var pair: KeyPair {
    @_lifetime(borrow self)
    get { KeyPair(accessKey: accessKey, secretKey: secretKey) }
  }

  func copy() throws(Failure) -> Credentials {
    guard isPresent else { return Credentials() }
    return try Credentials(pair)
  }
}
