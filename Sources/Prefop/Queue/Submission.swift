import CPlatform
import CPrefop

/// One query that a queue was given, in one block of memory: first it waits to
/// be sent, then it is sent, then its completion waits to be taken. So a
/// completion takes no memory, and none can be lost for want of it.
@safe
struct Submission: Equatable {
  @safe
  private struct Block {
    var next: UnsafeMutablePointer<Block>?
    let tag: UInt64

    /// Milliseconds; nil: the client's.
    let timeout: Int64?

    var task: UnsafeMutablePointer<prefop_task>?
    var report: UnsafeMutablePointer<Report>?
    var status: Status

    // The texts stand behind the block.
    let idCount: UInt16
    let bucketCount: UInt16
    let accessKeyCount: UInt16
    let secretKeyCount: UInt16
  }

  private let block: UnsafeMutablePointer<Block>

  static func == (a: Submission, b: Submission) -> Bool { unsafe a.block == b.block }

  init(_ id: PersistentID, tag: UInt64, _ options: QueryOptions) throws(OutOfMemory) {
    var accessKey = Span<UInt8>()
    var secretKey = Span<UInt8>()
    if let pair = options.pair {
      accessKey = pair.accessKey
      secretKey = pair.secretKey
    }
    let textCount = id.text.count + options.bucket.count + accessKey.count + secretKey.count
    let memory = try unsafe allocate(MemoryLayout<Block>.stride + textCount)
    unsafe block = memory.bindMemory(to: Block.self, capacity: 1)
    unsafe block.initialize(
      to: Block(
        next: nil, tag: tag, timeout: options.timeout, task: nil, report: nil, status: .ok,
        idCount: UInt16(clamping: id.text.count), bucketCount: UInt16(clamping: options.bucket.count),
        accessKeyCount: UInt16(clamping: accessKey.count), secretKeyCount: UInt16(clamping: secretKey.count)))
    unsafe Self.copy(id.text, to: texts)
    unsafe Self.copy(options.bucket, to: texts + id.text.count)
    unsafe Self.copy(accessKey, to: texts + id.text.count + options.bucket.count)
    unsafe Self.copy(secretKey, to: texts + (textCount - secretKey.count))
  }

  /// Frees the block, and the task that nobody took.
  @inline(never)
  func destroy() {
    unsafe free(block.pointee.task)
    unsafe free(block.pointee.report)
    unsafe secretKey.withUnsafeBufferPointer { bytes in
      if let start = bytes.baseAddress { unsafe Secret.wipe(start, bytes.count) }
    }
    unsafe free(block)
  }

  var tag: UInt64 { unsafe block.pointee.tag }
  var timeout: Int64? { unsafe block.pointee.timeout }

  var id: Span<UInt8> {
    @_lifetime(immortal)
    get { text(at: 0, unsafe block.pointee.idCount) }
  }

  var bucket: Span<UInt8> {
    @_lifetime(immortal)
    get { text(at: unsafe block.pointee.idCount, unsafe block.pointee.bucketCount) }
  }

  /// The pair that signs this query alone.
  var pair: KeyPair? {
    @_lifetime(immortal)
    get {
      guard unsafe block.pointee.accessKeyCount > 0 else { return nil }
      let accessKey = text(
        at: unsafe block.pointee.idCount + block.pointee.bucketCount, unsafe block.pointee.accessKeyCount)
      return KeyPair(accessKey: accessKey, secretKey: secretKey)
    }
  }

  private var secretKey: Span<UInt8> {
    @_lifetime(immortal)
    get {
      text(
        at: unsafe block.pointee.idCount + block.pointee.bucketCount + block.pointee.accessKeyCount,
        unsafe block.pointee.secretKeyCount)
    }
  }

  // MARK: Completion

  /// How it ended.
  var status: Status { unsafe block.pointee.status }

  /// It begins, and what there is to tell goes there.
  func begin(_ report: UnsafeMutablePointer<Report>) { unsafe block.pointee.report = unsafe report }

  /// It has ended.
  func complete(_ status: Status, _ task: UnsafeMutablePointer<prefop_task>? = nil) {
    unsafe block.pointee.status = status
    unsafe block.pointee.task = unsafe task
  }

  /// The task, which is the caller's then.
  func takeTask() -> UnsafeMutablePointer<prefop_task>? {
    let task = unsafe block.pointee.task
    unsafe block.pointee.task = nil
    return unsafe task
  }

  /// What there is to tell; nil: it never began.
  func takeReport() -> UnsafeMutablePointer<Report>? {
    let report = unsafe block.pointee.report
    unsafe block.pointee.report = nil
    return unsafe report
  }

  // MARK: List

  /// Its successor in the list that it is in.
  var next: Submission? {
    get { unsafe block.pointee.next.map { unsafe Submission($0) } }
    nonmutating set { unsafe block.pointee.next = unsafe newValue?.block }
  }

  private init(_ block: UnsafeMutablePointer<Block>) { unsafe self.block = unsafe block }

  // MARK: Texts

  private var texts: UnsafeMutablePointer<UInt8> {
    unsafe UnsafeMutableRawPointer(block + 1).assumingMemoryBound(to: UInt8.self)
  }

  @_lifetime(immortal)
  private func text(at offset: UInt16, _ count: UInt16) -> Span<UInt8> {
    let text = unsafe Span(_unsafeStart: UnsafePointer(texts + Int(offset)), count: Int(count))
    return unsafe _overrideLifetime(text, copying: ())
  }

  private static func copy(_ text: Span<UInt8>, to address: UnsafeMutablePointer<UInt8>) {
    unsafe text.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { _ = unsafe memcpy(address, start, source.count) }
    }
  }
}
