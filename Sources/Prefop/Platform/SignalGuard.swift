import CPlatform

/// Keeps a peer that hangs up from killing the program by SIGPIPE, where libcurl
/// does not: the signal is blocked on this thread, and only one that was not
/// pending before is drained.
///
/// sigprocmask changes the mask of the calling thread alone. POSIX leaves that
/// open, but the masks of Linux are those of threads, and pthread_sigmask makes
/// the same system call under a name that glibc has in libc since 2.32.
enum SignalGuard {
  static func run<R: ~Copyable>(isNeeded: Bool, _ body: () -> R) -> R {
    guard isNeeded else { return body() }
    var pipe = sigset_t()
    var before = sigset_t()
    unsafe sigemptyset(&pipe)
    unsafe sigaddset(&pipe, SIGPIPE)
    let wasPending = isPending()
    guard unsafe sigprocmask(SIG_BLOCK, &pipe, &before) == 0 else { return body() }
    let result = body()
    if !wasPending, isPending() {
      var immediately = timespec()
      _ = unsafe sigtimedwait(&pipe, nil, &immediately)
    }
    unsafe sigprocmask(SIG_SETMASK, &before, nil)
    return result
  }

  private static func isPending() -> Bool {
    var pending = sigset_t()
    guard unsafe sigpending(&pending) == 0 else { return false }
    return unsafe sigismember(&pending, SIGPIPE) == 1
  }
}
