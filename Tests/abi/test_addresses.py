"""A name with several addresses, of which some are dead: the task comes all the same, in one attempt."""

import contextlib
import pathlib
import socket
import time
from collections.abc import Iterator

import pytest
from apart import ask_apart, preload
from server import StubServer

NAME = "stub.test"


@contextlib.contextmanager
def dead(address: str, port: int) -> Iterator[None]:
    """A listener whose queue is full drops what would connect, so that no answer comes, not even a refusal."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener, contextlib.ExitStack() as fillers:
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket(family))
            filler.setblocking(False)
            filler.connect_ex((address, port))
        yield


@contextlib.contextmanager
def serving(alive: str, dead_ones: list[str], tls: bool) -> Iterator[tuple[StubServer, int]]:
    """A server, and dead listeners at its port. Another program may have that port at another address."""
    for _ in range(20):
        with StubServer(tls=tls, ipv6=alive == "::1") as server, contextlib.ExitStack() as others:
            port = int((server.https_url or server.http_url).rpartition(":")[2])
            try:
                for address in dead_ones:
                    others.enter_context(dead(address, port))
            except OSError:
                continue
            yield server, port
            return
    raise RuntimeError("no port is free at every address")


SECONDS = 20
"""Far more than any case takes that does not wait for the time to connect, which is a minute."""

CASES = {
    # The other family has its turn after 200 ms, whatever the time to connect.
    "dead IPv6 first": (["::1", "127.0.0.1"], "127.0.0.1", ["::1"], 60_000),
    "dead IPv4 first": (["127.0.0.1", "::1"], "::1", ["127.0.0.1"], 60_000),
    "dead ones around": (["::1", "127.0.0.1", "127.0.0.2"], "127.0.0.1", ["::1", "127.0.0.2"], 60_000),
    # Nobody listens: the next is tried at once.
    "refusal of the other family": (["::1", "127.0.0.1"], "127.0.0.1", [], 60_000),
    "refusal of the same family": (["127.0.0.2", "127.0.0.1"], "127.0.0.1", [], 60_000),
    "refusals of the same family": (["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.1"], "127.0.0.1", [], 60_000),
    # The first of a family has half the time, and the next what is left.
    "dead IPv4 before IPv4": (["127.0.0.2", "127.0.0.1"], "127.0.0.1", ["127.0.0.2"], 4_000),
    "dead IPv4 and refused IPv6": (["127.0.0.2", "::1", "127.0.0.1"], "127.0.0.1", ["127.0.0.2"], 4_000),
    "dead IPv6 and dead IPv4": (["::1", "127.0.0.2", "127.0.0.1"], "127.0.0.1", ["::1", "127.0.0.2"], 4_000),
}


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_one_that_lives_is_found(library: pathlib.Path, tmp_path: pathlib.Path, case: str, secure: bool) -> None:
    addresses, alive, dead_ones, connect_timeout = CASES[case]
    environment = preload("addresses.c", tmp_path, "-ldl") | {"ADDRESSES": ",".join(addresses)}
    with serving(alive, dead_ones, secure) as (server, port):
        scheme = "https" if secure else "http"
        start = time.monotonic()
        told = ask_apart(
            library,
            environment,
            api_hosts=f"{scheme}://{NAME}:{port}",
            ca_file=server.ca_file,
            connect_timeout_ms=connect_timeout,
            attempt_timeout_ms=-1,
            timeout_ms=-1,
        )
        elapsed = time.monotonic() - start
    assert (told["name"], told["attempts"]) == ("PREFOP_OK", 1), told
    assert elapsed < SECONDS, "something waited for the time to connect"
    assert [(r.verdict, r.header("host")) for r in server.requests] == [("verified", f"{NAME}:{port}")]


def test_all_are_dead(library: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The time to connect is that of all addresses together; then the next host is asked."""
    environment = preload("addresses.c", tmp_path, "-ldl") | {"ADDRESSES": "::1,127.0.0.2,127.0.0.3"}
    with serving("127.0.0.1", ["::1", "127.0.0.2", "127.0.0.3"], False) as (server, port):
        hosts = f"http://{NAME}:{port}"
        times = {"connect_timeout_ms": 500, "attempt_timeout_ms": -1, "timeout_ms": 60_000}
        told = ask_apart(library, environment, api_hosts=hosts, **times)
        assert (told["name"], told["attempts"]) == ("PREFOP_ERROR_TIMEOUT", 1), told
        told = ask_apart(library, environment, api_hosts=f"{hosts},{server.http_url}", **times)
        assert (told["name"], told["attempts"]) == ("PREFOP_OK", 2), told
