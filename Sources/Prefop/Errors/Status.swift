import CPrefop

/// A `prefop_status`. The numbers stand in the header and nowhere else.
struct Status: Equatable {
  let rawValue: prefop_status

  private init(_ constant: Int) { rawValue = prefop_status(truncatingIfNeeded: constant) }

  init(rawValue: prefop_status) { self.rawValue = rawValue }

  static var ok: Status { Status(PREFOP_OK) }
  static var argument: Status { Status(PREFOP_ERROR_ARGUMENT) }
  static var unsupported: Status { Status(PREFOP_ERROR_UNSUPPORTED) }
  static var configuration: Status { Status(PREFOP_ERROR_CONFIGURATION) }
  static var credentials: Status { Status(PREFOP_ERROR_CREDENTIALS) }
  static var forked: Status { Status(PREFOP_ERROR_FORKED) }
  static var memory: Status { Status(PREFOP_ERROR_MEMORY) }
  static var system: Status { Status(PREFOP_ERROR_SYSTEM) }
  static var timeout: Status { Status(PREFOP_ERROR_TIMEOUT) }
  static var cancelled: Status { Status(PREFOP_ERROR_CANCELLED) }
  static var interrupted: Status { Status(PREFOP_ERROR_INTERRUPTED) }
  static var resolve: Status { Status(PREFOP_ERROR_RESOLVE) }
  static var connect: Status { Status(PREFOP_ERROR_CONNECT) }
  static var tls: Status { Status(PREFOP_ERROR_TLS) }
  static var transfer: Status { Status(PREFOP_ERROR_TRANSFER) }
  static var notFound: Status { Status(PREFOP_ERROR_NOT_FOUND) }
  static var badRequest: Status { Status(PREFOP_ERROR_BAD_REQUEST) }
  static var unauthorized: Status { Status(PREFOP_ERROR_UNAUTHORIZED) }
  static var forbidden: Status { Status(PREFOP_ERROR_FORBIDDEN) }
  static var rateLimited: Status { Status(PREFOP_ERROR_RATE_LIMITED) }
  static var server: Status { Status(PREFOP_ERROR_SERVER) }
  static var http: Status { Status(PREFOP_ERROR_HTTP) }
  static var hijacked: Status { Status(PREFOP_ERROR_HIJACKED) }
  static var response: Status { Status(PREFOP_ERROR_RESPONSE) }
  static var tooLarge: Status { Status(PREFOP_ERROR_TOO_LARGE) }
  static var json: Status { Status(PREFOP_ERROR_JSON) }
  static var unsigned: Status { Status(PREFOP_ERROR_UNSIGNED) }
  static var unknownKey: Status { Status(PREFOP_ERROR_UNKNOWN_KEY) }
  static var signature: Status { Status(PREFOP_ERROR_SIGNATURE) }
  static var unsignedBody: Status { Status(PREFOP_ERROR_UNSIGNED_BODY) }

  /// The constant's name in the header.
  var name: StaticString {
    switch self {
    case .ok: "PREFOP_OK"
    case .argument: "PREFOP_ERROR_ARGUMENT"
    case .unsupported: "PREFOP_ERROR_UNSUPPORTED"
    case .configuration: "PREFOP_ERROR_CONFIGURATION"
    case .credentials: "PREFOP_ERROR_CREDENTIALS"
    case .forked: "PREFOP_ERROR_FORKED"
    case .memory: "PREFOP_ERROR_MEMORY"
    case .system: "PREFOP_ERROR_SYSTEM"
    case .timeout: "PREFOP_ERROR_TIMEOUT"
    case .cancelled: "PREFOP_ERROR_CANCELLED"
    case .interrupted: "PREFOP_ERROR_INTERRUPTED"
    case .resolve: "PREFOP_ERROR_RESOLVE"
    case .connect: "PREFOP_ERROR_CONNECT"
    case .tls: "PREFOP_ERROR_TLS"
    case .transfer: "PREFOP_ERROR_TRANSFER"
    case .notFound: "PREFOP_ERROR_NOT_FOUND"
    case .badRequest: "PREFOP_ERROR_BAD_REQUEST"
    case .unauthorized: "PREFOP_ERROR_UNAUTHORIZED"
    case .forbidden: "PREFOP_ERROR_FORBIDDEN"
    case .rateLimited: "PREFOP_ERROR_RATE_LIMITED"
    case .server: "PREFOP_ERROR_SERVER"
    case .http: "PREFOP_ERROR_HTTP"
    case .hijacked: "PREFOP_ERROR_HIJACKED"
    case .response: "PREFOP_ERROR_RESPONSE"
    case .tooLarge: "PREFOP_ERROR_TOO_LARGE"
    case .json: "PREFOP_ERROR_JSON"
    case .unsigned: "PREFOP_ERROR_UNSIGNED"
    case .unknownKey: "PREFOP_ERROR_UNKNOWN_KEY"
    case .signature: "PREFOP_ERROR_SIGNATURE"
    case .unsignedBody: "PREFOP_ERROR_UNSIGNED_BODY"
    default: "unknown"
    }
  }
}
