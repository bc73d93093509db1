"""Fork: the child has connections of its own, and the parent keeps its own."""

import pathlib
from collections.abc import Callable

import pytest
from running import FINDING_FORKS, FORK_SCENARIOS, TRANSPORTS, run_quietly, tell_of_itself
from server import Kind, StubServer


@pytest.fixture(scope="module")
def program(compile_c: Callable[..., pathlib.Path]) -> pathlib.Path:
    return compile_c("abi/forks.c")


def connections_of(server: StubServer, who: str) -> set[int]:
    """The connections over which the ids of one process came."""
    return {r.connection for r in server.requests if (r.id or "").lower().startswith(f"echo.{who}.")}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("scenario", "connections"), FORK_SCENARIOS.items())
def test_fork(
    program: pathlib.Path, tls_server: StubServer, scenario: str, connections: int, transport: str
) -> None:
    run_quietly(program, scenario, transport, server=tls_server)
    check(tls_server, connections)


def check(tls_server: StubServer, connections: int) -> None:
    """That the child and the parent have connections of their own."""
    first = connections_of(tls_server, "warm")
    others = connections_of(tls_server, "child") | connections_of(tls_server, "grandchild")
    assert len(first) == 1
    assert connections_of(tls_server, "last") == first, "the parent's connection did not survive"
    assert not first & others, "a child used the parent's connection"
    assert tls_server.connections.accepted == connections, tls_server.requests
    assert {record.verdict for record in tls_server.requests} == {"verified"}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scenario", FINDING_FORKS)
def test_fork_of_one_that_finds_its_hosts(
    program: pathlib.Path, tls_server: StubServer, scenario: str, transport: str
) -> None:
    """What the parent knows the child knows; what another thread is asking it asks itself."""
    tell_of_itself(tls_server, transport)
    run_quietly(program, scenario, transport, "finding", server=tls_server)
    check(tls_server, FINDING_FORKS[scenario])
    asked = [record.connection for record in tls_server.requests_for(Kind.REGIONS)]
    assert len(set(asked)) == len(asked) == (2 if scenario == "asking" else 1)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_fork_while_threads_ask_that_find_their_hosts(
    program: pathlib.Path, tls_server: StubServer, transport: str
) -> None:
    tell_of_itself(tls_server, transport)
    run_quietly(program, "busy", transport, "finding", server=tls_server)
    assert {record.verdict for record in tls_server.requests} == {"verified"}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_fork_while_threads_ask(program: pathlib.Path, tls_server: StubServer, transport: str) -> None:
    run_quietly(program, "busy", transport, server=tls_server)
    assert {record.verdict for record in tls_server.requests} == {"verified"}
