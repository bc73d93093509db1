"""The fuzz target "queue" without libFuzzer: its first inputs, and some that are made of them.

They are the same each time. `make fuzz TARGET=queue` looks for more, with AddressSanitizer.
"""

import pathlib
import re
import subprocess
from collections.abc import Callable

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SEEDS = HERE / "queue.seeds"


@pytest.fixture(scope="module")
def program(compile_c: Callable[..., pathlib.Path]) -> pathlib.Path:
    """Its functions come before those of the C library, also for the library and libcurl."""
    others = [HERE / "standalone.c", *sorted((HERE / "queue").glob("*.c"))]
    return compile_c("fuzz/queue.c", *map(str, others), "-rdynamic", "-lcrypto")


def test_every_promise_holds(program: pathlib.Path) -> None:
    process = subprocess.run([program, "--mix", "800", SEEDS], capture_output=True, text=True, timeout=120)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


# What the network does with one query, tried once, and how that ends.
ENDS = {
    "1": "PREFOP_ERROR_CONNECT",
    "00t": "PREFOP_OK",
    "00h": "PREFOP_ERROR_RESPONSE",
    "00j": "PREFOP_ERROR_HIJACKED",
    "00c0": "PREFOP_ERROR_TRANSFER",
    "00H1": "PREFOP_ERROR_TRANSFER",
    "00r3": "PREFOP_ERROR_TRANSFER",
    "00x": "PREFOP_ERROR_TRANSFER",
    "00z": "PREFOP_ERROR_TIMEOUT",
    "005": "PREFOP_ERROR_SERVER",
    "00l00": "PREFOP_ERROR_RATE_LIMITED",
    "006": "PREFOP_ERROR_NOT_FOUND",
    "00a0": "PREFOP_ERROR_BAD_REQUEST",
    '00m3{"code":true}': "PREFOP_ERROR_RESPONSE",
    '00m3{"code": 3 }': "PREFOP_OK",
    "00b": "PREFOP_ERROR_TOO_LARGE",
    "00k": "PREFOP_OK",
    "00y": "PREFOP_OK",
    "00d51": "PREFOP_OK",
}


@pytest.mark.parametrize("network", ENDS)
def test_network(program: pathlib.Path, tmp_path: pathlib.Path, network: str) -> None:
    """It does what the input says."""
    script = tmp_path / "input"
    script.write_text(f"C0000010101Q0S0000N05|{network}")
    process = subprocess.run(
        [program, script], capture_output=True, text=True, timeout=120, env={"PREFOP_FUZZ_TRACE": "1"}
    )
    assert process.returncode == 0, process.stderr
    ends = re.findall(r"next\(-1\): 1, tag 0, (\w+)", process.stderr)
    assert ends == [ENDS[network]], process.stderr
