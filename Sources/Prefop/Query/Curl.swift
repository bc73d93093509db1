import CLibcurl

/// libcurl itself: set up once, and what this copy of it can do.
@safe
enum Curl {
  /// Sets libcurl up, after libcrypto: that order can fail safely. It needs no
  /// counterpart, because the library stays loaded.
  static func prepare() throws(Failure) {
    try Process.withState(orFailing: { _ in .outOfMemory }) { state throws(Failure) in
      guard !state.isCurlReady else { return }
      try Crypto.prepare()
      Environment.readTimeZone()
      // libcurl would append to that file, with the rights of the program and at
      // the wish of whoever runs it.
      guard !Environment.isWithheld("SSLKEYLOGFILE") else {
        throw Failure(
          .configuration,
          "SSLKEYLOGFILE is set while the program has raised privileges, and libcurl would write there: unset it first")
      }
      let code = prefop_curl_global_init()
      guard code == CURLE_OK else {
        if code == CURLE_OUT_OF_MEMORY { throw .outOfMemory }
        throw Failure(.system, "libcurl could not be set up (code {number})", number: Int(code.rawValue))
      }
      state.isCurlReady = true
    }
  }

  /// "7.88.1"
  static var version: UnsafePointer<CChar>? { unsafe info?.pointee.version }

  /// Whether libcurl was built with it.
  static func offers(_ feature: Int32) -> Bool {
    guard let features = unsafe info?.pointee.features else { return false }
    return features & feature != 0
  }

  /// Whether a peer that hangs up can raise SIGPIPE: libcurl sees to it on plain
  /// sockets and with OpenSSL, since 7.87. `Transfer` refuses an older one, but
  /// whatever TLS library libcurl was built with is taken.
  static var needsSignalGuard: Bool {
    guard let info = unsafe info else { return true }
    return unsafe !CText.span(info.pointee.ssl_version).hasPrefix("OpenSSL/")
  }

  /// What an HTTP date says in milliseconds since 1970; nil: it is none.
  static func milliseconds(ofDate text: borrowing InlineText<64>) -> Int64? {
    let seconds = unsafe text.withCString { unsafe curl_getdate($0, nil) }
    let (milliseconds, overflows) = Int64(seconds).multipliedReportingOverflow(by: 1000)
    return seconds < 0 || overflows ? nil : milliseconds
  }

  private static var info: UnsafeMutablePointer<curl_version_info_data>? {
    unsafe prefop_curl_version_info()
  }
}
