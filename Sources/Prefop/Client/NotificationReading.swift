import CPrefop

/// From a notification to its task: first the signature, then the body.
enum NotificationReading {
  @inline(never)
  static func task(
    in notification: Notification, client: OpaquePointer?, fault: inout Message
  ) throws(Failure) -> UnsafeMutablePointer<prefop_task> {
    if let pair = notification.pair {
      try verify(notification, pair)
    } else {
      try unsafe verify(notification, ClientHandle.client(client, fault: &fault).pointee.credentials())
    }
    var draft = TaskDraft()
    return try unsafe TaskParsing.task(notification.body, using: &draft, fault: &fault)
  }

  @inline(never)
  private static func verify(_ notification: Notification, _ credentials: borrowing Credentials) throws(Failure) {
    guard credentials.isPresent else {
      throw Failure(
        .credentials,
        "no credentials to verify with: give access_key and secret_key to the client or in the notification")
    }
    try verify(notification, credentials.pair)
  }

  @inline(never)
  private static func verify(_ notification: Notification, _ pair: KeyPair) throws(Failure) {
    var verifier = try NotificationVerifier(pair)
    guard try verifier.verify(notification, accessKey: pair.accessKey) == .withoutBody else { return }
    guard notification.allowsUnsignedBody else {
      throw Failure(
        .unsignedBody,
        "the notification's signature is right, but does not cover its body: query the task, or set PREFOP_NOTIFICATION_ALLOW_UNSIGNED_BODY"
      )
    }
  }
}
