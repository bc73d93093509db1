"""What it costs to wait for very many tasks while nothing is due."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from table import Line

from server.fast import FastServer

if TYPE_CHECKING:
    from run import Bench

_TASKS = 100_000
_MILLISECONDS = 3000


def waiting(bench: "Bench") -> Iterator[Line]:
    programs = bench.programs
    with FastServer(programs.fast, "processing") as server:
        heap, processor, calls = _wait(programs.waiting, server.http)
    yield Line("heap bytes a task that waits, in a queue", heap, form=".0f")
    listed = ", ".join(calls)
    yield Line(f"system calls in {_MILLISECONDS // 1000} s of {_TASKS:,} waiting", len(calls), 1, listed, ".0f")
    yield Line("  processor time of that, ms", processor / 1e6)


def _wait(program: Path, origin: str) -> tuple[float, int, list[str]]:
    """Heap bytes a task, processor nanoseconds of the wait, and its system calls."""
    trace = program.with_suffix(".strace")
    process = subprocess.Popen(
        [program, origin, str(_TASKS), str(_MILLISECONDS)],
        env=os.environ | {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        heap = _number("heap", process.stdout.readline())
        tracer = subprocess.Popen(
            ["strace", "-f", "-o", trace, "-p", str(process.pid)], stderr=subprocess.PIPE, text=True
        )
        assert tracer.stderr
        said = tracer.stderr.readline()
        process.stdin.close()
        processor = _number("processor", process.stdout.readline())
        process.wait()
        tracer.wait()
        if "attached" not in said:
            raise RuntimeError(f"strace cannot attach: {said}")
    finally:
        process.kill()
        process.wait()
    return heap, int(processor), list(_during(trace.read_text()))


def _number(name: str, line: str) -> float:
    found, _, number = line.partition(" ")
    if found != name:
        raise RuntimeError(f"waiting printed {line!r}, not {name}")
    return float(number)


def _during(trace: str) -> Iterator[str]:
    """The names of the calls between the program's looks at the processor's clock."""
    calls = (line.split(maxsplit=1)[1] for line in trace.splitlines())
    looks = 0
    for call in calls:
        if call.startswith("clock_gettime(CLOCK_PROCESS_CPUTIME_ID"):
            looks += 1
        elif looks == 1:
            yield call.partition("(")[0]
