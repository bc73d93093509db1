/// What the profile file says of a client. An empty text in it counts as unset.
struct Profile: ~Copyable {
  private var accessKey = Secret()
  private var secretKey = Secret()
  private var hosts = Secret()

  private(set) var disablesSecureProtocol = false

  /// No profile.
  init() {}

  /// The key pair, checked; nil when there is none.
  @_lifetime(borrow self)
  func pair() throws(Failure) -> KeyPair? {
    try KeyPair.checked(
      accessKey.isEmpty ? nil : accessKey.span, "access_key", secretKey.isEmpty ? nil : secretKey.span, "secret_key",
      .configuration)
  }

  /// The hosts of the bucket service, separated by commas and checked; nil when
  /// there are none.
  var bucketHosts: Span<UInt8>? {
    @_lifetime(borrow self)
    get { hosts.isEmpty ? nil : hosts.span }
  }

  /// Reads the profile that the environment names, "default" if it names none. A
  /// file that it does not name is read only if a key pair is wanted. `fault`
  /// receives what is wrong with the file.
  @inline(never)
  mutating func read(wantsPair: Bool, fault: inout Message) throws(Failure) {
    if let file = Environment.value("QINIU_CONFIG_FILE") {
      try read(file, isNamed: true, &fault)
    } else if wantsPair {
      var file = Message()
      // Without a home there is no file, nor in one whose name does not fit here.
      if let home = Environment.value("HOME"), home[0] == UInt8(ascii: "/"), home.count <= 400 {
        file.append(home)
        file.append("/.qiniu/config.toml")
      }
      try read(file.span, isNamed: false, &fault)
    }
  }

  /// The file's name is followed by a NUL; empty: there is no file.
  @inline(never)
  private mutating func read(_ file: Span<UInt8>, isNamed: Bool, _ fault: inout Message) throws(Failure) {
    // Empty: none is named.
    let name: Span<UInt8>
    if let named = Environment.value("QINIU_PROFILE") { name = named } else { name = Span() }
    fault.appendEnd(of: file.isEmpty ? ("~/.qiniu/config.toml" as StaticString).span : file)
    do throws(Failure) {
      var content = Secret()
      if try ConfigurationFile.read(file, into: &content) {
        guard try take(content.span, name, &fault) || name.isEmpty else {
          throw Failure(.configuration, "QINIU_PROFILE names {text}, but there is no such table", text: name)
        }
      } else if isNamed {
        throw Failure(.configuration, "QINIU_CONFIG_FILE names it, but there is no such file")
      } else if !name.isEmpty {
        throw Failure(.configuration, "QINIU_PROFILE names {text}, but there is no such file", text: name)
      }
      fault.removeAll()
    } catch {
      if error.status == .memory {
        fault.removeAll()
      } else {
        fault.append(": ")
        error.render(into: &fault)
      }
      throw error
    }
  }

  /// False: there is no such profile.
  @inline(never)
  private mutating func take(
    _ document: Span<UInt8>, _ name: Span<UInt8>, _ fault: inout Message
  ) throws(Failure) -> Bool {
    guard try takeMembers(document, name, &fault) else { return false }
    _ = try pair()
    if !hosts.isEmpty { try checkHosts() }
    return true
  }

  private func checkHosts() throws(Failure) {
    var places = HostTable()
    do throws(Failure) {
      _ = try HostList.places(of: hosts.span, named: "", preferHTTPS: true, in: &places)
    } catch {
      guard error.status != .memory else { throw error }
      // Which of them is not shown: it may be a secret that stands in the wrong place.
      throw Failure(.configuration, "bucket_url must name hosts as bucket_hosts does")
    }
  }

  private mutating func takeMembers(
    _ document: Span<UInt8>, _ name: Span<UInt8>, _ fault: inout Message
  ) throws(Failure) -> Bool {
    var toml = TOMLReader(document)
    do throws(TOMLError) {
      try toml.read()
      guard try toml.open(name) else { return false }
      try toml.text("access_key", into: &accessKey)
      try toml.text("secret_key", into: &secretKey)
      try toml.list("bucket_url", into: &hosts)
      disablesSecureProtocol = try toml.boolean("disable_secure_protocol")
      return true
    } catch {
      guard error.problem != .outOfMemory else { throw .outOfMemory }
      fault.append(", line ")
      fault.append(error.line(in: document))
      throw Failure(.configuration, error.problem.description, name: toml.wanted)
    }
  }
}
