import CPlatform
import CPrefop

/// One query that a queue was given, in one block of memory: first it waits to
/// be sent, then it is sent, then its completion waits to be taken. So a
/// completion takes no memory, and none can be lost for want of it.
@safe
struct Submission: Equatable, Timed {
  /// Where in the queue it is.
  enum Place: UInt8 {
    /// Given, and not begun.
    case waiting
    /// A wait that is to poll now.
    case due
    /// In a flight.
    case flying
    /// A wait between two polls: only a timer knows it.
    case resting
    /// Its completion can be taken.
    case completed
  }

  @safe
  private struct Block {
    var next: UnsafeMutablePointer<Block>?
    var previous: UnsafeMutablePointer<Block>?
    var nextOfTag: UnsafeMutablePointer<Block>?
    var previousOfTag: UnsafeMutablePointer<Block>?
    let tag: UInt64

    /// Milliseconds; 0: the client's.
    let timeout: Int64

    var task: UnsafeMutablePointer<prefop_task>?
    var report: UnsafeMutablePointer<Report>?
    var status: Status
    var timerPosition: Int32
    var slot: Int32
    var place: Place
    let isWait: Bool

    // The texts stand behind the block, and behind the wait if it is one.
    let idCount: UInt16
    let plainCount: UInt16
    let bucketCount: UInt16
    let accessKeyCount: UInt16
    let secretKeyCount: UInt16
  }

  private let block: UnsafeMutablePointer<Block>

  static func == (a: Submission, b: Submission) -> Bool { unsafe a.block == b.block }

  init(_ id: PersistentID, tag: UInt64, _ options: QueryOptions, at now: Instant) throws(OutOfMemory) {
    var accessKey = Span<UInt8>()
    var secretKey = Span<UInt8>()
    if let pair = options.pair {
      accessKey = pair.accessKey
      secretKey = pair.secretKey
    }
    let textCount = id.text.count + options.bucket.count + accessKey.count + secretKey.count
    let memory = try unsafe allocate(Self.textOffset(isWait: options.isUntilFinished) + textCount)
    unsafe block = memory.bindMemory(to: Block.self, capacity: 1)
    unsafe block.initialize(
      to: Block(
        next: nil, previous: nil, nextOfTag: nil, previousOfTag: nil, tag: tag, timeout: options.timeout ?? 0,
        task: nil, report: nil, status: .ok, timerPosition: -1, slot: -1, place: .waiting,
        isWait: options.isUntilFinished,
        idCount: UInt16(clamping: id.text.count), plainCount: UInt16(clamping: id.plainCount),
        bucketCount: UInt16(clamping: options.bucket.count),
        accessKeyCount: UInt16(clamping: accessKey.count), secretKeyCount: UInt16(clamping: secretKey.count)))
    if options.isUntilFinished {
      unsafe waitAddress.initialize(
        to: QueuedWait(options, from: now, seed: Random.seed(of: UnsafeRawPointer(block), at: now)))
    }
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
  var timeout: Int64? { unsafe block.pointee.timeout == 0 ? nil : block.pointee.timeout }

  var place: Place {
    get { unsafe block.pointee.place }
    nonmutating set { unsafe block.pointee.place = newValue }
  }

  /// The flight that it is in.
  var slot: Int {
    get { unsafe Int(block.pointee.slot) }
    nonmutating set { unsafe block.pointee.slot = Int32(truncatingIfNeeded: newValue) }
  }

  var timerPosition: Int {
    get { unsafe Int(block.pointee.timerPosition) }
    nonmutating set { unsafe block.pointee.timerPosition = Int32(truncatingIfNeeded: newValue) }
  }

  /// Whether it is asked for until its task is finished.
  var isWait: Bool { unsafe block.pointee.isWait }

  /// Only of one that is a wait.
  var wait: QueuedWait {
    unsafeAddress { unsafe UnsafePointer(waitAddress) }
    nonmutating unsafeMutableAddress { unsafe waitAddress }
  }

  var id: PersistentID {
    @_lifetime(immortal)
    get {
      PersistentID(
        checked: text(at: 0, unsafe block.pointee.idCount), plainCount: unsafe Int(block.pointee.plainCount))
    }
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
  var status: Status {
    get { unsafe block.pointee.status }
    nonmutating set { unsafe block.pointee.status = newValue }
  }

  /// The answer, or the last one so far of a wait. The submission owns it.
  var task: UnsafeMutablePointer<prefop_task>? { unsafe block.pointee.task }

  func replaceTask(with newer: UnsafeMutablePointer<prefop_task>?) {
    unsafe free(block.pointee.task)
    unsafe block.pointee.task = unsafe newer
  }

  /// The task, which is the caller's then.
  func takeTask() -> UnsafeMutablePointer<prefop_task>? {
    let task = unsafe block.pointee.task
    unsafe block.pointee.task = nil
    return unsafe task
  }

  /// What there is to tell of it; nil: nothing.
  var report: UnsafeMutablePointer<Report>? { unsafe block.pointee.report }

  func give(_ report: UnsafeMutablePointer<Report>) { unsafe block.pointee.report = unsafe report }

  func takeReport() -> UnsafeMutablePointer<Report>? {
    let report = unsafe block.pointee.report
    unsafe block.pointee.report = nil
    return unsafe report
  }

  // MARK: Lists

  /// Its neighbours in the list that it is in.
  var next: Submission? {
    get { unsafe block.pointee.next.map { unsafe Submission($0) } }
    nonmutating set { unsafe block.pointee.next = unsafe newValue?.block }
  }

  var previous: Submission? {
    get { unsafe block.pointee.previous.map { unsafe Submission($0) } }
    nonmutating set { unsafe block.pointee.previous = unsafe newValue?.block }
  }

  /// Its neighbours among those with the same tag.
  var nextOfTag: Submission? {
    get { unsafe block.pointee.nextOfTag.map { unsafe Submission($0) } }
    nonmutating set { unsafe block.pointee.nextOfTag = unsafe newValue?.block }
  }

  var previousOfTag: Submission? {
    get { unsafe block.pointee.previousOfTag.map { unsafe Submission($0) } }
    nonmutating set { unsafe block.pointee.previousOfTag = unsafe newValue?.block }
  }

  private init(_ block: UnsafeMutablePointer<Block>) { unsafe self.block = unsafe block }

  // MARK: Behind the block

  private static var waitOffset: Int { MemoryLayout<Block>.stride }

  private static func textOffset(isWait: Bool) -> Int {
    waitOffset + (isWait ? MemoryLayout<QueuedWait>.stride : 0)
  }

  private var waitAddress: UnsafeMutablePointer<QueuedWait> {
    unsafe (UnsafeMutableRawPointer(block) + Self.waitOffset).assumingMemoryBound(to: QueuedWait.self)
  }

  private var texts: UnsafeMutablePointer<UInt8> {
    unsafe (UnsafeMutableRawPointer(block) + Self.textOffset(isWait: isWait)).assumingMemoryBound(to: UInt8.self)
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
