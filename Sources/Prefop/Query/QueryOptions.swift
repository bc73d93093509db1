import CPrefop

/// How one query differs, checked.
struct QueryOptions: ~Escapable {
  /// Signs this query alone; nil: the client's pair does.
  let pair: KeyPair?
  /// Whose regions to ask when the id does not tell; empty: the account's.
  let bucket: Span<UInt8>
  /// Milliseconds for the whole query or wait; nil: the default.
  let timeout: Int64?
  let isInterruptible: Bool
  /// To be asked for until the task is finished.
  var isUntilFinished: Bool
  /// Each change of the task is to be told, too.
  let reportsChanges: Bool
  /// Between the polls of a wait.
  let pauses: WaitSchedule.Limits

  private static var bucketLengthLimit: Int { 255 }
  private static var defaultShortestPause: Int64 { 1_000 }
  private static var defaultLongestPause: Int64 { 30 * 60 * 1_000 }

  @_lifetime(immortal)
  init(_ pointer: UnsafePointer<prefop_query_options>?) throws(Failure) {
    guard let pointer = unsafe pointer else {
      pair = nil
      bucket = Span()
      timeout = nil
      isInterruptible = false
      isUntilFinished = false
      reportsChanges = false
      pauses = WaitSchedule.Limits(shortest: Self.defaultShortestPause, longest: Self.defaultLongestPause)
      return
    }
    let given = try unsafe CallerStruct.read(pointer, "options")
    let unknown =
      unsafe given.flags & ~UInt32(
        PREFOP_QUERY_INTERRUPTIBLE | PREFOP_QUERY_UNTIL_FINISHED | PREFOP_QUERY_EACH_CHANGE)
    guard unknown == 0 else {
      throw Failure(
        .unsupported, "options.flags has bits that version 1.0 does not know: {number}", number: Int(unknown))
    }
    pauses = try unsafe Self.pauses(given.poll_min_ms, given.poll_max_ms)
    bucket = try unsafe Self.bucket(CText.span(given.bucket_name))
    pair = try unsafe KeyPair.given(
      given.access_key, "options.access_key", given.secret_key, "options.secret_key", .argument)
    timeout = unsafe given.timeout_ms == 0 ? nil : Duration.given(given.timeout_ms, default: 0)
    isInterruptible = unsafe given.flags & UInt32(PREFOP_QUERY_INTERRUPTIBLE) != 0
    isUntilFinished = unsafe given.flags & UInt32(PREFOP_QUERY_UNTIL_FINISHED) != 0
    reportsChanges = unsafe given.flags & UInt32(PREFOP_QUERY_EACH_CHANGE) != 0
  }

  /// A longest pause that is not given makes room for the shortest.
  private static func pauses(_ shortest: Int64, _ longest: Int64) throws(Failure) -> WaitSchedule.Limits {
    guard shortest >= 0 else {
      throw Failure(
        .argument, "options.poll_min_ms is {number}: give 1 or more, or 0 for the default", number: Int(shortest))
    }
    guard longest >= 0 else {
      throw Failure(
        .argument, "options.poll_max_ms is {number}: give 1 or more, or 0 for the default", number: Int(longest))
    }
    let least = shortest == 0 ? defaultShortestPause : shortest
    guard longest != 0 else {
      return WaitSchedule.Limits(shortest: least, longest: max(least, defaultLongestPause))
    }
    // One that is given bounds a shortest that is not.
    guard shortest <= longest else {
      throw Failure(
        .argument, "options.poll_min_ms is {number}, more than poll_max_ms, which is {limit}", number: Int(shortest),
        limit: Int(longest))
    }
    return WaitSchedule.Limits(shortest: min(least, longest), longest: longest)
  }

  /// The name goes into a URL, escaped; no bucket's is as long.
  @_lifetime(copy name)
  private static func bucket(_ name: Span<UInt8>) throws(Failure) -> Span<UInt8> {
    guard name.count <= bucketLengthLimit else {
      throw Failure(
        .argument, "options.bucket_name has {number} bytes: at most {limit}", number: name.count,
        limit: bucketLengthLimit)
    }
    guard !name.contains(where: { $0.isControl }) else {
      throw Failure(.argument, "options.bucket_name has a control character in it")
    }
    return name
  }
}
