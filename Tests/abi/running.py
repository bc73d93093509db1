"""How the C programs of this folder are run."""

import os
import pathlib
import subprocess

from server import StubServer

WATCHDOG_SECONDS = 120
"""A program that takes longer hangs; the slowest take a tenth."""

TRANSPORTS = ("http", "tls")

GUEST_SCENARIOS = (
    "sigpipe",
    "handlers",
    "descriptors",
    "errors",
    "eintr",
    "environment",
    "cold-environment",
    "setenv",
)
"""What guest.c can do; the list is for all who run it."""

QUEUE_SCENARIOS = ("wakeup", "signal", "shared", "random")
"""What queue.c can do with any server."""

FORK_SCENARIOS = {"pair": 2, "descriptors": 2, "thread": 2, "exit": 2, "free": 2, "grandchild": 4}
"""What forks.c can do over a fixed number of connections, which is the value."""


def run_quietly(program: pathlib.Path, *arguments: object, server: StubServer, **environment: str) -> None:
    """Runs a test program, which must succeed and print nothing.

    A program that finds something wrong prints what, and fails.
    """
    command = [str(program), *map(str, arguments)]
    process = subprocess.run(
        command,
        env=os.environ | server.environment | environment,
        capture_output=True,
        text=True,
        timeout=WATCHDOG_SECONDS,
    )
    what = f"{command} ended with {process.returncode}\n{process.stdout}{process.stderr}"
    assert process.returncode == 0, what
    assert (process.stdout, process.stderr) == ("", ""), f"printed by a success: {what}"
