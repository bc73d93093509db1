/// A query under way, and what it takes. It is used for one query after another,
/// and stays at one address.
@safe
struct Flight: ~Copyable {
  enum Phase {
    /// No query is under way.
    case idle
    /// The query is to be asked for its next step.
    case ready
    /// Its request is under way.
    case sending
    /// It does nothing for a while.
    case pausing
    /// Another query tries the same host first.
    case parked
    /// The host limits the rate: it has its turn later.
    case held
    /// Somebody asks the bucket service for the regions that it needs.
    case awaitingRegions
  }

  let transfer: Box<Transfer>
  var phase = Phase.idle
  var submission: Submission?
  var query: Query

  /// What there is to tell of the query; the submission owns it.
  var reportAddress: UnsafeMutablePointer<Report>?
  var last = unsafe Attempt(outcome: .system)

  /// The request under way, and whom it asks.
  var request = Query.Request.task
  var host: HostReference?

  /// What the transfer's target is set to; nil: to that of another query.
  var loaded: Query.Request?

  /// Which of the queue's keys it signs with; nil: none of them.
  var key: Int?

  /// Whether it is signed at all.
  var isSigned = false

  /// Of which pair of the client the transfer has the header; 0: of another.
  var headerRevision: UInt64 = 0

  /// It waits for no other query's connection any more.
  var isReleased = false

  /// At a host that limits the rate.
  var turn = RateGates.Turn()

  /// A request of it went out: its time is running.
  var hasSent = false

  /// Milliseconds for the whole query.
  var timeout: Int64 = 0

  /// Only while a query is under way.
  var report: Report {
    unsafeAddress { unsafe UnsafePointer(reportAddress.unsafelyUnwrapped) }
    nonmutating unsafeMutableAddress { unsafe reportAddress.unsafelyUnwrapped }
  }

  init() throws(OutOfMemory) {
    let transfer = try Box(Transfer())
    self.transfer = transfer
    query = Query(route: Route(), attemptLimit: 0, attemptTimeout: 0, deadline: .never, seed: 0)
  }
}
