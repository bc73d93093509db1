"""Many threads: the first call of a process, and one client for all."""

import pathlib
from collections.abc import Callable

import pytest
from running import FINDING_THREADS, failing_and_well, run_quietly
from server import StubServer
from server.credentials import ACCESS_KEY, SECOND_ACCESS_KEY


@pytest.fixture(scope="module")
def program(compile_c: Callable[..., pathlib.Path]) -> pathlib.Path:
    return compile_c("abi/threads.c")


def test_first_calls_together(program: pathlib.Path, server: StubServer) -> None:
    run_quietly(program, "first", 200, server=server)


def test_one_client_for_all(program: pathlib.Path, server: StubServer) -> None:
    run_quietly(program, "shared", 20_000, server=server)
    assert server.total == 20_000, "not every query took exactly one request"
    assert {record.verdict for record in server.requests} == {"verified"}
    keys = {record.access_key for record in server.requests}
    assert keys == {ACCESS_KEY, SECOND_ACCESS_KEY}, "credentials were to be swapped"
    assert server.connections.accepted <= 16, "more connections than threads"


def test_one_client_that_finds_its_hosts(program: pathlib.Path, server: StubServer) -> None:
    """The regions are asked for once in each round, by one of those that need them, whatever becomes of their hosts."""
    with failing_and_well(server) as (failing, well):
        run_quietly(program, "finding", 20_000, server=server)
        assert server.total == FINDING_THREADS["rounds"], "the bucket service is asked once in each round"
        records = server.requests + failing.requests + well.requests
        assert {record.verdict for record in records} == {"verified"}
        assert failing.total + well.total == 20_000 + FINDING_THREADS["failures"], "each query goes to one that is well"
        assert failing.total > 1_000, "once it is well it is asked again"


def test_engines_made_together_are_close_on_exec(program: pathlib.Path, server: StubServer) -> None:
    run_quietly(program, "exec", 50, server=server)
