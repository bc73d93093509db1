/// Which hosts failed a query, and how: for the line that an error shows.
struct Trail {
  struct Stop {
    let host: HostReference
    var attempts: Int
    var outcome: Outcome
  }

  /// The last ones; the line has no room for more.
  private var stops = InlineArray<6, Stop?>(repeating: nil)
  private var count = 0

  /// Why the first certificate that could not be trusted was not, and whose it was.
  private(set) var distrust: (host: HostReference, reason: InlineText<256>)?

  /// Some host failed in a way that may pass.
  private(set) var mayPass = false

  @inline(never)
  mutating func record(_ outcome: Outcome, at host: HostReference, reason: Message) {
    if outcome.isRetryable { mayPass = true }
    if outcome == .untrusted, distrust == nil {
      var kept = InlineText<256>()
      kept.append(reason.span)
      distrust = (host, kept)
    }
    if count > 0, let last = stops[(count - 1) % stops.count], last.host.place == host.place {
      stops[(count - 1) % stops.count]?.attempts += 1
      stops[(count - 1) % stops.count]?.outcome = outcome
    } else {
      stops[count % stops.count] = Stop(host: host, attempts: 1, outcome: outcome)
      count += 1
    }
  }

  mutating func forgetDistrust() { distrust = nil }

  /// The host that failed last, and how often.
  var last: Stop? { count == 0 ? nil : stops[(count - 1) % stops.count] }

  /// Tells of the hosts but this one, the latest first.
  @inline(never)
  func describeOthers(than host: HostReference, in message: inout Message) {
    let first = max(0, count - stops.count)
    var isFirst = true
    for index in (first..<count).reversed() {
      guard let stop = stops[index % stops.count], stop.host.place != host.place else { continue }
      message.append(isFirst ? "; also " : ", ")
      isFirst = false
      message.append(stop.host.endpoint.authority)
      message.append(": ")
      stop.outcome.describe(in: &message)
      message.append(attempts: stop.attempts)
    }
    if first > 0 {
      message.append(", and ")
      message.append(first)
      message.append(first == 1 ? " more" : " more hosts")
    }
  }
}

extension Message {
  /// " (4 attempts)", when there was more than one.
  @inline(never)
  mutating func append(attempts: Int) {
    guard attempts > 1 else { return }
    append(" (")
    append(attempts)
    append(" attempts)")
  }
}

extension Outcome {
  /// A few words for it, where there is no room for more.
  @inline(never)
  func describe(in message: inout Message) {
    switch self {
    case .task: break
    case .status(let status):
      message.append("HTTP ")
      message.append(status)
    case .hijacked: message.append("not Qiniu's answer")
    case .notATask: message.append("no valid answer")
    case .tooLarge: message.append("too large an answer")
    case .unresolved: message.append("no address")
    case .unreachable: message.append("no connection")
    case .untrusted: message.append("no trusted TLS connection")
    case .lost: message.append("given up by libcurl")
    case .broken, .stale: message.append("broken transfer")
    case .timedOut: message.append("no answer in time")
    case .outOfMemory: message.append("out of memory")
    case .system: message.append("refused by libcurl")
    }
  }
}
