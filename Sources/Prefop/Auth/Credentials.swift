import CPlatform

/// An access key, which is public, and its secret key, which is not.
struct Credentials: ~Copyable {
  private let access: Bytes
  private let secret: Secret

  static var keyLengthLimit: Int { 256 }

  init(accessKey: Span<UInt8>, secretKey: Span<UInt8>) throws(OutOfMemory) {
    let access = try Bytes(copying: accessKey)
    let secret = try Secret(copying: secretKey)
    self.access = access
    self.secret = secret
  }

  var accessKey: Span<UInt8> { @_lifetime(borrow self) get { access.span } }
  var secretKey: Span<UInt8> { @_lifetime(borrow self) get { secret.span } }

  func copy() throws(OutOfMemory) -> Credentials {
    try Credentials(accessKey: accessKey, secretKey: secretKey)
  }

  func equals(_ other: borrowing Credentials) -> Bool {
    accessKey.equals(other.accessKey) && secretKey.equalsInConstantTime(other.secretKey)
  }
}

/// A key pair as somebody gave it: whole, or not at all.
struct KeyPair: ~Escapable {
  let accessKey: Span<UInt8>
  let secretKey: Span<UInt8>

  /// nil when neither is there. What is wrong is `status`, and names the half.
  @_lifetime(copy accessKey, copy secretKey)
  static func check(
    _ accessKey: Span<UInt8>?, _ accessName: StaticString,
    _ secretKey: Span<UInt8>?, _ secretName: StaticString, _ status: Status
  ) throws(Failure) -> KeyPair? {
    guard let accessKey else {
      guard secretKey == nil else {
        throw Failure(status, "\(secretName) is set, but \(accessName) is not: set both or neither")
      }
      return nil
    }
    guard let secretKey else {
      throw Failure(status, "\(accessName) is set, but \(secretName) is not: set both or neither")
    }
    try check(accessKey, accessName, status)
    try check(secretKey, secretName, status)
    return KeyPair(accessKey: accessKey, secretKey: secretKey)
  }

  @_lifetime(copy accessKey, copy secretKey)
  private init(accessKey: Span<UInt8>, secretKey: Span<UInt8>) {
    self.accessKey = accessKey
    self.secretKey = secretKey
  }

  /// A key goes into a header, so it may hold nothing that ends one.
  private static func check(_ key: Span<UInt8>, _ name: StaticString, _ status: Status) throws(Failure) {
    guard !key.isEmpty else { throw Failure(status, "\(name) is empty") }
    guard key.count <= Credentials.keyLengthLimit else {
      throw Failure(status, "\(name) is longer than \(Credentials.keyLengthLimit) bytes")
    }
    for index in key.indices where !(0x21...0x7E ~= key[index]) {
      throw Failure(status, "\(name) has a byte at \(index) that is no printable ASCII: is there a blank or a line end too many?")
    }
  }
}
