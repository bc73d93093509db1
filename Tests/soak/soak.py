"""Very many queries against a server of which one answer in twenty is a fault: `make soak`.

Prints one table; the exit status is 1 if a promise is broken.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "Tests"))

from server import fast  # noqa: E402

LIFE = 12_500
"""Queries of one client and queue; then come others. fast.c limits the rate of the first
hundredth of as many."""

IN_FLIGHT = 256
"""More than 64, because of queries that pause."""

FAULTS = ("reset", "503", "drip", "half-body", "429")
"""Each one query in a hundred gets at its first attempt; fast.c has which."""

MARGIN = 1.1
"""Memory at the end may be this much of what it was after the first life."""


class Line(NamedTuple):
    """A figure, and what was promised of it; empty: nothing."""

    what: str
    value: int | float | str
    promise: str = ""
    is_kept: bool = True


def build(library: Path, folder: Path) -> Path:
    """Compiles soak.c against a library."""
    program = folder / "soak"
    flags = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}")
    linked = (library, f"-Wl,-rpath,{library.parent}")
    subprocess.run(["cc", *flags, HERE / "soak.c", "-o", program, *linked], check=True)
    return program


def soak(library: Path, folder: Path, queries: int) -> list[Line]:
    """Runs it, in whole lives; programs are built into the folder."""
    queries = -(-queries // LIFE) * LIFE
    program, server_program = build(library, folder), fast.build(folder)
    with fast.FastServer(server_program, "faults") as server:
        done = subprocess.run(
            [program, server.http, str(queries), str(LIFE), str(IN_FLIGHT)],
            # What the allocator keeps for each thread would count as used.
            env=os.environ | {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    figures = dict(line.split() for line in done.stdout.splitlines())
    numbers = {name: int(value) for name, value in figures.items()}
    return list(judged(numbers, server.answers, queries))


def judged(came: dict[str, int], answers: dict[str, int], queries: int) -> list[Line]:
    """The table. Of no query all attempts fail, so by the retry table every one ends well."""

    def exactly(what: str, value: int, expected: int) -> Line:
        return Line(what, value, f"{expected:,}", value == expected)

    seconds = came["wall-ms"] / 1000
    lines = [
        exactly("queries that ended with their task", came["ok"], queries),
        *(exactly(f"  with {name}", n, 0) for name, n in came.items() if name.startswith("PREFOP_")),
        *(exactly(f"  {name}", came[name], 0) for name in ("missing", "twice", "unknown", "wrong")),
    ]
    for fault in FAULTS:
        share = answers[fault] / sum(answers.values())
        lines.append(Line(f"answers: {fault}", answers[fault], "1 %", 0.009 < share < 0.011))
    # A reset of a kept connection libcurl may repeat by itself, and a drip is no failure.
    retried = came["retried"]
    lines.append(Line("queries with more than one attempt", retried, "3-4 %", 0.029 < retried / queries < 0.041))
    used = came["heap-after"] - came["heap-before"]
    lines.append(Line("bytes of the heap, after less before", used, "0", used <= 0))
    opened = came["open-after"] - came["open-before"]
    lines.append(exactly("descriptors, after less before", opened, 0))
    early, late = came["resident-early"], came["resident-late"]
    lines.append(Line("KiB in memory after a tenth", early))
    lines.append(Line("  at the end", late, f"{early * MARGIN:,.0f}", late <= early * MARGIN))
    lines.append(Line("seconds", round(seconds, 1)))
    lines.append(Line("  of the processor", round(came["cpu-ms"] / 1000, 1)))
    lines.append(Line("queries a second", round(queries / seconds)))
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--library", type=Path, default=ROOT / ".build/release/libprefop.so")
    parser.add_argument("--folder", type=Path, default=ROOT / ".build/soak")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    lines = soak(options.library.resolve(), options.folder, options.queries)
    print(f"{'':40} {'measured':>11} {'promised':>11}")
    for line in lines:
        print(f"{line.what:40} {line.value:>11,} {line.promise:>11} {'' if line.is_kept else 'BROKEN'}".rstrip())
    return 0 if all(line.is_kept for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
