"""Every fault of a host, at the first, the first two and all of three hosts.

FAULTS says what must come of each; `play` has one cell of the matrix asked for,
in whatever way: how to ask is the caller's.
"""

import pathlib
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

from prefop_binding import Client, Prefop
from server import ACCESS_KEY, SECRET_KEY, StubServer

HOSTS = 3
MAX_ATTEMPTS = 2
SHORT_MS = 1_000
"""Of one attempt at a host that does not answer. A host that is well has as long
to answer, on whatever machine, so this is not shorter."""

SLACK_SECONDS = 15
"""What a cell may take beyond its faults: a bound on hanging, not on slowness."""

AMPLE = {"timeout_ms": 20_000}
"""Time enough for whatever does not wait for it to pass."""

UNRESOLVABLE = "a" * 64 + ".invalid"
"""Has no address, and nobody is asked for one: a label is too long."""


class Answer(NamedTuple):
    """What came of asking."""

    task: dict[str, Any] | None
    error: dict[str, Any]


Ask = Callable[[Client, str], Answer]
"""Asks a client for a task and waits for what comes of it."""


class Fault(NamedTuple):
    """What is wrong with a host, and what must come of it."""

    name: str
    host: str
    """As StubServer takes it, "certificate.<kind>", or "name"."""
    status: str
    """When all hosts have it."""
    http_status: int
    retryable: bool
    attempts: tuple[int, ...] = (1,)
    """How often a host is asked before the next: one of these."""
    at_last: tuple[int, ...] = ()
    """The same of the last host, if it differs."""
    is_final: bool = False
    """Nobody else is asked."""
    seconds: float = 0
    """How long an attempt, with the pause behind it, takes."""
    is_seen: bool = True
    """Whether the host notices an attempt."""
    options: dict[str, Any] = {}
    """Of the client."""


def _once(name: str, host: str, status: str, http_status: int = 0, **more: Any) -> Fault:
    return Fault(name, host, status, http_status, more.pop("retryable", True), **more)


def _again(name: str, host: str, status: str, http_status: int = 0, **more: Any) -> Fault:
    """One that may pass: asked again at the same host."""
    attempts = more.pop("attempts", (MAX_ATTEMPTS,))
    return Fault(name, host, status, http_status, True, attempts, seconds=more.pop("seconds", 0.05), **more)


def _silent(name: str, host: str, **more: Any) -> Fault:
    """A host that hangs is left at once, and the last is asked again."""
    short = {"attempt_timeout_ms": SHORT_MS, "connect_timeout_ms": SHORT_MS}
    at_last = (MAX_ATTEMPTS,)
    seconds = SHORT_MS / 1000 + 0.05
    return Fault(name, host, "TIMEOUT", 0, True, at_last=at_last, seconds=seconds, options=short, **more)


FAULTS = [
    _once("refused", "port.refused", "CONNECT", is_seen=False),
    # The RST can come before libcurl sees the connection made, or after.
    _again("reset at connect", "port.reset", "CONNECT TRANSFER", attempts=(1, 2)),
    _again("reset after the request", "fault.reset", "TRANSFER"),
    _again("reset in the body", "fault.reset-body", "TRANSFER", 200),
    _once("name not found", "name", "RESOLVE", is_seen=False),
    _silent("SYN unanswered", "port.black-hole", is_seen=False),
    _silent("silence at once", "port.silent"),
    _silent("hang", "fault.hang"),
    _silent("drip", "fault.drip.100"),
    _again("half a header", "fault.half-head", "TRANSFER", 200),
    _again("closed without a byte", "fault.close-before", "TRANSFER"),
    _again("no HTTP", "fault.garbage", "TRANSFER"),
    _again("500", "status.500", "SERVER", 500),
    _again("502 of a gateway", "status.502.bare", "SERVER", 502),
    _again("503", "status.503", "SERVER", 503),
    _again("504 as text", "status.504.plain", "SERVER", 504),
    _again("573", "status.573", "RATE_LIMITED", 573),
    _once("579", "status.579", "SERVER", 579, retryable=False, is_final=True),
    _again("599", "status.599", "SERVER", 599),
    _again("429", "status.429", "RATE_LIMITED", 429),
    _again("429 with Retry-After", "status.429.retry-after.1", "RATE_LIMITED", 429, seconds=1),
    # There is no time for such a pause, but there may be another host.
    _once("503 for an hour", "status.503.retry-after.3600", "SERVER", 503, options=AMPLE),
    _once("429 for an hour", "status.429.retry-after.3600", "RATE_LIMITED", 429, options=AMPLE),
    _once("404", "status.404", "NOT_FOUND", 404, retryable=False, is_final=True),
    _once("expired certificate", "certificate.expired", "TLS", retryable=False),
    _once("another host's certificate", "certificate.wrong-host", "TLS", retryable=False),
    _again("hijacked", "fault.hijacked", "HIJACKED", 200),
    _again("HTML of a portal", "fault.html-bare", "HIJACKED", 200),
    _once("HTML", "fault.html", "RESPONSE", 200),
    _once("malformed JSON", "fault.malformed", "RESPONSE", 200),
    _once("empty", "fault.empty", "RESPONSE", 200),
    _once("no task", "fault.not-a-task", "RESPONSE", 200),
]


class Cell(NamedTuple):
    """A fault at the first hosts of three."""

    fault: Fault
    faulty: int

    def __str__(self) -> str:
        return f"{self.fault.name}, {self.faulty} of {HOSTS}"

    @property
    def succeeds(self) -> bool:
        return self.faulty < HOSTS and not self.fault.is_final

    @property
    def expected_attempts(self) -> list[tuple[int, ...]]:
        """For each host how often it may be asked."""
        fault = self.fault
        if fault.is_final:
            return [fault.attempts] + [(0,)] * (HOSTS - 1)
        each = [fault.attempts] * self.faulty
        if self.faulty < HOSTS:
            return each + [(1,)] + [(0,)] * (HOSTS - 1 - self.faulty)
        return each[:-1] + [fault.at_last or fault.attempts]

    @property
    def bound_seconds(self) -> float:
        attempts = sum(max(each) for each in self.expected_attempts)
        return attempts * self.fault.seconds + SLACK_SECONDS


CELLS = [Cell(fault, faulty) for fault in FAULTS for faulty in range(1, HOSTS + 1)]


class Seen(NamedTuple):
    """What came of a cell."""

    answer: Answer
    hosts: list[str]
    attempts: list[int | None]
    """How often each host was asked; None where it cannot tell."""
    seconds: float


def play(prefop: Prefop, cell: Cell, ask: Ask, folder: pathlib.Path) -> Seen:
    """Has the cell's hosts served, and a new client asked; `folder` is for files."""
    with ExitStack() as held:
        servers = [held.enter_context(_server(cell.fault, n < cell.faulty)) for n in range(HOSTS)]
        urls = [_url(cell.fault, server, n < cell.faulty, n) for n, server in enumerate(servers)]
        options = {"max_attempts": MAX_ATTEMPTS, "timeout_ms": -1} | cell.fault.options
        authorities = [pathlib.Path(server.ca_file) for server in servers if server.ca_file]
        if authorities:
            trusted = folder / f"{cell}.pem"
            trusted.write_bytes(b"".join(file.read_bytes() for file in authorities))
            options["ca_file"] = str(trusted)
        keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        client = held.enter_context(prefop.client(api_hosts=",".join(urls), **options, **keys))
        begun = time.monotonic()
        answer = ask(client, "echo.matrix")
        seconds = time.monotonic() - begun
        expected = enumerate(zip(servers, cell.expected_attempts, strict=True))
        attempts = [_attempts(cell.fault, server, n < cell.faulty, min(each)) for n, (server, each) in expected]
    return Seen(answer, [url.partition("//")[2] for url in urls], attempts, seconds)


def _server(fault: Fault, is_faulty: bool) -> StubServer:
    if is_faulty and fault.host.startswith("certificate."):
        return StubServer(tls=True, certificate=fault.host.partition(".")[2])
    has_server = is_faulty and fault.host != "name"
    return StubServer(fault=fault.host if has_server else None)


def _url(fault: Fault, server: StubServer, is_faulty: bool, number: int) -> str:
    if is_faulty and fault.host == "name":
        return f"http://host{number}.{UNRESOLVABLE}"
    return server.https_url or server.http_url


def _attempts(fault: Fault, server: StubServer, is_faulty: bool, expected: int) -> int | None:
    """Below HTTP the connections tell; a server may notice later than its client."""
    if is_faulty and not fault.is_seen:
        return None
    if is_faulty and fault.host.startswith(("port.", "certificate.")):
        server.wait_for(lambda: server.connections.accepted >= expected)
        assert server.total == 0, "a request came through"
        return server.connections.accepted
    server.wait_for(lambda: server.total >= expected)
    return server.total
