/// What one blocking call at a time needs: a multi handle with its kept
/// connections, a transfer, the key to sign with, and scratch memory. Nothing in
/// it is taken anew for a query.
struct Engine: ~Copyable {
  let multi: Box<Multi>
  let transfer: Box<Transfer>
  let signer: Box<RequestSigner>
  let draft: Box<TaskDraft>

  /// What the transfer asks for.
  private var request: Query.Request?

  /// The revision of the client's credentials that it signs with; 0: it signs
  /// with another pair, or not at all.
  var credentialsRevision: UInt64 = 0

  init() throws(Failure) {
    try Curl.prepare()
    let multi = try Self.makeMulti()
    let transfer = try Self.box(orFailure { () throws(OutOfMemory) in try Transfer() })
    let signer = try Self.box(orFailure { () throws(OutOfMemory) in try RequestSigner() })
    let draft = try Self.box(TaskDraft())
    self.multi = multi
    self.signer = signer
    self.draft = draft
    self.transfer = transfer
  }

  deinit {
    multi.value.forkGuard.enter()
    defer { multi.value.forkGuard.leave() }
    transfer.value.close()
  }

  /// Not after a fork, and not after libcurl lost its way.
  var isUsable: Bool { multi.value.isUsable }

  /// Whether it makes signatures of this pair already.
  func signs(with pair: KeyPair) -> Bool { transfer.value.signedHeaders.isSigned && signer.value.holds(pair) }

  /// The header's key first: a signer that could not take the pair is given it
  /// again by the next query.
  mutating func sign(with pair: KeyPair, _ settings: borrowing Settings) throws(Failure) {
    credentialsRevision = 0
    do throws(OutOfMemory) {
      try transfer.value.signedHeaders.setAccessKey(pair.accessKey, settings)
      try signer.value.take(pair)
    } catch {
      throw .outOfMemory
    }
  }

  /// Begins another query.
  mutating func begin() { request = nil }

  /// Sets what to ask for, if it is not what was asked for last.
  mutating func load(_ request: Query.Request, _ id: PersistentID, bucket: Span<UInt8>) throws(Failure) {
    guard self.request != request else { return }
    self.request = nil
    try transfer.value.setTarget(request, id, accessKey: signer.value.accessKey, bucket: bucket)
    self.request = request
  }

  /// For the pauses of one query: another for each thread, though all fail at once.
  func seed(at now: Instant) -> UInt64 {
    unsafe Random.seed(of: transfer.rawAddress, at: now)
  }

  /// Wipes the key that it signs with.
  mutating func forgetPair() {
    credentialsRevision = 0
    signer.value.forget()
  }

  /// Gives back what one large answer took.
  func trim() {
    draft.value.trim()
    transfer.value.trim()
  }

  private static func makeMulti() throws(Failure) -> Box<Multi> {
    let multi = try box(Multi())
    try configure(multi)
    return multi
  }

  private static func configure(_ multi: borrowing Box<Multi>) throws(Failure) { try multi.value.configure() }

  private static func box<Value: ~Copyable>(_ value: consuming Value) throws(Failure) -> Box<Value> {
    do throws(OutOfMemory) { return try Box(value) } catch { throw .outOfMemory }
  }
}
