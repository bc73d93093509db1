/// How one attempt ended.
enum Outcome: Equatable {
  /// A success that holds a task.
  case task
  /// Any other HTTP status.
  case status(Int)
  /// A success that no server of Qiniu's sent.
  case hijacked
  /// A success of Qiniu's without a task in it.
  case notATask
  case tooLarge
  /// The host's name has no address.
  case unresolved
  /// No connection.
  case unreachable
  /// No trusted TLS connection.
  case untrusted
  /// The connection broke, or what came is not HTTP.
  case broken
  /// A kept connection broke before anything came: the host may be well.
  case stale
  /// It was given up with libcurl's state, because of an error there: nothing is
  /// known of the host.
  case lost
  /// The time for this attempt is over.
  case timedOut
  case outOfMemory
  /// libcurl or the system refused.
  case system
}
