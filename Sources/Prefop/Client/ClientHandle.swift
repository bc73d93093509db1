import CPrefop

/// From C's `prefop_client *` to the client, NULL being the default one.
@safe
enum ClientHandle {
  /// `fault` receives what is wrong with the profile file.
  static func make(
    _ pointer: UnsafePointer<prefop_client_options>?, fault: inout Message
  ) throws(Failure) -> OpaquePointer {
    var given = unsafe prefop_client_options()
    if let pointer = unsafe pointer { unsafe given = try unsafe CallerStruct.read(pointer, "options") }
    let client = try unsafe makeClient(given, &fault)
    do throws(OutOfMemory) {
      return try unsafe Handle.make(client)
    } catch {
      throw .outOfMemory
    }
  }

  /// One owner of the client less. Closing a TLS connection can leave errors in
  /// the program's queue.
  static func release(_ handle: OpaquePointer) {
    if unsafe Handle<Client>.value(of: handle).pointee.release() { unsafe destroy(handle) }
  }

  private static func destroy(_ handle: OpaquePointer) {
    do throws(OutOfMemory) {
      var programErrors = try ErrorQueue()
      unsafe Handle<Client>.destroy(handle)
      programErrors.restore()
    } catch {
      unsafe Handle<Client>.destroy(handle)
    }
  }

  private static func makeClient(_ given: prefop_client_options, _ fault: inout Message) throws(Failure) -> Client {
    // Here and not at the first query: the libraries read the environment.
    try Curl.prepare()
    let flags = try unsafe ClientFlags(given.flags)
    var credentials = try unsafe Credentials(
      ifGiven: KeyPair.given(
        given.access_key, "options.access_key", given.secret_key, "options.secret_key", .configuration))
    var profile = Profile()
    if flags.readsEnvironment {
      if !credentials.isPresent { credentials = try Credentials(ifGiven: KeyPair.fromEnvironment()) }
      try profile.read(wantsPair: !credentials.isPresent, fault: &fault)
      if !credentials.isPresent { credentials = try Credentials(ifGiven: profile.pair()) }
    }
    return try unsafe makeClient(given, flags, profile, credentials)
  }

  /// Apart, so that not every way out of it wipes the profile.
  @inline(never)
  private static func makeClient(
    _ given: prefop_client_options, _ flags: ClientFlags, _ profile: borrowing Profile,
    _ credentials: consuming Credentials
  ) throws(Failure) -> Client {
    let settings = try unsafe ClientOptions.settings(from: given, flags)
    let directory = try unsafe ClientOptions.directory(from: given, flags, profile)
    return try Client(settings, directory, credentials)
  }

  static func client(
    _ handle: OpaquePointer?, fault: inout Message
  ) throws(Failure) -> UnsafeMutablePointer<Client> {
    unsafe Handle<Client>.value(of: try resolve(handle, fault: &fault))
  }

  /// The handle itself; that of the default client for NULL.
  static func resolve(_ handle: OpaquePointer?, fault: inout Message) throws(Failure) -> OpaquePointer {
    if let handle = unsafe handle { return unsafe handle }
    let handle = try unsafe defaultHandle(&fault)
    let client = unsafe Handle<Client>.value(of: handle)
    // What the environment did not hold when the client was made may be there
    // now. The profile file is not looked at again: that costs system calls.
    if unsafe !client.pointee.hasCredentials {
      try unsafe client.pointee.setCredentialsIfAbsent(Credentials(ifGiven: KeyPair.fromEnvironment()))
    }
    return unsafe handle
  }

  /// The default client, made at its first use. A failure to make it is not
  /// remembered.
  private static func defaultHandle(_ fault: inout Message) throws(Failure) -> OpaquePointer {
    if let made = try unsafe published(nil) { return unsafe made }
    let candidate = try unsafe make(nil, fault: &fault)
    guard let made = try unsafe published(candidate) else { return unsafe candidate }
    // Another thread was faster.
    if unsafe made != candidate { unsafe Handle<Client>.destroy(candidate) }
    return unsafe made
  }

  /// The one default client; the candidate, when there was none.
  @inline(never)
  private static func published(_ candidate: OpaquePointer?) throws(Failure) -> OpaquePointer? {
    try unsafe Process.withState(orFailing: { _ in .outOfMemory }) { state throws(Failure) in
      if unsafe state.defaultClient == nil { unsafe state.defaultClient = candidate }
      return unsafe state.defaultClient
    }
  }
}
