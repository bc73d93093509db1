"""How far beyond its time a query goes, whatever keeps it waiting.

deadlines.py LIBRARY ROUNDS, with slow_names.so preloaded

Prints a line of JSON a case: how it ended, and the milliseconds of each round
beyond the time allowed (below zero: it ended before).
"""

import ctypes
import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "Tests"), str(ROOT / "Tests/clients/python")]

from prefop_binding import Error, Prefop, PrefopError  # noqa: E402
from server import ACCESS_KEY, SECRET_KEY, StubServer  # noqa: E402

TIMEOUT_MS = 400

AMPLE_MS = 10_000
"""For a query that should know long before that it need not wait."""

MANY = 30
"""Hosts."""

Options = dict[str, Any]
"""Of the client; nothing but the time for the whole query bounds it."""


class Case(NamedTuple):
    """What keeps a query waiting."""

    name: str
    status: str
    """Or any of these."""
    hold: Callable[[ExitStack], Options]
    """Starts servers, which the stack ends."""
    id: str = "echo.1"
    timeout_ms: int = TIMEOUT_MS


def _one(fault: str | None = None, scheme: str = "http") -> Callable[[ExitStack], Options]:
    return lambda held: {"api_hosts": _host(held, fault, scheme)}


def _many(fault: str, **options: Any) -> Callable[[ExitStack], Options]:
    def hold(held: ExitStack) -> Options:
        return {"api_hosts": ",".join(_host(held, fault) for _ in range(MANY))} | options

    return hold


def _behind_a_silent_proxy(held: ExitStack) -> Options:
    return {"api_hosts": "https://api.invalid", "proxy": _host(held, "port.silent")}


def _host(held: ExitStack, fault: str | None, scheme: str = "http") -> str:
    server = held.enter_context(StubServer(fault=fault))
    return server.http_url.replace("http", scheme, 1)


CASES = [
    Case("DNS hangs", "TIMEOUT", lambda _: {"api_hosts": "http://slow.invalid"}),
    Case("SYN is not answered", "TIMEOUT", _one("port.black-hole")),
    Case("TLS is not answered", "TIMEOUT", _one("port.silent", "https")),
    Case("proxy says nothing", "TIMEOUT", _behind_a_silent_proxy),
    Case("no answer", "TIMEOUT", _one(), "fault.hang"),
    Case("drip-fed head", "TIMEOUT", _one(), "fault.drip.20"),
    Case("drip-fed body", "TIMEOUT", _one(), "fault.drip-body.20"),
    Case("Retry-After in an hour", "SERVER", _one(), "status.503.retry-after.3600", AMPLE_MS),
    Case("500 again and again", "SERVER TIMEOUT", lambda held: _one()(held) | {"max_attempts": 100}, "status.500"),
    Case(f"{MANY} hosts refuse", "CONNECT", _many("port.refused"), timeout_ms=AMPLE_MS),
    Case(f"{MANY} hosts hang", "TIMEOUT", _many("fault.hang", attempt_timeout_ms=60)),
]


def measure(prefop: Prefop, case: Case, rounds: int) -> dict[str, Any]:
    """Asks as often, each time with a new client, and tells how the last ended."""
    unbounded = {"attempt_timeout_ms": -1, "connect_timeout_ms": -1}
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    overshoots = []
    with ExitStack() as held:
        options = unbounded | keys | {"timeout_ms": case.timeout_ms} | case.hold(held)
        for _ in range(rounds):
            with prefop.client(**options) as client:
                begun = time.monotonic()
                fields = _ask(client, case.id)
                overshoots.append((time.monotonic() - begun) * 1000 - case.timeout_ms)
    return {"name": case.name, "overshoots_ms": overshoots} | fields


def _ask(client: Any, id: str) -> dict[str, Any]:
    error = Error()
    try:
        client.query(id, error)
    except PrefopError as failure:
        return {"status": failure.name.removeprefix("PREFOP_ERROR_"), "error": failure.fields}
    return {"status": "OK", "error": {}}


def main(library: str, rounds: str) -> None:
    names = ctypes.CDLL(None)
    if not hasattr(names, "slow_names_waiting"):
        sys.exit("slow_names.so is not preloaded")
    prefop = Prefop(library)
    for case in CASES:
        print(json.dumps(measure(prefop, case, int(rounds))), flush=True)
    if names.slow_names_waiting() != int(rounds):
        sys.exit(f"{names.slow_names_waiting()} names were resolved, expected {rounds}")


if __name__ == "__main__":
    main(*sys.argv[1:])
