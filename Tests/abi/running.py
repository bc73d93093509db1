"""How the C programs of this folder are run."""

import contextlib
import os
import pathlib
import subprocess
from collections.abc import Iterator

from server import Region, StubServer

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

QUEUE_SCENARIOS = ("wakeup", "signal", "shared", "random", "waits")
"""What queue.c can do with any server."""

FORK_SCENARIOS = {"pair": 2, "descriptors": 2, "thread": 2, "exit": 2, "free": 2, "grandchild": 4}
"""What forks.c can do over a fixed number of connections, which is the value."""

FINDING_FORKS = FORK_SCENARIOS | {"asking": 2}
"""The same with a client that finds its hosts."""


FINDING_THREADS = {"rounds": 50, "failures": 20}
"""What threads.c does with a client that finds its hosts, and how often the first of them fails."""


@contextlib.contextmanager
def failing_and_well(bucket_service: StubServer) -> Iterator[tuple[StubServer, StubServer]]:
    """Two hosts that the bucket service tells of: one that fails at first, and one that is well."""
    fault = f"flaky.{FINDING_THREADS['failures']}.status.503"
    with StubServer(fault=fault) as failing, StubServer() as well:
        hosts = [address(failing.http_url), address(well.http_url)]
        bucket_service.regions = [Region("z1", hosts, ttl=600)]
        # So that many come by while one asks.
        bucket_service.bucket_service_fault = "fault.slow.20"
        yield failing, well


def tell_of_itself(server: StubServer, transport: str) -> None:
    """Has the server tell, after a while, of itself as the only host."""
    url = server.http_url if transport == "http" else str(server.https_url)
    server.regions = [Region("z1", [address(url)])]
    server.bucket_service_fault = "fault.slow.300"


def address(url: str) -> str:
    return url.partition("//")[2]


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
