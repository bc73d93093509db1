import CPrefop

/// How one query differs, checked.
struct QueryOptions: ~Escapable {
  /// Signs this query alone; nil: the client's pair does.
  let pair: KeyPair?
  /// Whose regions to ask when the id does not tell; empty: the account's.
  let bucket: Span<UInt8>
  /// Milliseconds for the whole query; nil: the client's.
  let timeout: Int64?
  let isInterruptible: Bool

  private static var bucketLengthLimit: Int { 255 }

  @_lifetime(immortal)
  init(_ pointer: UnsafePointer<prefop_query_options>?) throws(Failure) {
    guard let pointer = unsafe pointer else {
      pair = nil
      bucket = Span()
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
    guard unsafe given.poll_min_ms == 0, unsafe given.poll_max_ms == 0 else {
      throw Failure(
        .unsupported, "options.poll_min_ms and poll_max_ms are not supported by version 1.0: leave them 0")
    }
    bucket = try unsafe Self.bucket(CText.span(given.bucket_name))
    pair = try unsafe KeyPair.given(
      given.access_key, "options.access_key", given.secret_key, "options.secret_key", .argument)
    timeout = unsafe given.timeout_ms == 0 ? nil : Duration.given(given.timeout_ms, default: 0)
    isInterruptible = unsafe given.flags & UInt32(PREFOP_QUERY_INTERRUPTIBLE) != 0
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
