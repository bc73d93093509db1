/// What to do after an attempt. This table is the one in the documentation.
enum Remedy: Equatable {
  /// The query has its answer.
  case finish
  /// The answer will not change, whoever is asked.
  case giveUp
  /// Ask the same host again, at once.
  case askAgain
  /// Ask the same host after a pause that grows.
  case pause
  /// Ask the same host when it allows: a pause, or longer if it said so.
  case slowDown
  /// Ask the next host at once.
  case nextHost
  /// Ask the next host at once; when there is none, the last one again after a
  /// pause. A host that hangs must not use up the time of those behind it.
  case nextHostOrPause
}

extension Outcome {
  var remedy: Remedy {
    switch self {
    case .task: .finish
    case .status(429), .status(573): .slowDown
    case .status(501), .status(509), .status(579), .status(608), .status(612), .status(614), .status(616),
      .status(618), .status(630), .status(631), .status(632), .status(640), .status(701):
      .giveUp
    case .status(500...): .pause
    case .status: .giveUp
    case .hijacked, .broken: .pause
    case .timedOut: .nextHostOrPause
    case .stale, .lost: .askAgain
    case .notATask, .unresolved, .unreachable, .untrusted: .nextHost
    case .tooLarge, .outOfMemory, .system: .giveUp
    }
  }

  /// The service itself said something that it will say again.
  var isAnswer: Bool {
    switch self {
    case .task: true
    case .status: remedy == .giveUp
    default: false
    }
  }

  /// Whether the same call may succeed later.
  @inline(never)
  var isRetryable: Bool {
    switch self {
    case .outOfMemory: true
    case .untrusted: false
    default: remedy != .giveUp && remedy != .finish
    }
  }

  var status: Status {
    switch self {
    case .task: .ok
    case .status(400): .badRequest
    case .status(401): .unauthorized
    case .status(403): .forbidden
    case .status(404), .status(612): .notFound
    case .status(429), .status(573): .rateLimited
    case .status(500...599): .server
    case .status: .http
    case .hijacked: .hijacked
    case .notATask: .response
    case .tooLarge: .tooLarge
    case .unresolved: .resolve
    case .unreachable: .connect
    case .untrusted: .tls
    case .broken, .stale: .transfer
    case .lost: .system
    case .timedOut: .timeout
    case .outOfMemory: .memory
    case .system: .system
    }
  }
}
