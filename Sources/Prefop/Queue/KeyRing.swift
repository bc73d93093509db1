/// The key pairs that the queries of a queue sign with: the client's of today,
/// those of before that some query under way still uses, and the last one that
/// a query brought itself.
struct KeyRing: ~Copyable {
  private struct Key: ~Copyable {
    let signer: Box<RequestSigner>

    /// Of the client's credentials.
    var revision: UInt64
    var users = 0
  }

  private var keys = List<Key>()

  /// The one that the client has now.
  private var current: Int?

  private let own: Box<RequestSigner>

  init() throws(OutOfMemory) {
    own = try Box(RequestSigner())
  }

  /// The client's pair, kept until it is given back; nil: it has none.
  @inline(never)
  mutating func take(from client: borrowing Client) throws(Failure) -> Int? {
    let known = current.map { keys[$0].revision } ?? 0
    guard let credentials = try client.credentials(ifNewerThan: known) else {
      retire()
      return nil
    }
    try renew(credentials)
    if let current { keys[current].users += 1 }
    return current
  }

  /// A pair that is neither used nor the client's any more is wiped.
  @inline(never)
  mutating func giveBack(_ index: Int) {
    guard keys.indices ~= index else { return }
    keys[index].users -= 1
    if keys[index].users == 0, index != current { keys[index].signer.value.forget() }
  }

  func signer(_ index: Int) -> Reference<RequestSigner> { Reference(keys[index].signer) }
  func revision(_ index: Int) -> UInt64 { keys[index].revision }

  /// Signs with a pair that is not the client's.
  func signer(with pair: KeyPair) throws(OutOfMemory) -> Reference<RequestSigner> {
    if !own.value.holds(pair) { try own.value.take(pair) }
    return Reference(own)
  }

  /// The client's pair is another now, or none.
  private mutating func retire() {
    if let current, keys[current].users == 0 { keys[current].signer.value.forget() }
    current = nil
  }

  private mutating func renew(_ credentials: borrowing CurrentCredentials) throws(Failure) {
    guard credentials.changed.isPresent else { return }
    retire()
    do throws(OutOfMemory) {
      current = try add(credentials.changed.pair, credentials.revision)
    } catch {
      throw .outOfMemory
    }
  }

  @inline(never)
  private mutating func add(_ pair: KeyPair, _ revision: UInt64) throws(OutOfMemory) -> Int {
    for index in keys.indices where keys[index].users == 0 {
      try keys[index].signer.value.take(pair)
      keys[index].revision = revision
      return index
    }
    try keys.append(Key(signer: Box(RequestSigner()), revision: 0))
    try keys[keys.count - 1].signer.value.take(pair)
    keys[keys.count - 1].revision = revision
    return keys.count - 1
  }
}
