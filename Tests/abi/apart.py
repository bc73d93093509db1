"""A query in a process of its own: with an environment, or with a library preloaded."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

from running import WATCHDOG_SECONDS
from server import ACCESS_KEY, SECRET_KEY

BINDING = pathlib.Path(__file__).resolve().parents[1] / "clients" / "python"
PROGRAM = """
import json, sys
sys.path[:0] = [sys.argv[1]]
from prefop_binding import Error, Prefop, PrefopError, error_fields
prefop, error = Prefop(sys.argv[2]), Error()
try:
    with prefop.client(**json.loads(sys.argv[3])) as client:
        told = {"name": "PREFOP_OK", "id": client.query("echo.1", error)["persistent_id"]} | error_fields(error)
except PrefopError as failure:
    told = {"name": failure.name, "id": None} | failure.fields
print(json.dumps(told))
"""


def ask_apart(library: pathlib.Path, environment: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
    """The status's name, the task's id, and the error's fields."""
    options = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "max_attempts": 1} | options
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(BINDING), str(library), json.dumps(options)],
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        timeout=WATCHDOG_SECONDS,
    )
    assert result.returncode == 0, result.stderr
    assert SECRET_KEY not in result.stdout, "a secret is shown"
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def preload(source: str, folder: pathlib.Path, *flags: str) -> dict[str, str]:
    """The environment in which programs load this C file of ours first."""
    made = folder / pathlib.Path(source).with_suffix(".so").name
    path = pathlib.Path(__file__).resolve().parent / source
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", str(path), "-o", str(made), *flags]
    subprocess.run(command, check=True)
    return {"LD_PRELOAD": str(made)}
