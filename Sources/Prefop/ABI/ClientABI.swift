import CPrefop

@_cdecl("prefop_client_new") @implementation
public func prefop_client_new(
  _ options: UnsafePointer<prefop_client_options>!, _ client: UnsafeMutablePointer<OpaquePointer?>!,
  _ error: UnsafeMutablePointer<prefop_error>!
) -> prefop_status {
  unsafe client?.pointee = nil
  var report = Report()
  return unsafe border(error, &report) { report throws(Failure) in
    let client = try unsafe required(client, "client")
    unsafe client.pointee = try unsafe ClientHandle.make(options, fault: &report.message)
  }
}

@_cdecl("prefop_client_set_credentials") @implementation
public func prefop_client_set_credentials(
  _ client: OpaquePointer!, _ accessKey: UnsafePointer<CChar>!, _ secretKey: UnsafePointer<CChar>!,
  _ error: UnsafeMutablePointer<prefop_error>!
) -> prefop_status {
  var report = Report()
  return unsafe border(error, &report) { report throws(Failure) in
    let credentials = try unsafe Credentials(
      ifGiven: KeyPair.given(accessKey, "access_key", secretKey, "secret_key", .argument))
    try unsafe ClientHandle.client(client, fault: &report.message).pointee.setCredentials(credentials)
  }
}

@_cdecl("prefop_client_free") @implementation
public func prefop_client_free(_ client: OpaquePointer!) {
  if let client = unsafe client { unsafe ClientHandle.release(client) }
}
