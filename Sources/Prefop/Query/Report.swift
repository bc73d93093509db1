/// What a call tells its caller beside a status. Calls that send nothing fill in
/// the message at most.
struct Report {
  var httpStatus = 0
  var curlCode = 0
  var attempts = 0
  var isRetryable = false
  var retryAfter: Int64 = 0
  var requestID = InlineText<64>()

  /// The last one asked; its client is alive.
  var host: HostReference?

  /// The Date of the last answer.
  var date = InlineText<64>()

  /// Why it failed, where that cannot be told by a `Failure` alone.
  var message = Message()
}
