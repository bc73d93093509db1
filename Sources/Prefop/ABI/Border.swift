import CPrefop

/// The border between C and Swift: every export runs its body here, so that
/// each failure becomes a status and a filled `prefop_error` in one place.
@inline(__always)
func border(
  _ error: UnsafeMutablePointer<prefop_error>?, _ body: () throws(Failure) -> Void
) -> prefop_status {
  var report = Report()
  return unsafe border(error, &report) { _ throws(Failure) in try body() }
}

/// The same for calls that send requests, and so have more to report.
@inline(__always)
func border(
  _ error: UnsafeMutablePointer<prefop_error>?, _ report: inout Report,
  _ body: (inout Report) throws(Failure) -> Void
) -> prefop_status {
  do throws(Failure) {
    let target = try unsafe ErrorReport(error)
    do throws(Failure) {
      try body(&report)
      target.succeed(report)
      return Status.ok.rawValue
    } catch {
      target.fail(error, &report)
      return error.status.rawValue
    }
  } catch {
    return error.status.rawValue
  }
}
