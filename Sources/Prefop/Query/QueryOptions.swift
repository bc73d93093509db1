import CPrefop

/// How one query differs, checked.
struct QueryOptions: ~Escapable {
  /// Signs this query alone; nil: the client's pair does.
  let pair: KeyPair?
  /// Milliseconds for the whole query; nil: the client's.
  let timeout: Int64?
  let isInterruptible: Bool

  @_lifetime(immortal)
  init(_ pointer: UnsafePointer<prefop_query_options>?) throws(Failure) {
    guard let pointer = unsafe pointer else {
      pair = nil
      timeout = nil
      isInterruptible = false
      return
    }
    let given = try unsafe CallerStruct.read(pointer, "options")
    let unknown = unsafe given.flags & ~UInt32(PREFOP_QUERY_INTERRUPTIBLE)
    guard unknown == 0 else {
      throw Failure(
        .unsupported, "options.flags has bits that version 1.0 does not know: {number}", number: Int(unknown))
    }
    guard unsafe given.bucket_name == nil, unsafe given.poll_min_ms == 0, unsafe given.poll_max_ms == 0 else {
      throw Failure(
        .unsupported, "options.bucket_name, poll_min_ms and poll_max_ms are not supported by version 1.0: leave them 0")
    }
    pair = try unsafe KeyPair.given(
      given.access_key, "options.access_key", given.secret_key, "options.secret_key", .argument)
    timeout = unsafe given.timeout_ms == 0 ? nil : Duration.given(given.timeout_ms, default: 0)
    isInterruptible = unsafe given.flags & UInt32(PREFOP_QUERY_INTERRUPTIBLE) != 0
  }
}
