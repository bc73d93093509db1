"""Benchmarks of libprefop: `make bench`.

Prints one table. Each line is measured in this run against a program kept
here, with its bar beside it. Bars are figures, not tests: a miss is shown, and
the exit status is 0 unless something could not run.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import callgrind
from programs import HERE, ROOT, Programs, output
from table import Line, middle, show

sys.path[:0] = [str(ROOT / "Tests"), str(ROOT / "Tests/clients")]
import loops  # noqa: E402
import rivals  # noqa: E402
from cancelling import cancelling  # noqa: E402
from waiting import waiting  # noqa: E402

from server.fast import FastServer  # noqa: E402
from server.nginx import Nginx  # noqa: E402


class Bench:
    """What all measurements share."""

    def __init__(self, programs: Programs, server: Nginx, quick: bool) -> None:
        self.programs = programs
        self.server = server
        self.quick = quick

    def scaled(self, count: int) -> int:
        return count // 5 if self.quick else count

    def steady(self, *tool: str | Path, side: str, queries: int) -> str:
        """What a counting tool says of a program that asks `queries` times."""
        return output(
            *tool, self.programs.steady, side, self.server.http, "-", str(queries)
        )

    # Measurements -----------------------------------------------------------

    def sequential(self) -> Iterator[Line]:
        yield from self.compared("query", self.alternating(self.server.http), 1.05)
        everywhere = os.sched_getaffinity(0)
        first, last = {min(everywhere)}, {max(everywhere)}
        for where, core in {"on one core": first, "on two cores": last}.items():
            self.server.pin(first)
            try:
                blocks = self.alternating(self.server.http, pinned=core)
            finally:
                self.server.pin(everywhere)
            yield from self.compared(f"  {where}: query", blocks)

    def http2(self) -> Iterator[Line]:
        ca_file = str(self.server.ca_file)
        blocks = self.alternating(self.server.https, ca_file)
        yield from self.compared("HTTPS HTTP/2: query", blocks)

    def many(self) -> Iterator[Line]:
        ca_file = str(self.server.ca_file)
        for what, bar, arguments in (
            ("64 at once: query", 0.92, (self.server.http, "-")),
            ("64 at once, HTTPS HTTP/2: query", 1.0, (self.server.https, ca_file)),
        ):
            blocks = self.alternating(*arguments, program=self.programs.many, queries=2000)
            yield from self.compared(what, blocks, bar, ("bare",))
        yield from self._counted("many", instructions_bar=15_000, allocations_bar=2)

    def _counted(self, kind: str, instructions_bar: float, allocations_bar: float) -> Iterator[Line]:
        """What a query of many costs, whatever the clock says."""
        ours, bare = f"ours-{kind}", f"bare-{kind}"
        queries = 500 if self.quick else 1000
        costs = self._instructions(ours, queries)
        own = sum(n for (ob, _), n in costs.items() if ob.startswith("libprefop"))
        yield Line("  own instructions a query", own, instructions_bar, form=",.0f")
        ratio = sum(costs.values()) / sum(self._instructions(bare, queries).values())
        yield Line("  query / bare multi, instructions", ratio)
        # Before that, handles and buffers are made.
        few, many = self._allocations(ours, 4000), self._allocations(ours, 8000)
        own, others = ((b - a) / 4000 for a, b in zip(few, many, strict=True))
        yield Line("  own allocations a query", own, allocations_bar, f"libcurl's and libcrypto's {others:.2f}")
        calls, bare_calls = self._system_calls(ours, queries), self._system_calls(bare, queries)
        yield Line("  system calls a query", sum(calls.values()), sum(bare_calls.values()) + 1, _listed(calls))
        yield Line("    bare multi's", sum(bare_calls.values()), note=_listed(bare_calls))

    def latency(self) -> Iterator[Line]:
        """Answers that take 4 to 6 ms, as over a network: what the client itself costs."""
        with FastServer(self.programs.fast, "delay", 4000, 6000) as server:
            blocks = self.alternating(server.http, program=self.programs.many, queries=2000)
        what = "64 at once, 5 ms away: query"
        yield from self.compared(what, blocks, None, ("bare",), cpu_bar=0.6)

    def threads(self) -> Iterator[Line]:
        blocks = self.alternating(self.server.http, program=self.programs.threads)
        yield from self.compared("a thread a core: query", blocks, 1.05, ("bare",))

    def volume(self) -> Iterator[Line]:
        printed = output(self.programs.volume, self.server.http, str(self.scaled(1_000_000)))
        read = {name: float(number) for name, number in (line.split() for line in printed.splitlines())}
        id_length = 27
        yield Line("bytes a queued submission, its id not counted", read["queued"] - id_length, 128, form=".0f")
        ratio = read["submit1000000"] / read["submit10000"]
        note = f"{read['submit1000000']:.0f} / {read['submit10000']:.0f} ns"
        yield Line("submission among 10^6 / among 10^4", ratio, 1.2, note)
        yield self._grown("a steady stream: memory, end / after a tenth", read, "stream")
        yield self._grown("all submitted: memory, end / after a tenth", read, "flood")
        early, late = read["flood-early-heap"], read["flood-late-heap"]
        note = f"{late / 1024:,.0f} / {early / 1024:,.0f} KiB"
        yield Line("  heap without what waits", late / early, 1.1, note)

    def flight(self) -> Iterator[Line]:
        with FastServer(self.programs.fast, "silent") as silent:
            printed = output(
                *("env", "GLIBC_TUNABLES=glibc.malloc.tcache_count=0"),
                *(self.programs.flight, silent.http, self.server.http),
            )
        read = {name: float(number) for name, number in (line.split() for line in printed.splitlines())}
        yield Line("heap bytes a query in flight, HTTP", read["flight"], 16_384, form=",.0f")
        yield Line("  kept for the next", read["kept"], form=",.0f")

    @staticmethod
    def _grown(what: str, read: dict[str, float], name: str) -> Line:
        early, late = read[f"{name}-early"], read[f"{name}-late"]
        note = f"{late:,.0f} / {early:,.0f} KiB"
        if full := read.get(f"{name}-full"):
            note += f", {full:,.0f} when all wait; after malloc_trim {read[f'{name}-trimmed']:,.0f}"
        return Line(what, late / early, 1.1, note)

    def json(self) -> Iterator[Line]:
        sample = self.programs.library.parent / "task.json"
        sample.write_bytes(first_task())
        blocks = defaultdict(list)
        printed = output(
            self.programs.json, sample, str(self.scaled(100)), str(10_000)
        )
        for line in printed.splitlines():
            name, nanoseconds = line.split()
            blocks[name].append(float(nanoseconds))

        def line(what: str, name: str, against: str, bar: float | None) -> Line:
            ours, theirs = blocks[name][1:], blocks[against][1:]
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            note = f"{statistics.median(ours):.0f} / {statistics.median(theirs):.0f} ns"
            return Line(what, *middle(ratios, bar, note))

        yield line("parse / RapidJSON SAX", "parse", "sax", 0.5)
        yield line("  / SAX that checks UTF-8, as ours does", "parse", "sax-utf8", None)
        # A fresh buffer each time hands its text out, as ours does.
        yield line(
            "to_json / RapidJSON Writer, fresh buffer", "to-json", "write-fresh", 0.8
        )
        yield line("  / Writer, buffer reused", "to-json", "write-reused", None)

    def instructions(self) -> Iterator[Line]:
        queries = 100 if self.quick else 200
        ours = self._instructions("ours", queries)
        bare = self._instructions("bare", queries)
        own = {fn: n for (ob, fn), n in ours.items() if ob.startswith("libprefop")}
        yield Line("own instructions a query", sum(own.values()), 12_000, form=",.0f")
        objects = Counter[str]()
        bare_objects = Counter[str]()
        for (ob, _), count in ours.items():
            objects[ob] += count
        for (ob, _), count in bare.items():
            bare_objects[ob] += count
        total = sum(objects.values())
        bare_total = sum(bare_objects.values())
        note = f"{total:,.0f} / {bare_total:,.0f} instructions of the process"
        yield Line("query / bare curl, instructions", total / bare_total, note=note)
        self._explain(own, objects, bare_objects)

    def allocations(self) -> Iterator[Line]:
        few, many = self._allocations("ours", 500), self._allocations("ours", 1000)
        ours, theirs = ((b - a) / 500 for a, b in zip(few, many, strict=True))
        yield Line("own allocations a query", ours, 1, "the task's block")
        yield Line("  libcurl's and libcrypto's", theirs)

    def system_calls(self) -> Iterator[Line]:
        queries = 500
        ours, bare = (self._system_calls(side, queries) for side in ("ours", "bare"))
        yield Line("system calls a query", sum(ours.values()), note=_listed(ours))
        yield Line("  bare curl's", sum(bare.values()), note=_listed(bare))

    def deadlines(self) -> Iterator[Line]:
        printed = output(
            *("env", f"LD_PRELOAD={self.programs.slow_names}", sys.executable, "-B"),
            *(HERE / "deadlines.py", self.programs.library, "5"),
        )
        for line in printed.splitlines():
            case = json.loads(line)
            beyond = case["overshoots_ms"]
            median = f"median {statistics.median(beyond):.1f}; {case['status']}"
            yield Line(f"beyond its time, {case['name']}, ms", max(beyond), 50, median, ".1f")

    def event_loops(self) -> Iterator[Line]:
        """How late a millisecond's ticker comes while 2,000 queries run in its loop."""
        bar, runs = 20, 1 if self.quick else 5
        ids = [f"z0.{number}" for number in range(2000)]
        for name in loops.NAMES:
            command = loops.command(name, self.programs.library, self.programs.library.parent)
            for protocol, origin in (("HTTP", self.server.http), ("HTTP/2", self.server.https)):
                with IdleTicker() as idle:
                    ticks = [self._ticks(name, command, ids, origin) for _ in range(runs)]
                beyond, count = sum(each.beyond for each in ticks), sum(each.count for each in ticks)
                held = max(each.longest_held for each in ticks)
                note = f"{beyond} of {count} beyond it; at work for {held:.1f} at most"
                note += f"; one beside it that does nothing {idle.latest:.1f}"
                yield Line(f"ticker late, {name}, {protocol}, ms", max(each.latest for each in ticks), bar, note, ".1f")

    # How --------------------------------------------------------------------

    def _ticks(self, name: str, command: list[str], ids: list[str], origin: str) -> loops.Ticks:
        _, ticks = loops.run(
            *(name, command, self.programs.library, ids),
            QINIU_ACCESS_KEY="bench-access-key-of-forty-characters----",
            QINIU_SECRET_KEY="bench-secret-key-of-forty-characters----",
            PREFOP_API_HOSTS=origin,
            PREFOP_CA_FILE=str(self.server.ca_file),
        )
        return ticks

    def alternating(
        self,
        origin: str,
        ca_file: str = "-",
        pinned: set[int] | None = None,
        program: Path | None = None,
        queries: int = 250,
    ) -> dict[str, list[list[float]]]:
        """For each side its blocks: wall and CPU nanoseconds a query."""
        printed = output(
            *(program or self.programs.sequential, origin, ca_file),
            *(str(self.scaled(40)), str(queries)),
            preexec_fn=(lambda: os.sched_setaffinity(0, pinned)) if pinned else None,
        )
        blocks = defaultdict(list)
        for line in printed.splitlines():
            side, *times = line.split()
            blocks[side].append([int(time) / queries for time in times])
        return blocks

    def compared(
        self,
        what: str,
        blocks: dict[str, list[list[float]]],
        bar: float | None = None,
        against: tuple[str, ...] = ("bare", "tuned"),
        cpu_bar: float | None = None,
    ) -> Iterator[Line]:
        """Ratios of neighbouring blocks."""

        def line(against: str, clock: int, name: str, bar: float | None) -> Line:
            ours = [block[clock] for block in blocks["ours"]]
            theirs = [block[clock] for block in blocks[against]]
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            a, b = (statistics.median(side) / 1000 for side in (ours, theirs))
            return Line(name, *middle(ratios, bar, f"{a:.1f} / {b:.1f} us"))

        yield line("bare", 0, f"{what} / bare curl, wall", bar)
        yield line("bare", 1, f"{what} / bare curl, CPU", cpu_bar)
        if "tuned" in against:
            yield line("tuned", 0, f"{what} / tuned bare curl, wall", None)

    def _instructions(self, side: str, queries: int) -> callgrind.Costs:
        """A query's, once warm; what a shorter run has too drops out."""
        folder = self.programs.library.parent

        def run(count: int) -> callgrind.Costs:
            file = folder / f"callgrind.{side}.{count}"
            file.unlink(missing_ok=True)
            self.steady(
                *("valgrind", "--tool=callgrind", f"--callgrind-out-file={file}"),
                *("--error-exitcode=0", "-q"),
                side=side,
                queries=count,
            )
            return callgrind.read(file)

        few, many = run(queries), run(2 * queries)
        return Counter({key: (many[key] - few[key]) / queries for key in many})

    def _allocations(self, side: str, queries: int) -> list[int]:
        """Ours, and the others'."""
        preload = f"LD_PRELOAD={self.programs.allocations}"
        printed = self.steady("env", preload, side=side, queries=queries)
        return [int(word) for word in printed.split()[1:3]]

    def _system_calls(self, side: str, queries: int) -> Counter[str]:
        file = self.programs.library.parent / "strace"

        def run(count: int) -> Counter[str]:
            tool = ("strace", "-f", "-c", "-U", "name,calls", "-o", file)
            self.steady(*tool, side=side, queries=count)
            rows = [line.split() for line in file.read_text().splitlines()]
            calls = {row[0]: row[1] for row in rows if len(row) == 2}
            calls.pop("total", None)
            return Counter({name: int(n) for name, n in calls.items() if n.isdigit()})

        few, many = run(queries), run(2 * queries)
        each = {name: (many[name] - few[name]) / queries for name in many}
        return Counter({name: count for name, count in each.items() if count > 0.01})

    def _explain(
        self, own: dict[str, float], objects: Counter[str], bare: Counter[str]
    ) -> None:
        """Where the instructions of a query are, below the table."""
        self.details = ["", "Instructions a query, ours and bare curl's, by object:"]
        for name, count in objects.most_common():
            if count >= 1:
                self.details.append(f"{count:10,.0f} {bare[name]:10,.0f}  {name}")
        self.details += ["", "Our own functions, the 25 largest:"]
        names = _demangled(sorted(own, key=lambda name: -own[name])[:25])
        for mangled, name in names.items():
            self.details.append(f"{own[mangled]:10,.0f}  {name}")

    details: list[str] = []


MEASUREMENTS: dict[str, Callable[[Bench], Iterator[Line]]] = {
    "sequential": Bench.sequential,
    "http2": Bench.http2,
    "many": Bench.many,
    "latency": Bench.latency,
    "threads": Bench.threads,
    "volume": Bench.volume,
    "flight": Bench.flight,
    "cancelling": cancelling,
    "waiting": waiting,
    "json": Bench.json,
    "instructions": Bench.instructions,
    "allocations": Bench.allocations,
    "system-calls": Bench.system_calls,
    "deadlines": Bench.deadlines,
    "loops": Bench.event_loops,
    "python": rivals.python,
    "ceiling": rivals.ceiling,
}


class IdleTicker:
    """Ticks in a thread that does nothing else: what comes late here is late for want of a processor."""

    def __enter__(self) -> Self:
        self.latest = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        start = time.monotonic()
        while not self._ended.wait(0.001):
            now = time.monotonic()
            self.latest = max(self.latest, (now - start) * 1000 - 1)
            start = now


def first_task() -> bytes:
    """The body of the first of the tests' vectors."""
    vectors = json.loads((ROOT / "Tests/vectors/tasks.json").read_text())
    return vectors[0]["body"].encode()


def _listed(calls: Counter[str]) -> str:
    return ", ".join(f"{name} {count:.3g}" for name, count in calls.most_common())


def _demangled(names: list[str]) -> dict[str, str]:
    """Swift's names as a person reads them, where its tool is there."""
    try:
        printed = output("swift", "demangle", "--compact", "--simplified", *names)
        return dict(zip(names, printed.splitlines(), strict=True))
    except (RuntimeError, FileNotFoundError, ValueError):
        return {name: name for name in names}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=MEASUREMENTS)
    parser.add_argument("--quick", action="store_true", help="a fifth of the blocks")
    parser.add_argument(
        "--library", type=Path, default=ROOT / ".build/release/libprefop.so"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / ".build/bench")
    options = parser.parse_args()
    # Ended from outside, it still stops nginx.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    programs = Programs(options.library, options.folder)
    print(f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}")
    print(f"{'':48} {'measured':>9} {'bar':>7}")
    failed = False
    with Nginx(first_task()) as server:
        bench = Bench(programs, server, options.quick)
        for name in options.only or MEASUREMENTS:
            try:
                for line in MEASUREMENTS[name](bench):
                    show(line)
            except (RuntimeError, OSError) as error:
                failed = True
                print(f"{name} could not run: {error}", file=sys.stderr)
    print(*bench.details, sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
