/// What a query can tell beside its failure; nothing for calls that send nothing.
struct QueryReport {
  var httpStatus = 0
  var curlCode = 0
  var attempts = 0
  var isRetryable = false
  var retryAfter: Int64 = 0
  var requestID = InlineText<64>()
  var host = InlineText<256>()
}
