/// Recomputes a notification's signature and compares. Qiniu signs the request
/// (scheme "Qiniu"), or, in older notifications, its path and query ("QBox"); and
/// the body with it only for some values of Content-Type.
struct NotificationVerifier: ~Copyable {
  private let signer: Signer

  /// The X-Qiniu- fields as they are signed, made once for all attempts.
  private var signedFields = Bytes()

  /// Qiniu sends a handful.
  private static var signedFieldLimit: Int { 64 }

  enum Coverage {
    case body
    case withoutBody
  }

  private enum Scheme {
    case qiniu
    case qbox
  }

  init(_ pair: KeyPair) throws(Failure) {
    signer = try orFailure { () throws(OutOfMemory) in try Signer() }
    signer.setKey(pair.secretKey)
  }

  /// Whether the signature, which must be right, covers the body.
  @inline(never)
  mutating func verify(_ notification: Notification, accessKey: Span<UInt8>) throws(Failure) -> Coverage {
    guard let authorization = notification.headers.value(of: "authorization") else {
      throw Failure(.unsigned, "the notification has no Authorization header")
    }
    let scheme: Scheme
    let token: Span<UInt8>
    if authorization.hasPrefix("Qiniu ") {
      scheme = .qiniu
      token = authorization.extracting(6..<authorization.count).trimmed
    } else if authorization.hasPrefix("QBox ") {
      scheme = .qbox
      token = authorization.extracting(5..<authorization.count).trimmed
    } else {
      throw Failure(.unsigned, "the notification's Authorization is neither of the scheme Qiniu nor QBox")
    }
    guard let colon = token.firstIndex(of: UInt8(ascii: ":")) else {
      throw Failure(.signature, "the notification's Authorization is not \"<access key>:<signature>\"")
    }
    let owner = token.extracting(0..<colon)
    guard owner.equals(accessKey) else {
      throw Failure(.unknownKey, "the notification is signed with another access key, {text}", text: owner)
    }
    let signature = token.extracting(colon + 1..<token.count)
    // What cannot be right is not worth the work that a stranger asks for.
    guard signature.count == SignatureText.count else { throw Self.wrongSignature }
    signedFields = try Self.signedFields(of: notification.headers)
    if let coverage = try find(signature, scheme, notification, path: notification.url.path) { return coverage }
    // Peers disagree on whether the path is signed decoded.
    var decoded = try notification.url.decodedPath()
    if isSafe(decoded.span, instead: notification.url.path),
      let coverage = try find(signature, scheme, notification, decodedPath: &decoded)
    {
      return coverage
    }
    throw Self.wrongSignature
  }

  private static var wrongSignature: Failure {
    Failure(
      .signature,
      "the notification's signature is wrong: it is forged, or method, url, headers or body are not as Qiniu sent them")
  }

  /// Whether the decoded path is another text, but still only a path: with a line
  /// end or a question mark in it, it would pass for other parts of what is signed.
  @inline(never)
  private func isSafe(_ decoded: Span<UInt8>, instead path: Span<UInt8>) -> Bool {
    !decoded.equals(path) && !decoded.contains(where: { $0.isControl || $0 == UInt8(ascii: "?") })
  }

  @inline(never)
  private func find(
    _ signature: Span<UInt8>, _ scheme: Scheme, _ notification: Notification, decodedPath: inout Bytes
  ) throws(Failure) -> Coverage? {
    try find(signature, scheme, notification, path: decodedPath.span)
  }

  @inline(never)
  private func find(
    _ signature: Span<UInt8>, _ scheme: Scheme, _ notification: Notification, path: Span<UInt8>
  ) throws(Failure) -> Coverage? {
    let type = notification.headers.value(of: "content-type")
    let isForm = type?.equals("application/x-www-form-urlencoded") ?? true
    switch scheme {
    case .qbox:
      let isRight = signQBox(notification, path, withBody: isForm) { $0.span.equalsInConstantTime(signature) }
      return isRight ? coverage(isForm, notification) : nil
    case .qiniu:
      let isCovered = isForm || type?.equals("application/json") ?? false
      if signQiniu(notification, path, type, withBody: isCovered, { $0.span.equalsInConstantTime(signature) }) {
        return coverage(isCovered, notification)
      }
      // Java and Python sign the body also when the type has parameters.
      guard !isCovered,
        signQiniu(notification, path, type, withBody: true, { $0.span.equalsInConstantTime(signature) })
      else { return nil }
      return .body
    }
  }

  /// There is nothing to cover in an empty body.
  @inline(never)
  private func coverage(_ coversBody: Bool, _ notification: Notification) -> Coverage {
    coversBody || notification.body.isEmpty ? .body : .withoutBody
  }

  @inline(never)
  private func signQBox(
    _ notification: Notification, _ path: Span<UInt8>, withBody: Bool, _ matches: (SignatureText) -> Bool
  ) -> Bool {
    signer.rewind()
    addTarget(path, notification.url.query)
    signer.add("\n")
    if withBody { signer.add(notification.body) }
    return matches(signer.finish())
  }

  @inline(never)
  private func signQiniu(
    _ notification: Notification, _ path: Span<UInt8>, _ type: Span<UInt8>?, withBody: Bool,
    _ matches: (SignatureText) -> Bool
  ) -> Bool {
    signer.rewind()
    signer.add(notification.method)
    signer.add(" ")
    addTarget(path, notification.url.query)
    signer.add("\nHost: ")
    signer.add(notification.host)
    signer.add("\nContent-Type: ")
    if let type { signer.add(type) } else { signer.add("application/x-www-form-urlencoded") }
    signer.add("\n")
    signer.add(signedFields.span)
    signer.add("\n")
    if withBody { signer.add(notification.body) }
    return matches(signer.finish())
  }

  @inline(never)
  private func addTarget(_ path: Span<UInt8>, _ query: Span<UInt8>) {
    if path.isEmpty { signer.add("/") } else { signer.add(path) }
    guard !query.isEmpty else { return }
    signer.add("?")
    signer.add(query)
  }

  /// The X-Qiniu- fields in the order of their canonical names; of a repeated
  /// one the first value.
  @inline(never)
  private static func signedFields(of headers: HeaderFields) throws(Failure) -> Bytes {
    var places = List<Int>()
    for index in 0..<headers.count where headers.field(at: index).isSigned {
      guard places.count < signedFieldLimit else {
        throw Failure(.argument, "notification.headers has more than {limit} X-Qiniu- fields", limit: signedFieldLimit)
      }
      do throws(OutOfMemory) { try places.append(index) } catch { throw .outOfMemory }
    }
    var text = Bytes()
    var last: Int?
    do throws(OutOfMemory) {
      while let next = nextField(headers, places, after: last) {
        let field = headers.field(at: next)
        for index in field.name.indices { try text.append(field.canonicalByte(at: index)) }
        try text.append(": ")
        try text.append(field.value)
        try text.append("\n")
        last = next
      }
    } catch {
      throw .outOfMemory
    }
    return text
  }

  @inline(never)
  private static func nextField(_ headers: HeaderFields, _ places: borrowing List<Int>, after last: Int?) -> Int? {
    var next: Int?
    for place in places.indices {
      let index = places[place]
      let field = headers.field(at: index)
      if let last, field.compareName(headers.field(at: last)) <= 0 { continue }
      if let next, field.compareName(headers.field(at: next)) >= 0 { continue }
      next = index
    }
    return next
  }
}
