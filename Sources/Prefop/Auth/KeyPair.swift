/// A key pair as somebody gave it, checked: fit to be signed with and sent.
struct KeyPair: ~Escapable {
  let accessKey: Span<UInt8>
  let secretKey: Span<UInt8>

  @_lifetime(copy accessKey, copy secretKey)
  init(accessKey: Span<UInt8>, secretKey: Span<UInt8>) {
    self.accessKey = accessKey
    self.secretKey = secretKey
  }

  /// The pair that C gives; nil when both halves are NULL. `status` and the
  /// names say what it is that is wrong, and where.
  @_lifetime(immortal)
  @inline(never)
  static func given(
    _ accessKey: UnsafePointer<CChar>?, _ accessName: StaticString,
    _ secretKey: UnsafePointer<CChar>?, _ secretName: StaticString, _ status: Status
  ) throws(Failure) -> KeyPair? {
    let access: Span<UInt8>? = unsafe accessKey == nil ? nil : CText.span(accessKey)
    let secret: Span<UInt8>? = unsafe secretKey == nil ? nil : CText.span(secretKey)
    return try checked(access, accessName, secret, secretName, status)
  }

  /// The pair in the environment; nil when both variables are unset or empty.
  @_lifetime(immortal)
  @inline(never)
  static func fromEnvironment() throws(Failure) -> KeyPair? {
    try checked(
      Environment.value("QINIU_ACCESS_KEY"), "QINIU_ACCESS_KEY",
      Environment.value("QINIU_SECRET_KEY"), "QINIU_SECRET_KEY", .configuration)
  }

  /// The pair, if it is one; nil when neither half is there.
  @_lifetime(copy access, copy secret)
  @inline(never)
  static func checked(
    _ access: Span<UInt8>?, _ accessName: StaticString, _ secret: Span<UInt8>?, _ secretName: StaticString,
    _ status: Status
  ) throws(Failure) -> KeyPair? {
    guard access != nil || secret != nil else { return nil }
    guard let access else {
      throw Failure(
        status, "{name} is missing, but the other half of the key pair is set: set both or neither", name: accessName)
    }
    guard let secret else {
      throw Failure(
        status, "{name} is missing, but the other half of the key pair is set: set both or neither", name: secretName)
    }
    try check(access, accessName, status)
    // It is sent as "key:signature", and a reader ends it at the first.
    guard access.firstIndex(of: UInt8(ascii: ":")) == nil else {
      throw Failure(
        status, "{name} has a \":\" in it, which no access key has: were both keys given in one?", name: accessName)
    }
    try check(secret, secretName, status)
    return KeyPair(accessKey: access, secretKey: secret)
  }

  /// A key goes into a header, so it may hold nothing that ends one.
  @inline(never)
  private static func check(_ key: Span<UInt8>, _ name: StaticString, _ status: Status) throws(Failure) {
    guard !key.isEmpty else { throw Failure(status, "{name} is empty", name: name) }
    guard key.count <= Credentials.keyLengthLimit else {
      throw Failure(
        status, "{name} has {number} bytes: at most {limit}", name: name, number: key.count,
        limit: Credentials.keyLengthLimit)
    }
    for index in key.indices where !(0x21...0x7E ~= key[index]) {
      throw Failure(
        status, "{name} has a byte at {number} that is no printable ASCII: is there a blank or a line end too many?",
        name: name, number: index)
    }
  }
}
