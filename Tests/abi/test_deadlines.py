"""A query ends in its time, whatever keeps it waiting, and says so rightly.

The program is the one that measures how far beyond its time a query goes; here
only a query that hangs is too late.
"""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parent / "bench/deadlines.py"
sys.path.append(str(PROGRAM.parent))

from deadlines import AMPLE_MS, CASES, MANY, Case  # noqa: E402

LATE_MS = 20_000
"""On the slowest machine; what does not end hangs for ever."""


@pytest.fixture(scope="module")
def measured(library: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    preload = tmp_path_factory.mktemp("names") / "slow_names.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", str(HERE / "slow_names.c"), "-o", str(preload)], check=True)
    process = subprocess.run(
        [sys.executable, "-B", str(PROGRAM), str(library), "1"],
        env=os.environ | {"LD_PRELOAD": str(preload)},
        capture_output=True,
        text=True,
        timeout=len(CASES) * LATE_MS / 1000,
    )
    assert process.returncode == 0, process.stderr
    return {case["name"]: case for case in map(json.loads, process.stdout.splitlines())}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_deadline(measured: dict[str, Any], case: Case) -> None:
    seen = measured[case.name]
    error = seen["error"]
    assert seen["status"] in case.status.split(), seen
    assert error["attempts"] >= 1 and error["retryable"] == 1, seen
    if seen["status"] == "TIMEOUT":
        assert f"{case.timeout_ms} ms" in error["message"], seen
    # What need not wait must not.
    assert max(seen["overshoots_ms"]) < (0 if case.timeout_ms == AMPLE_MS else LATE_MS), seen


def test_attempts(measured: dict[str, Any]) -> None:
    """One that nothing else ends is cut off by the time for the whole."""
    attempts = {name: case["error"]["attempts"] for name, case in measured.items()}
    assert attempts.pop(f"{MANY} hosts refuse") == MANY
    assert attempts.pop(f"{MANY} hosts hang") <= MANY
    attempts.pop("500 again and again")
    assert set(attempts.values()) == {1}, attempts
    assert measured["Retry-After in an hour"]["error"]["retry_after_ms"] == 3_600_000
