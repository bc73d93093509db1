"""Fork: the child has connections of its own, and the parent keeps its own."""

import pathlib
from collections.abc import Callable

import pytest
from running import FORK_SCENARIOS, TRANSPORTS, run_quietly
from server import StubServer


@pytest.fixture(scope="module")
def program(compile_c: Callable[..., pathlib.Path]) -> pathlib.Path:
    return compile_c("abi/forks.c")


def connections_of(server: StubServer, who: str) -> set[int]:
    """The connections over which the ids of one process came."""
    return {r.connection for r in server.requests if (r.id or "").startswith(f"echo.{who}.")}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("scenario", "connections"), FORK_SCENARIOS.items())
def test_fork(
    program: pathlib.Path, tls_server: StubServer, scenario: str, connections: int, transport: str
) -> None:
    run_quietly(program, scenario, transport, server=tls_server)
    first = connections_of(tls_server, "warm")
    others = connections_of(tls_server, "child") | connections_of(tls_server, "grandchild")
    assert len(first) == 1
    assert connections_of(tls_server, "last") == first, "the parent's connection did not survive"
    assert not first & others, "a child used the parent's connection"
    assert tls_server.connections.accepted == connections, tls_server.requests
    assert {record.verdict for record in tls_server.requests} == {"verified"}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_fork_while_threads_ask(program: pathlib.Path, tls_server: StubServer, transport: str) -> None:
    run_quietly(program, "busy", transport, server=tls_server)
    assert {record.verdict for record in tls_server.requests} == {"verified"}
