"""What else there is: other HTTP clients of Python, and wrk, which only asks."""

import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from programs import HERE, output
from table import Line, middle

if TYPE_CHECKING:
    from run import Bench

_WHAT = {"1": "Python, one by one", "64": "Python, 64 at once"}


def python(bench: "Bench") -> Iterator[Line]:
    """Ours through ctypes, pycurl, and requests, with threads where many are at once."""
    printed = output(
        *(sys.executable, "-B", HERE / "python_users.py", bench.programs.library),
        *(bench.server.http, str(bench.scaled(20))),
    )
    times = defaultdict(list)
    for line in printed.splitlines():
        kind, side, nanoseconds = line.split()
        times[kind, side].append(float(nanoseconds) / 1000)
    for kind, what in _WHAT.items():

        def line(side: str, against: str, what: str, kind: str = kind) -> Line:
            ours, theirs = times[kind, side], times[kind, against]
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            note = f"{statistics.median(ours):.0f} / {statistics.median(theirs):.0f} us"
            return Line(what, *middle(ratios, note=note))

        yield line("ours", "pycurl", f"{what}: query / pycurl, wall")
        yield line("read", "pycurl", "  two members read, no dictionary")
        yield line("ours", "requests", f"{what}: query / requests, wall")


def ceiling(bench: "Bench") -> Iterator[Line]:
    """What the server gives to a program that does next to nothing with an answer."""
    seconds = 2 if bench.quick else 5
    url = f"{bench.server.http}/status/get/prefop?id=z0.597f28b445a2650c994bb208"
    printed = output("wrk", "-t1", "-c64", f"-d{seconds}s", url)
    found = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    if not found or "Non-2xx" in printed or "Socket errors" in printed:
        raise RuntimeError(f"wrk failed:\n{printed}")
    wrk = float(found[1])
    blocks = bench.alternating(bench.server.http, program=bench.programs.many, queries=2000)
    ours, bare = (1e9 / statistics.median(wall for wall, _ in blocks[side]) for side in ("ours", "bare"))
    note = f"of wrk's {wrk:,.0f}; bare multi {bare:,.0f}"
    yield Line("64 at once: queries a second", ours, note=note, form=",.0f")
