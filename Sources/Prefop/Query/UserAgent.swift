/// How requests name their sender: this library, the system, libcurl, and what
/// the caller adds.
enum UserAgent {
  private static var additionLimit: Int { 128 }

  /// The whole header line, ended by NUL.
  static func header(with addition: Span<UInt8>) throws(Failure) -> Bytes {
    guard addition.count <= additionLimit else {
      throw Failure(
        .configuration, "user_agent has {number} bytes: at most {limit}", number: addition.count, limit: additionLimit)
    }
    for index in addition.indices where !(0x20...0x7E ~= addition[index]) {
      throw Failure(.configuration, "user_agent has a byte at {number} that is no printable ASCII", number: index)
    }
    do throws(OutOfMemory) {
      var line = Bytes()
      try line.append("User-Agent: ")
      try line.append(BuildInfo.userAgent)
      try line.append(unsafe CText.span(Curl.version))
      if !addition.isEmpty {
        try line.append(UInt8(ascii: " "))
        try line.append(addition)
      }
      try line.append(0)
      return line
    } catch {
      throw .outOfMemory
    }
  }
}
