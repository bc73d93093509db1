import CPrefop

/// The caller's `prefop_error`, or none.
@safe
struct ErrorReport {
  private let target: UnsafeMutablePointer<prefop_error>?

  /// Fails when there is a struct, but one too small to be told anything.
  init(_ target: UnsafeMutablePointer<prefop_error>?) throws(Failure) {
    if let target = unsafe target, unsafe Int(target.pointee.struct_size) < MemoryLayout<prefop_error>.size {
      throw Failure(.argument, "error.struct_size is too small")
    }
    unsafe self.target = target
  }

  @inline(never)
  func succeed(_ report: borrowing Report) {
    write(.ok, report)
    guard let target = unsafe target else { return }
    unsafe target.pointee.message.0 = 0
  }

  @inline(never)
  func fail(_ failure: Failure, _ report: inout Report) {
    write(failure.status, report)
    guard let target = unsafe target else { return }
    if report.message.isEmpty { failure.render(into: &report.message) }
    unsafe Self.copy(report.message.span, to: &target.pointee.message)
  }

  @inline(never)
  private func write(_ status: Status, _ report: borrowing Report) {
    guard let target = unsafe target else { return }
    unsafe target.pointee.status = status.rawValue
    unsafe target.pointee.http_status = Int32(clamping: report.httpStatus)
    unsafe target.pointee.curl_code = Int32(clamping: report.curlCode)
    unsafe target.pointee.attempts = Int32(clamping: report.attempts)
    // Memory may be there again.
    unsafe target.pointee.retryable = report.isRetryable || status == .memory ? 1 : 0
    unsafe target.pointee.retry_after_ms = report.retryAfter
    unsafe Self.copy(report.requestID.span, to: &target.pointee.request_id)
    if let host = report.host {
      unsafe Self.copy(host.endpoint.authority, to: &target.pointee.host)
    } else {
      unsafe target.pointee.host.0 = 0
    }
  }

  /// A member of the struct is a tuple of bytes; what does not fit is cut off.
  @inline(never)
  private static func copy<Member>(_ text: Span<UInt8>, to member: inout Member) {
    unsafe withUnsafeMutableBytes(of: &member) { bytes in
      let count = min(text.count, bytes.count - 1)
      for index in 0..<count { unsafe bytes[index] = text[index] }
      unsafe bytes[count] = 0
    }
  }
}
