/// The text that the scheme "Qiniu" (version 2) signs (`protocol.md`, signing).
enum QiniuSignature {
  static var formType: StaticString { "application/x-www-form-urlencoded" }

  /// Everything before the X-Qiniu- headers. `target` is the path with its query.
  static func addHead(
    method: Span<UInt8>, target: Span<UInt8>, host: Span<UInt8>, contentType: Span<UInt8>,
    to signer: inout Signer
  ) throws(Failure) {
    try signer.add(method)
    try signer.add(" ")
    try signer.add(target)
    try signer.add("\nHost: ")
    try signer.add(host)
    try signer.add("\nContent-Type: ")
    try signer.add(contentType)
    try signer.add("\n")
  }
}
