/// One kind of request on its way from host to host.
struct QueryLeg {
  var plan: QueryPlan
  var route: Route
  var host: HostReference?

  init(plan: QueryPlan, route: Route) {
    self.plan = plan
    self.route = route
  }

  /// Takes an outcome, and keeps what it tells of the host.
  @inline(never)
  mutating func received(
    _ outcome: Outcome, _ retryAfter: Int64, _ directory: borrowing Lock<Directory>, at now: Instant
  ) {
    guard let host else { return }
    let mayBeElsewhere = route.mayBeElsewhere
    let verdict = plan.received(outcome, retryAfter: retryAfter, mayBeElsewhere: mayBeElsewhere, at: now)
    switch verdict {
    case .well:
      if host.isSetAside { directory.withLock { directory in directory.hosts.succeed(host.place) } }
      if mayBeElsewhere, outcome.status == .notFound { route.miss() }
    case .bad: directory.withLock { directory in directory.hosts.fail(host.place, at: now) }
    case .open: break
    }
    // It could not tell, whoever's fault that is.
    if verdict != .well, plan.isChoosing { route.fail() }
  }
}
