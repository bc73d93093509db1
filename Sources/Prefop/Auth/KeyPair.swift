/// A key pair as somebody gave it, checked: fit to be signed with and sent.
struct KeyPair: ~Escapable {
  let accessKey: Span<UInt8>
  let secretKey: Span<UInt8>

  @_lifetime(copy accessKey, copy secretKey)
  init(accessKey: Span<UInt8>, secretKey: Span<UInt8>) {
    self.accessKey = accessKey
    self.secretKey = secretKey
  }

  /// The pair that C gives; nil when both halves are NULL. `status` and `owner`
  /// say what it is that is wrong, and where.
  @_lifetime(immortal)
  static func given(
    _ accessKey: UnsafePointer<CChar>?, _ secretKey: UnsafePointer<CChar>?, in owner: StaticString, _ status: Status
  ) throws(Failure) -> KeyPair? {
    guard unsafe accessKey != nil || secretKey != nil else { return nil }
    guard let accessKey = unsafe accessKey else {
      throw Failure(status, "\(owner)secret_key is set, but access_key is NULL: give both or neither")
    }
    guard let secretKey = unsafe secretKey else {
      throw Failure(status, "\(owner)access_key is set, but secret_key is NULL: give both or neither")
    }
    let access = unsafe CText.span(accessKey)
    let secret = unsafe CText.span(secretKey)
    try check(access, owner, "access_key", status)
    try check(secret, owner, "secret_key", status)
    return KeyPair(accessKey: access, secretKey: secret)
  }

  /// The pair in the environment; nil when both variables are unset or empty.
  @_lifetime(immortal)
  static func fromEnvironment() throws(Failure) -> KeyPair? {
    let access = Environment.value("QINIU_ACCESS_KEY")
    let secret = Environment.value("QINIU_SECRET_KEY")
    guard let access else {
      guard secret == nil else {
        throw Failure(.configuration, "QINIU_SECRET_KEY is set, but QINIU_ACCESS_KEY is not: set both or neither")
      }
      return nil
    }
    guard let secret else {
      throw Failure(.configuration, "QINIU_ACCESS_KEY is set, but QINIU_SECRET_KEY is not: set both or neither")
    }
    try check(access, "", "QINIU_ACCESS_KEY", .configuration)
    try check(secret, "", "QINIU_SECRET_KEY", .configuration)
    return KeyPair(accessKey: access, secretKey: secret)
  }

  /// A key goes into a header, so it may hold nothing that ends one.
  private static func check(
    _ key: Span<UInt8>, _ owner: StaticString, _ name: StaticString, _ status: Status
  ) throws(Failure) {
    guard !key.isEmpty else { throw Failure(status, "\(owner)\(name) is empty") }
    guard key.count <= Credentials.keyLengthLimit else {
      throw Failure(status, "\(owner)\(name) has \(key.count) bytes: at most \(Credentials.keyLengthLimit)")
    }
    for index in key.indices where !(0x21...0x7E ~= key[index]) {
      throw Failure(
        status, "\(owner)\(name) has a byte at \(index) that is no printable ASCII: is there a blank or a line end too many?")
    }
  }
}
