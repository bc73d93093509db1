import CPrefop

/// A notification as a web server received it, checked but not yet verified.
@safe
struct Notification: ~Escapable {
  let method: Span<UInt8>
  let url: RequestURL
  let host: Span<UInt8>
  let headers: HeaderFields
  let body: Span<UInt8>
  let pair: KeyPair?
  let allowsUnsignedBody: Bool

  @_lifetime(immortal)
  init(_ pointer: UnsafePointer<prefop_notification>) throws(Failure) {
    let given = try unsafe CallerStruct.read(pointer, "notification")
    let unknown = unsafe given.flags & ~UInt32(PREFOP_NOTIFICATION_ALLOW_UNSIGNED_BODY)
    guard unknown == 0 else {
      throw Failure(
        .unsupported, "notification.flags has bits that version 1.0 does not know: {number}", number: Int(unknown))
    }
    guard let url = unsafe given.url else { throw Failure(.argument, "notification.url is NULL") }
    allowsUnsignedBody = unsafe given.flags & UInt32(PREFOP_NOTIFICATION_ALLOW_UNSIGNED_BODY) != 0
    pair = try unsafe KeyPair.given(
      given.access_key, "notification.access_key", given.secret_key, "notification.secret_key", .argument)
    headers = try unsafe HeaderFields(given.headers, count: given.header_count)
    body = try unsafe callerBytes(given.body, given.body_length, "notification.body")
    method = unsafe given.method == nil ? Self.post.span : CText.span(given.method)
    guard !method.contains(where: { $0.isControl || $0 == 0x20 }) else {
      throw Failure(.argument, "notification.method has a blank or a control character in it")
    }
    self.url = try unsafe RequestURL(CText.span(url))
    host = try Self.host(of: self.url, headers)
  }

  private static var post: StaticString { "POST" }

  @_lifetime(copy url, copy headers)
  private static func host(of url: RequestURL, _ headers: HeaderFields) throws(Failure) -> Span<UInt8> {
    if !url.host.isEmpty { return url.host }
    guard let host = headers.value(of: "host"), !host.isEmpty else {
      throw Failure(
        .argument, "notification.url is only a path, and the headers have no Host: give the URL that Qiniu called")
    }
    return host
  }
}
