"""Many threads: the first call of a process, and one client for all."""

import pathlib
from collections.abc import Callable

import pytest
from running import run_quietly
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


def test_engines_made_together_are_close_on_exec(program: pathlib.Path, server: StubServer) -> None:
    run_quietly(program, "exec", 50, server=server)
