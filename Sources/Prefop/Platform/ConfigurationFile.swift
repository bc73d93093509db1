import CPlatform

/// A file that a person writes, and that nobody else may have written.
enum ConfigurationFile {
  private static var sizeLimit: Int { 1 << 20 }

  /// Reads a file, whose name is followed by a NUL, and puts a NUL behind what is
  /// in it. False: there is none.
  @inline(never)
  static func read(_ name: Span<UInt8>, into content: inout Secret) throws(Failure) -> Bool {
    guard !name.isEmpty else { return false }
    var descriptor: Int32
    repeat {
      descriptor = unsafe name.withUnsafeBufferPointer { unsafe prefop_open_to_read($0.baseAddress) }
    } while descriptor < 0 && prefop_errno() == EINTR
    guard descriptor >= 0 else {
      if prefop_errno() == ENOENT || prefop_errno() == ENOTDIR { return false }
      throw refusal()
    }
    defer { _ = close(descriptor) }
    let count = try size(descriptor)
    content = try orFailure { () throws(OutOfMemory) in try Secret(capacity: count + 1) }
    while content.count < count {
      let length = unsafe content.appendReserved(upTo: count - content.count) {
        unsafe CPlatform.read(descriptor, $0, $1)
      }
      if length == 0 { break }
      guard length > 0 || prefop_errno() == EINTR else { throw refusal() }
    }
    content.appendReserved(0)
    return true
  }

  /// The size of a file that is fit to be believed.
  private static func size(_ descriptor: Int32) throws(Failure) -> Int {
    var status = stat()
    guard unsafe prefop_file_status(descriptor, &status) == 0 else { throw refusal() }
    var problem: StaticString = ""
    if status.st_mode & mode_t(S_IFMT) != S_IFREG {
      problem = "it is no regular file"
    } else if status.st_uid != 0 && status.st_uid != geteuid() {
      problem = "it belongs to somebody else: it must be yours, or root's"
    } else if status.st_mode & 0o022 != 0 {
      problem = "others may write it: chmod go-w"
    } else if status.st_size > sizeLimit {
      problem = "it has more than {limit} bytes"
    } else {
      return max(Int(status.st_size), 0)
    }
    throw Failure(.configuration, problem, limit: sizeLimit)
  }

  @inline(never)
  private static func refusal() -> Failure {
    let code = prefop_errno()
    let isOfSystem = code == EMFILE || code == ENFILE || code == ENOMEM || code == EIO
    return Failure(isOfSystem ? .system : .configuration, "it cannot be read (errno {number})", number: Int(code))
  }
}
