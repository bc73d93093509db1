"""What the server answers, told by the id alone.

A test in any language chooses the answer by the id it asks for. Wherever the
answer is a task, it is a task with exactly the id asked for, unless it says
otherwise. Ids may carry a tail, `.<token>`, to tell apart what would be the
same: `fault.reset.7`, `fault.slow.20.a`, `status.503.plain.b`.

What an id says below status, fault and flaky can be said of a whole server or
of its bucket service too, whatever is asked for: see StubServer.fault. Instead
of the task, such a fault has what is right for the request.

Tasks, HTTP 200:

    echo.<anything>          succeeded, one item; the fastest answer
    ECHO.<anything>          the same; it begins with no region's name
    anonymous.<anything>     the same, but must be asked for unsigned
    z0.finished…             succeeded: `key`, `keys` and `result` items
    z0.running…              processing: items at codes 0, 2 and 1
    z0.waiting…              waiting, no items
    z0.failed…               failed in item 1: `error`, `errorIndex` 1
    z0.undelivered…          done, the notification could not be delivered
    z0.partly…               succeeded, with an item that failed
    sample.<n>               entry n, from 0, of vectors/tasks.json byte for
                             byte, with the id it has there; the entry that is
                             no task comes with HTTP 612

Statuses:

    status.<code>            200–799 with {"error": …}; {} for 2xx
      .plain                 the error as text/plain
      .bare                  neither X-Reqid nor X-Log
      .retry-after.<s>       Retry-After: <s>
      .retry-date.<s>        Retry-After: the HTTP-date <s> seconds from now
                             (may be combined, in any order)

Over time:

    flaky.<n>.<form>.<token> the first n requests for this very id get what
                             <form> says, later ones a succeeded task:
                             flaky.2.status.503.t, flaky.1.fault.reset.t,
                             flaky.3.z0.running.t
    grows.<n>.<token>        waiting for n requests, processing for n, then
                             succeeded
    limited.<n>.<anything>   up to n such requests a second get a succeeded
                             task, the others 429

Unusual but right, with the task:

    fault.xlog               X-Log without X-Reqid
    fault.gzip               Content-Encoding: gzip
    fault.chunked            small chunks, some cut inside a character
    fault.close              Connection: close, and it does
    fault.close-idle         as for keep-alive, then closes the connection
    fault.slow[.<ms>]        after <ms> (100)
    fault.drip[.<ms>]        a byte each <ms> (1)
    fault.drip-body[.<ms>]   the same, but the head at once
    fault.big[.<bytes>]      a body of <bytes> (1,000,000), with an unknown
                             member
    fault.continue           100 and 103 first, with other X-Reqids
    fault.duplicate-reqid    X-Reqid twice; the first is the recorded one
    fault.long-header        a header of 200 KB
    fault.nul-header         a header with a NUL in it

Not from the service:

    fault.hijacked           the task, but neither X-Reqid nor X-Log
    fault.html               200 and HTML, with X-Reqid
    fault.html-bare          200 and HTML, neither X-Reqid nor X-Log
    fault.redirect[.<code>]  302 or <code>, to /stolen, which would give a task

Wrong content, rightly framed:

    fault.malformed          JSON cut in the middle
    fault.not-a-task         200 and {"error": …}
    fault.empty              200 and no body
    fault.ill-utf8           bytes in a string that are not UTF-8
    fault.gzip-broken        gzip with corrupted data
    fault.gzip-cut           gzip cut in the middle
    fault.gzip-bomb          some 64 KB of gzip for more than 64 MiB of task

Broken transport; the connection ends:

    fault.chunked-broken     a chunk size that is no number
    fault.chunked-early-close  ends inside a chunk
    fault.close-before       ends without a byte
    fault.half-head          ends inside a header
    fault.half-body          ends in the middle of the body
    fault.short-length       Content-Length smaller than the body
    fault.reset              RST instead of an answer
    fault.reset-body         RST in the middle of the body
    fault.hang               nothing, until the peer closes
    fault.garbage            bytes that are not HTTP
    fault.http09             the task without a head

Any other id is an unknown task: HTTP 612 {"error":"not such id in prefop"}.
Every answer has X-Reqid, unique, and X-Log, unless it says otherwise.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable

from . import faults, tasks
from .answer import TEXT, Answer, compact, http_date
from .connection import Exchange

Play = Callable[[Exchange], None]
"""Answers one request."""

Fault = str | Answer
"""What becomes of all requests: a form of an id, or what to answer."""

UNKNOWN_TASK = Answer.error(612, "not such id in prefop")

_MESSAGES = {
    400: "invalid argument",
    401: "bad token",
    403: "access denied",
    404: "not such id in prefop",
    429: "too many requests",
    573: "too many requests",
    579: "callback failed",
    599: "server error",
    612: "not such id in prefop",
}


class Script:
    """Chooses what to do from the id; remembers nothing but how often what goes by number was asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tries: Counter[str] = Counter()
        self._allowances: dict[int, Allowance] = {}

    def clear(self) -> None:
        """Makes every id new again."""
        with self._lock:
            self._tries.clear()
            self._allowances.clear()

    def play(self, exchange: Exchange) -> None:
        """Answers the request for `exchange.id`."""
        self._choose(exchange.id, exchange.id, _echo)(exchange)

    def play_fault(self, fault: Fault, exchange: Exchange, right: Play) -> None:
        """Answers as `fault` says, and as `right` does once a flaky one is over."""
        if isinstance(fault, Answer):
            exchange.answer(fault)
        else:
            self._choose(fault, f"fault of all: {fault}", right)(exchange)

    def check_fault(self, form: Fault) -> None:
        """Raises ValueError if `form` says of no request what becomes of it."""
        if isinstance(form, Answer):
            return
        kind, _, rest = form.partition(".")
        if kind == "flaky":
            count, _, inner = rest.partition(".")
            if number(count) is not None:
                self.check_fault(inner)
                return
        kinds = {"fault": _fault, "status": _status}
        if kind not in kinds or kinds[kind](rest) is _unknown:
            raise ValueError(f"{form!r} is no fault that script.py knows")

    def _choose(self, form: str, key: str, right: Play) -> Play:
        """`key` tells apart the tries of flaky forms, which end with `right`."""
        kind, _, rest = form.partition(".")
        match kind:
            case "echo" | "ECHO" | "anonymous":
                return _echo
            case "z0":
                return _named_task(rest)
            case "sample":
                return _sample(rest)
            case "status":
                return _status(rest)
            case "fault":
                return _fault(rest)
            case "flaky":
                return self._flaky(rest, key, right)
            case "grows":
                return self._grows(rest, key)
            case "limited":
                return self._limited(rest)
        return _unknown

    def _flaky(self, rest: str, key: str, right: Play) -> Play:
        count, _, form = rest.partition(".")
        bad_tries = number(count)
        if bad_tries is None:
            return _unknown
        return self._choose(form, key, right) if self._count(key) <= bad_tries else right

    def _grows(self, rest: str, key: str) -> Play:
        steps = number(rest.partition(".")[0])
        if not steps:
            return _unknown
        tries = self._count(key) - 1
        return [_named_task("waiting"), _named_task("running"), _echo][min(tries // steps, 2)]

    def _limited(self, rest: str) -> Play:
        rate = number(rest.partition(".")[0])
        if not rate:
            return _unknown
        with self._lock:
            allowance = self._allowances.setdefault(rate, Allowance(rate))
            return _echo if allowance.take(time.monotonic()) else _status("429")

    def _count(self, key: str) -> int:
        """How often it was asked for, this time included."""
        with self._lock:
            self._tries[key] += 1
            return self._tries[key]


class Allowance:
    """A token bucket: it holds a tenth of a second's requests."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.size = max(1.0, rate / 10)
        self.tokens = self.size
        self.filled = time.monotonic()

    def take(self, now: float) -> bool:
        self.tokens = min(self.size, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def number(text: str) -> int | None:
    """A number in plain digits, at most nine of them."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _echo(exchange: Exchange) -> None:
    exchange.answer(Answer(200, tasks.echo(exchange.id)))


def _unknown(exchange: Exchange) -> None:
    exchange.answer(UNKNOWN_TASK)


def _named_task(rest: str) -> Play:
    for name, body in tasks.BY_NAME.items():
        if rest.startswith(name):
            return lambda exchange: exchange.answer(Answer(200, body(exchange.id)))
    return _unknown


def _sample(rest: str) -> Play:
    index = number(rest.partition(".")[0])
    samples = tasks.samples()
    if index is None or index >= len(samples):
        return _unknown
    sample = samples[index]
    answer = Answer(200 if sample.is_task else 612, sample.body)
    return lambda exchange: exchange.answer(answer)


def _fault(rest: str) -> Play:
    name, *tail = rest.split(".")
    if name not in faults.BY_NAME:
        return _unknown
    fault, default = faults.BY_NAME[name]
    given = number(tail[0]) if tail else None
    return lambda exchange: fault(exchange, default if given is None else given)


def _status(rest: str) -> Play:
    first, *words = rest.split(".")
    code = number(first)
    if code is None or not 200 <= code <= 799:
        return _unknown
    message = _MESSAGES.get(code, f"status {code} as asked for")
    content_type, traced, headers = "application/json", True, []
    body = compact({} if code < 300 else {"error": message})
    for index, word in enumerate(words):
        seconds = number(words[index + 1]) if index + 1 < len(words) else None
        if word == "plain":
            content_type, body = TEXT, message.encode()
        elif word == "bare":
            traced = False
        elif word == "retry-after" and seconds is not None:
            headers.append(("Retry-After", str(seconds)))
        elif word == "retry-date" and seconds is not None:
            headers.append(("Retry-After", http_date(int(time.time()) + seconds)))
    answer = Answer(code, body, content_type, tuple(headers), traced, traced)
    return lambda exchange: exchange.answer(answer)
