"""How long it takes to call off what does not come to an end."""

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING

from programs import output
from table import Line

from server.fast import FastServer

if TYPE_CHECKING:
    from run import Bench

_BAR_MS = 50


def cancelling(bench: "Bench") -> Iterator[Line]:
    """1,000 queries each time, in a process of its own: names hang in threads that stay."""
    programs = bench.programs
    with FastServer(programs.fast, "silent") as server:
        rounds = [_milliseconds(programs.cancel, "requests", server.http) for _ in range(bench.scaled(10))]
    yield _line("that are not answered", rounds)
    preload = ("env", f"LD_PRELOAD={programs.slow_names}")
    rounds = [_milliseconds(*preload, programs.cancel, "names") for _ in range(bench.scaled(10))]
    yield _line("whose name hangs", rounds)


def _milliseconds(*command: object) -> list[float]:
    """To cancel, to free, and the processor's for both."""
    return [int(nanoseconds) / 1e6 for nanoseconds in output(*map(str, command)).split()]


def _line(which: str, rounds: list[list[float]]) -> Line:
    cancel, free, cpu = (statistics.median(times) for times in zip(*rounds, strict=True))
    total = statistics.median(cancel + free for cancel, free, _ in rounds)
    note = f"cancel {cancel:.1f}, free {free:.1f}; processor {cpu:.1f}; median of {len(rounds)}"
    return Line(f"1,000 off, {which}, ms", total, _BAR_MS, note, ".1f")
