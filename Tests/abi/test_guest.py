"""The library leaves the program's process as it was."""

import os
import pathlib
import subprocess
from collections.abc import Callable

import pytest
from running import GUEST_SCENARIOS, TRANSPORTS, run_quietly
from server import StubServer

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def program(compile_c: Callable[..., pathlib.Path]) -> pathlib.Path:
    return compile_c("abi/guest.c", "-lcrypto")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scenario", GUEST_SCENARIOS)
def test_guest(program: pathlib.Path, tls_server: StubServer, scenario: str, transport: str) -> None:
    run_quietly(program, scenario, transport, server=tls_server)


@pytest.mark.parametrize("end", ["exit", "stay"])
def test_names_that_never_resolve(
    compile_c: Callable[..., pathlib.Path], tmp_path: pathlib.Path, server: StubServer, end: str
) -> None:
    program = compile_c("abi/names.c")
    preload = tmp_path / "slow_names.so"
    source = str(HERE / "slow_names.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", source, "-o", str(preload)], check=True)
    run_quietly(program, end, server=server, LD_PRELOAD=str(preload))


def test_loading_a_thousand_times(
    compile_c: Callable[..., pathlib.Path], library: pathlib.Path, tls_server: StubServer
) -> None:
    program = compile_c("abi/loading.c", link=False)
    run_quietly(program, library, server=tls_server)
    needed = subprocess.run(["ldd", str(program)], capture_output=True, text=True).stdout
    assert os.path.basename(library) not in needed, "the program was to load it itself"
