import CPlatform

/// Where the certificate authorities are that a peer must be vouched for by.
/// Looked for when a client is made: libcurl's own default is the place on the
/// system that it was built for.
struct TrustStore: ~Copyable {
  /// A PEM file, and a folder of certificates by hash, each ended by NUL; empty
  /// to leave it to libcurl.
  let file: Bytes
  let folder: Bytes

  /// Neither an option, nor the environment, nor a known place had any.
  var isMissing: Bool { file.isEmpty && folder.isEmpty }

  /// Why libcurl cannot use them. Its own words could be cut off within the name.
  func describeFault(in text: inout Message) {
    text.append("no certificate can be read from ")
    let name = file.isEmpty ? folder.span : file.span
    text.appendEnd(of: name.extracting(0..<max(0, name.count - 1)))
  }

  /// The places where systems keep theirs, for messages.
  static var systemPlaces: StaticString {
    "/etc/ssl/certs/ca-certificates.crt, /etc/pki/tls/certs/ca-bundle.crt, /etc/ssl/ca-bundle.pem, /etc/ssl/cert.pem"
  }

  /// A given file is all that is trusted; NULL takes SSL_CERT_FILE and
  /// SSL_CERT_DIR, as OpenSSL does, else the system's.
  init(_ given: UnsafePointer<CChar>?, readsEnvironment: Bool) throws(Failure) {
    var folder = Bytes()
    let file: Bytes
    if let given = unsafe given {
      file = try Self.givenFile(unsafe CText.span(given))
    } else if readsEnvironment, let named = Environment.value("SSL_CERT_FILE") {
      file = try Self.name(named)
      if let other = Environment.value("SSL_CERT_DIR") { folder = try Self.name(other) }
    } else if readsEnvironment, let named = Environment.value("SSL_CERT_DIR") {
      file = Bytes()
      folder = try Self.name(named)
    } else {
      file = try Self.systemFile()
    }
    self.file = file
    self.folder = folder
  }

  @inline(never)
  private static func givenFile(_ text: Span<UInt8>) throws(Failure) -> Bytes {
    guard !text.isEmpty else { throw Failure(.configuration, "ca_file is empty: name a PEM file, or leave it NULL") }
    let file = try name(text)
    guard unsafe file.withCString({ unsafe canRead($0) }) else {
      throw Failure(.configuration, "ca_file cannot be read: {end}", text: text)
    }
    return file
  }

  /// Debian and Alpine, Red Hat, SUSE, Alpine and BSD.
  @inline(never)
  private static func systemFile() throws(Failure) -> Bytes {
    if isReadable("/etc/ssl/certs/ca-certificates.crt") { return try name("/etc/ssl/certs/ca-certificates.crt") }
    if isReadable("/etc/pki/tls/certs/ca-bundle.crt") { return try name("/etc/pki/tls/certs/ca-bundle.crt") }
    if isReadable("/etc/ssl/ca-bundle.pem") { return try name("/etc/ssl/ca-bundle.pem") }
    if isReadable("/etc/ssl/cert.pem") { return try name("/etc/ssl/cert.pem") }
    return Bytes()
  }

  @inline(never)
  private static func isReadable(_ name: StaticString) -> Bool {
    unsafe canRead(name.cString)
  }

  @inline(never)
  private static func canRead(_ name: UnsafePointer<CChar>?) -> Bool {
    guard let name = unsafe name else { return false }
    return unsafe access(name, R_OK) == 0
  }

  @inline(never)
  private static func name(_ name: StaticString) throws(Failure) -> Bytes {
    try self.name(name.span)
  }

  @inline(never)
  private static func name(_ text: Span<UInt8>) throws(Failure) -> Bytes {
    do throws(OutOfMemory) {
      var name = try Bytes(copying: text)
      try name.append(0)
      return name
    } catch {
      throw .outOfMemory
    }
  }
}
