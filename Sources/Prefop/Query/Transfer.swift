import CLibcurl
import CPlatform

/// One easy handle, set up once for a client and used for query after query.
/// It stays at one address, which libcurl hands to the callbacks.
@safe
struct Transfer: ~Copyable {
  /// nil when it is closed.
  private var easy: UnsafeMutableRawPointer?

  /// The header fields of requests that are signed, and of those that are not.
  var signedHeaders: HeaderList
  private var unsignedHeaders: HeaderList

  /// Which of the two libcurl has.
  private var hasSignedHeaders: Bool?
  private(set) var head = ResponseHead()
  private(set) var body = Bytes()
  private(set) var isTooLarge = false
  private(set) var isOutOfMemory = false

  /// The date of the last request: many go out in one second.
  private var date = QiniuDate(secondsSince1970: 0)

  /// Path and query, ended by NUL.
  private var target = Bytes()

  /// Where libcurl says in words what failed.
  private let errorText: UnsafeMutablePointer<CChar>

  private var responseLimit = 0

  /// The place of the host that the handle points at.
  private var place: Int?

  /// TLS is spoken with that host.
  private var isHTTPS = false

  /// All settings must be set before the handle may be used.
  private var isConfigured = false

  /// No option was set yet.
  private var isFresh = true

  /// Its number among the transfers of a queue, and who watches its sockets
  /// there; nil: it is alone.
  private var slot = 0
  private var watch: UnsafeMutablePointer<SocketWatch>?

  /// The TLS sessions of that queue.
  private var sessions: UnsafeMutableRawPointer?

  /// Its next request is to go over a new connection; libcurl was told so.
  private var wantsOwnConnection = false
  private var hasOwnConnection = false

  /// Its request is on a connection that stands.
  private(set) var isConnected = false

  /// The process whose connections the handle holds.
  private let generation = Process.generation

  /// What a body may keep of its memory between two queries.
  private static var keptCapacity: Int { 64 << 10 }

  init() throws(OutOfMemory) {
    let signedHeaders = try HeaderList()
    let unsignedHeaders = try HeaderList()
    let text = try unsafe allocate(Int(CURL_ERROR_SIZE)).assumingMemoryBound(to: CChar.self)
    guard let easy = unsafe curl_easy_init() else {
      unsafe free(text)
      throw OutOfMemory()
    }
    unsafe text.pointee = 0
    unsafe self.easy = easy
    unsafe errorText = text
    self.signedHeaders = signedHeaders
    self.unsignedHeaders = unsignedHeaders
  }

  deinit {
    // Open still only when it was never part of an engine.
    if let easy = unsafe easy, generation == Process.generation { unsafe curl_easy_cleanup(easy) }
    unsafe free(errorText)
  }

  var handle: UnsafeMutableRawPointer? { unsafe easy }

  /// Makes it one of several transfers; to be called before the handle is used.
  mutating func join(_ watch: UnsafeMutablePointer<SocketWatch>, _ sessions: borrowing TLSSessions, as slot: Int) {
    self.slot = slot
    unsafe self.watch = unsafe watch
    unsafe self.sessions = unsafe sessions.handle
    reset()
  }

  /// The number of the transfer that a handle belongs to.
  static func slot(of easy: UnsafeMutableRawPointer?) -> Int? {
    var address: UnsafeMutableRawPointer?
    guard let easy = unsafe easy, unsafe prefop_curl_get_pointer(easy, CURLINFO_PRIVATE, &address) == CURLE_OK else {
      return nil
    }
    return unsafe address?.assumingMemoryBound(to: Transfer.self).pointee.slot
  }

  /// Frees the handle. In a forked child it is left alone: no connection of the
  /// parent is to be closed, with a word to its peer, by the child.
  mutating func close() {
    if generation == Process.generation { unsafe curl_easy_cleanup(easy) }
    unsafe easy = nil
  }

  /// libcurl's own words for what failed.
  func describeError(in text: inout Message) {
    unsafe text.appendPrintable(CText.span(errorText))
  }

  // MARK: Setting up

  /// Sets what stays the same, when that is not done yet.
  private mutating func configure(
    _ settings: borrowing Settings, at address: UnsafeMutableRawPointer
  ) throws(Failure) {
    guard !isConfigured else { return }
    place = nil
    hasSignedHeaders = nil
    hasOwnConnection = false
    if !isFresh { try replaceHandle() }
    isFresh = false
    try set(CURLOPT_NOSIGNAL, 1)
    try set(CURLOPT_QUICK_EXIT, 1)
    try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
    try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    try set(CURLOPT_PROXY_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    // Among many, each has one: a task of the usual size still comes in one piece.
    try unsafe set(CURLOPT_BUFFERSIZE, watch == nil ? 4096 : 2048)
    try set(CURLOPT_FOLLOWLOCATION, 0)
    try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    try set(CURLOPT_CONNECTTIMEOUT_MS, Int(min(settings.connectTimeout, Int64(CInt.max))))
    try set(CURLOPT_PROTOCOLS_STR, "http,https")
    try set(CURLOPT_ACCEPT_ENCODING, "")
    try trust(settings.trustStore)
    try unsafe check(settings.proxy.exceptions.withCString { unsafe prefop_curl_set_text(easy, CURLOPT_NOPROXY, $0) })
    try unsafe set(CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(errorText))
    try unsafe set(CURLOPT_WRITEDATA, address)
    try unsafe set(CURLOPT_HEADERDATA, address)
    try unsafe set(CURLOPT_OPENSOCKETDATA, address)
    try unsafe check(
      prefop_curl_set_data_function(easy, CURLOPT_WRITEFUNCTION) { data, size, count, context in
        unsafe Transfer.receiveBody(data, size * count, context)
      })
    try unsafe check(
      prefop_curl_set_data_function(easy, CURLOPT_HEADERFUNCTION) { data, size, count, context in
        unsafe Transfer.receiveHeader(data, size * count, context)
      })
    try unsafe check(
      prefop_curl_set_open_function(easy) { context, _, address in
        unsafe Transfer.openSocket(context, address)
      })
    try unsafe check(
      prefop_curl_set_close_function(easy) { watch, descriptor in
        unsafe Transfer.closeSocket(watch, descriptor)
      })
    if let sessions = unsafe sessions { try unsafe set(CURLOPT_SHARE, sessions) }
    if let watch = unsafe watch {
      try unsafe set(CURLOPT_PRIVATE, address)
      try unsafe set(CURLOPT_CLOSESOCKETDATA, UnsafeMutableRawPointer(watch))
      try unsafe set(CURLOPT_PREREQDATA, address)
      try unsafe check(
        prefop_curl_set_request_function(easy) { context, _, _, _, _ in
          unsafe Transfer.beginRequest(context)
        })
    }
    isConfigured = true
  }

  /// What is named is all that is trusted: libcurl's default folder goes.
  private func trust(_ store: borrowing TrustStore) throws(Failure) {
    guard !store.isMissing else { return }
    try setName(CURLOPT_CAINFO, store.file)
    try setName(CURLOPT_CAPATH, store.folder)
    try setName(CURLOPT_PROXY_CAINFO, store.file)
    try setName(CURLOPT_PROXY_CAPATH, store.folder)
  }

  private func setName(_ option: CURLoption, _ name: borrowing Bytes) throws(Failure) {
    let code = unsafe name.withCString { unsafe prefop_curl_set_text(easy, option, name.isEmpty ? nil : $0) }
    try check(code)
  }

  /// The next query begins with a fresh handle: one counts for its whole life
  /// how often connections died under it, and gives up after five. Resetting the
  /// old one would not do: after a name that does not resolve libcurl 7.88 keeps
  /// a buffer in it, and then takes no new size. Connections are the multi
  /// handle's, and stay.
  mutating func reset() { isConfigured = false }

  /// After an error. Among many transfers the next request gets a connection of
  /// its own: where one ends after every few requests, one that shares may
  /// always come too late.
  mutating func fail() {
    reset()
    if unsafe watch != nil { wantsOwnConnection = true }
  }

  private mutating func replaceHandle() throws(Failure) {
    guard let fresh = unsafe curl_easy_init() else { throw .outOfMemory }
    unsafe curl_easy_cleanup(easy)
    unsafe easy = fresh
  }

  // MARK: One query

  /// Sets what to ask for.
  @inline(never)
  mutating func setTarget(
    _ request: Query.Request, _ id: PersistentID, accessKey: Span<UInt8>, bucket: Span<UInt8>
  ) throws(Failure) {
    target.removeAll()
    do throws(OutOfMemory) {
      switch request {
      case .task:
        try target.append("/status/get/prefop?id=")
        try id.appendEscaped(to: &target)
      case .regions(ofBucket: false):
        try target.append("/regions")
      case .regions(ofBucket: true):
        try target.append("/v4/query?ak=")
        try QueryEscape.append(accessKey, to: &target)
        try target.append("&bucket=")
        try QueryEscape.append(bucket, to: &target)
      }
      try target.append(0)
    } catch {
      throw .outOfMemory
    }
  }

  /// Points the handle, which must be at its final address, at a host, and
  /// forgets the answer before.
  @inline(never)
  mutating func prepare(
    _ settings: borrowing Settings, _ host: HostReference, isSigned: Bool, responseLimit: Int,
    at address: UnsafeMutableRawPointer
  ) throws(Failure) {
    head = ResponseHead()
    body.removeAll(keepingAtMost: Self.keptCapacity)
    isTooLarge = false
    isOutOfMemory = false
    isConnected = false
    self.responseLimit = responseLimit
    unsafe errorText.pointee = 0
    try unsafe configure(settings, at: address)
    try setHeaders(isSigned: isSigned, for: host, settings)
    if wantsOwnConnection != hasOwnConnection {
      try set(CURLOPT_FRESH_CONNECT, wantsOwnConnection ? 1 : 0)
      hasOwnConnection = wantsOwnConnection
    }
    wantsOwnConnection = false
    let isNewHost = place != host.place
    // While settings are half set, the handle points nowhere.
    place = nil
    try point(at: host.endpoint, settings.proxy, isNewHost: isNewHost)
    place = host.place
  }

  private mutating func setHeaders(
    isSigned: Bool, for host: HostReference, _ settings: borrowing Settings
  ) throws(Failure) {
    do throws(OutOfMemory) {
      if isSigned {
        try signedHeaders.setHost(host)
      } else {
        if unsignedHeaders.isEmpty { try unsignedHeaders.setAccessKey(Span(), settings) }
        try unsignedHeaders.setHost(host)
      }
    } catch {
      throw .outOfMemory
    }
    guard hasSignedHeaders != isSigned else { return }
    try unsafe set(CURLOPT_HTTPHEADER, isSigned ? signedHeaders.head : unsignedHeaders.head)
    hasSignedHeaders = isSigned
  }

  /// Gives back what one large answer took; the answer is gone.
  mutating func trim() { body.removeAll(keepingAtMost: Self.keptCapacity) }

  private mutating func point(
    at endpoint: borrowing Endpoint, _ proxy: borrowing ProxySettings, isNewHost: Bool
  ) throws(Failure) {
    if isNewHost {
      isHTTPS = endpoint.isHTTPS
      if endpoint.isHTTPS { try setProxy(proxy.forHTTPS) } else { try setProxy(proxy.forHTTP) }
    }
    if !endpoint.isHTTPS, proxy.isUsedForHTTP {
      // A forward proxy needs the whole URL in the request line, which libcurl
      // makes only of a URL.
      if isNewHost {
        try check(unsafe prefop_curl_set_pointer(easy, CURLOPT_CURLU, nil))
        try check(unsafe prefop_curl_set_text(easy, CURLOPT_REQUEST_TARGET, nil))
      }
      try setURL(of: endpoint)
    } else {
      if isNewHost { try unsafe set(CURLOPT_CURLU, endpoint.url) }
      try unsafe check(target.withCString { unsafe prefop_curl_set_text(easy, CURLOPT_REQUEST_TARGET, $0) })
    }
  }

  private func setProxy(_ proxy: borrowing Bytes) throws(Failure) {
    try unsafe check(proxy.withCString { unsafe prefop_curl_set_text(easy, CURLOPT_PROXY, $0) })
  }

  /// Dates the request, unless it is to have no date, and, unless it goes
  /// anonymous, signs it.
  @inline(never)
  mutating func sign(
    with signer: Reference<RequestSigner>?, host: Span<UInt8>, secondsSince1970 seconds: Int64?
  ) {
    if let seconds {
      if date.secondsSince1970 != seconds { date = QiniuDate(secondsSince1970: seconds) }
      if signer != nil { signedHeaders.setDate(date.text) } else { unsignedHeaders.setDate(date.text) }
    }
    guard let signer else { return }
    let signature = signer.value.sign(
      target: target.span.extracting(0..<target.count - 1), host: host, date: seconds == nil ? nil : date.text)
    signedHeaders.setSignature(signature)
  }

  private mutating func setURL(of endpoint: borrowing Endpoint) throws(Failure) {
    do throws(OutOfMemory) {
      var url = Bytes()
      try url.append("http://")
      try url.append(endpoint.authority)
      try url.append(target.span)
      let code = unsafe url.withCString { unsafe prefop_curl_set_text(easy, CURLOPT_URL, $0) }
      guard code == CURLE_OK else { throw OutOfMemory() }
    } catch {
      throw .outOfMemory
    }
  }

  /// The status of the last answer; 0: none came.
  var httpStatus: Int { number(CURLINFO_RESPONSE_CODE) }

  /// Milliseconds that the last answer asked to wait; 0: it did not say.
  var retryAfter: Int64 {
    var seconds: curl_off_t = 0
    _ = unsafe prefop_curl_get_offset(easy, CURLINFO_RETRY_AFTER, &seconds)
    let (milliseconds, overflows) = Int64(max(0, seconds)).multipliedReportingOverflow(by: 1000)
    return overflows ? .max : milliseconds
  }

  /// The request went over a connection that was there before.
  var reusedConnection: Bool { number(CURLINFO_NUM_CONNECTS) == 0 }

  /// A proxy was asked for a tunnel and refused.
  var isTunnelRefused: Bool { tunnelStatus >= 300 }

  /// What a proxy answered when it was asked for a tunnel; 0: nothing, or it was
  /// not asked.
  private var tunnelStatus: Int { number(CURLINFO_HTTP_CONNECTCODE) }

  /// The host that a SOCKS proxy was to lead to has no address here. A proxy that
  /// looks names up itself has no word for it.
  var isNameUnknown: Bool { number(CURLINFO_PROXY_ERROR) == Int(CURLPX_RESOLVE_HOST.rawValue) }

  /// The system said why the connection failed, not the peer.
  var isBrokenBySystem: Bool {
    unsafe number(CURLINFO_OS_ERRNO) != 0 || CText.span(errorText).hasPrefix("OpenSSL SSL_connect:")
  }

  /// What OpenSSL says of the peer's certificate; 0: nothing is wrong with it.
  var verifyResult: Int { number(CURLINFO_SSL_VERIFYRESULT) }

  /// The same of a proxy that speaks TLS; not 0 either when its handshake did not
  /// come as far as that.
  var proxyVerifyResult: Int { number(CURLINFO_PROXY_SSL_VERIFYRESULT) }

  /// Says first whose TLS failed, if that was the proxy's and not the host's.
  func nameProxy(_ code: CURLcode, _ proxy: borrowing ProxySettings, in text: inout Message) {
    // A right certificate of another name counts as verified. Whose it is cannot
    // be told if the host may be excepted from the proxy.
    let isMisnamed =
      code == CURLE_PEER_FAILED_VERIFICATION && verifyResult == 0 && tunnelStatus == 0
      && !(isHTTPS && proxy.hasExceptions)
    guard proxyVerifyResult != 0 || isMisnamed else { return }
    proxy.describeTLS(isForHTTPS: isHTTPS, in: &text)
  }

  /// A byte of an answer came.
  var hasBegunAnswer: Bool {
    var microseconds: curl_off_t = 0
    _ = unsafe prefop_curl_get_offset(easy, CURLINFO_STARTTRANSFER_TIME_T, &microseconds)
    return microseconds > 0
  }

  /// What libcurl knows of the last transfer; 0: nothing.
  @inline(never)
  private func number(_ info: CURLINFO) -> Int {
    var number = 0
    _ = unsafe prefop_curl_get_long(easy, info, &number)
    return number
  }

  // MARK: Callbacks

  private static func receiveBody(
    _ data: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?
  ) -> Int {
    guard count > 0, let data = unsafe data, let context = unsafe context else { return 0 }
    let transfer = unsafe context.assumingMemoryBound(to: Transfer.self)
    guard unsafe count <= transfer.pointee.responseLimit - transfer.pointee.body.count else {
      unsafe transfer.pointee.isTooLarge = true
      return 0
    }
    do throws(OutOfMemory) {
      let bytes = unsafe UnsafeRawPointer(data).assumingMemoryBound(to: UInt8.self)
      try unsafe transfer.pointee.body.append(Span(_unsafeStart: bytes, count: count))
      return count
    } catch {
      unsafe transfer.pointee.isOutOfMemory = true
      return 0
    }
  }

  private static func receiveHeader(
    _ data: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?
  ) -> Int {
    guard count > 0, let data = unsafe data, let context = unsafe context else { return count }
    let transfer = unsafe context.assumingMemoryBound(to: Transfer.self)
    let bytes = unsafe UnsafeRawPointer(data).assumingMemoryBound(to: UInt8.self)
    unsafe transfer.pointee.head.read(line: Span(_unsafeStart: bytes, count: count))
    return count
  }

  /// Sockets are close-on-exec, and known to the fork handlers.
  private static func openSocket(
    _ context: UnsafeMutableRawPointer?, _ address: UnsafeMutablePointer<curl_sockaddr>?
  ) -> curl_socket_t {
    guard let address = unsafe address else { return -1 }
    let transfer = unsafe context?.assumingMemoryBound(to: Transfer.self)
    let type = unsafe address.pointee.socktype | CInt(SOCK_CLOEXEC.rawValue)
    do throws(OutOfMemory) {
      let descriptor = try Process.open { unsafe socket(address.pointee.family, type, address.pointee.protocol) }
      if descriptor >= 0, let watch = unsafe transfer?.pointee.watch {
        guard unsafe watch.pointee.isOpened(descriptor, by: transfer?.pointee.place) else {
          _ = Process.close(descriptor)
          throw OutOfMemory()
        }
      }
      return descriptor
    } catch {
      unsafe transfer?.pointee.isOutOfMemory = true
      return -1
    }
  }

  private static func closeSocket(_ watch: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t) -> CInt {
    unsafe watch?.assumingMemoryBound(to: SocketWatch.self).pointee.willClose(descriptor)
    return Process.close(descriptor)
  }

  private static func beginRequest(_ context: UnsafeMutableRawPointer?) -> CInt {
    if let transfer = unsafe context?.assumingMemoryBound(to: Transfer.self) {
      unsafe transfer.pointee.isConnected = true
      unsafe transfer.pointee.watch?.pointee.hasBegunRequest = true
    }
    return CURL_PREREQFUNC_OK
  }

  // MARK: Options

  private func set(_ option: CURLoption, _ value: Int) throws(Failure) {
    try check(unsafe prefop_curl_set_long(easy, option, value))
  }

  private func set(_ option: CURLoption, _ text: StaticString) throws(Failure) {
    let start = unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    try check(unsafe prefop_curl_set_text(easy, option, start))
  }

  private func set(_ option: CURLoption, _ pointer: UnsafeMutableRawPointer) throws(Failure) {
    try check(unsafe prefop_curl_set_pointer(easy, option, pointer))
  }

  private func check(_ code: CURLcode) throws(Failure) {
    guard code != CURLE_OK else { return }
    if code == CURLE_OUT_OF_MEMORY { throw .outOfMemory }
    throw Failure(
      .system, "libcurl refused an option (code {number}): is it older than 7.87?", number: Int(code.rawValue))
  }
}
