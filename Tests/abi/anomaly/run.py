"""Makes every allocation fail, one after the other, in every step of a program.

    python Tests/abi/anomaly/run.py [--tls] [--sample N] [STEP…]

prints a table, then what libcurl and OpenSSL did that they should not have,
then what libprefop did; exits with 1 if the last is anything. Needs gcc, the
library (PREFOP_LIBRARY names another build of it), and nothing installed.

The contract, for the allocation that fails first:

- of libprefop's own: the call returns PREFOP_ERROR_MEMORY, nothing is handed
  out or lost, the next call is right;
- of anybody else's: the call returns some error, or the right result; the next
  call is right, save that what libcurl or OpenSSL do once for the process may
  have failed for good ("lasting"), as it does in bare.c.

A crash inside libcurl or OpenSSL is excused if bare.c, the same request without
libprefop, crashes at the same place. A hang never is.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
sys.path.insert(0, str(ROOT / "Tests"))

from server import Answer, Region, StubServer  # noqa: E402
from server.regions import Regions  # noqa: E402

DRIVER = ("driver.c", "finding.c", "queues.c", "trial.c")
STEPS = (
    "parse parse_wrong parse_item write write_item client_new client_new_tls "
    "client_new_profile client_new_wrong_profile client_free client_free_with_errors "
    "set_credentials set_default_credentials "
    "verify_cold verify_default verify_warm query_cold query_new_client query_warm "
    "query_with_key query_key_and_back query_with_errors query_closed query_refused query_retried "
    "wait query_big query_gzip query_not_task queue_new queue_cold queue_warm "
    "queue_with_key queue_refused queue_retried queue_cancel queue_wait queue_wait_cancel queue_free "
    "find_bucket find_regions find_region_of_id find_next_bucket_host find_next_host find_half_aged "
    "find_expired find_queue find_wait"
).split()
TLS_STEPS = (
    "tls_cold tls_new_client tls_warm tls_find_bucket tls_find_region_of_id tls_find_next_bucket_host "
    "tls_find_next_host tls_find_half_aged tls_find_expired tls_find_queue tls_find_wait"
).split()

TLS_FIND_SAMPLE = 8
"""When hosts are found over TLS, of libcrypto's allocations each so many-th: tls_new_client tries all."""

COLD = {"client_new", "client_new_tls", "set_default_credentials", "verify_default", "query_cold", "tls_cold"}
"""Steps in which libcurl and OpenSSL do what they do once for a process."""

CANNOT_FAIL = {"queue_free", "client_free", "client_free_with_errors"}
"""Steps whose call returns nothing, and so must do its work anyhow."""

CAN_DO_WITHOUT = {"queue_cancel", "queue_wait_cancel"}
"""Steps with an allocation that only saves time: for want of it the call does its work too."""

REQUESTS = {
    "find_bucket": 2,
    "find_regions": 3,
    "find_region_of_id": 3,
    "find_next_bucket_host": 3,
    "find_next_host": 3,
    "find_half_aged": 2,
    "find_expired": 2,
    "find_queue": 2,
    "find_wait": 4,
}
"""How many requests finding hosts takes when nothing fails, told by which a step does what it is for."""

MODES = ("once", "persistent")
MEMORY = -20
TIMEOUT, CONNECT, TLS = -40, -61, -62
WORKERS = 4
"""Processes at a time, more than cores: some wait for a pause between attempts."""


class Call(NamedTuple):
    """What came of one call: the one under failure, or one after it."""

    told: bool
    status: int
    detail: int
    wrong: str


class Trial(NamedTuple):
    """One line of a driver: see print in trial.c."""

    n: int
    failed: int
    failed_of_prefop: int
    owner: str
    ended: str
    place: str
    calls: tuple[Call, Call, Call]
    live_prefop: int
    live_curl: int

    @classmethod
    def parse(cls, line: str) -> Self:
        columns = line.split("\t")
        n, failed, failed_of_prefop = map(int, columns[:3])
        owner, ended, place = columns[3:6]
        first, second, third = (
            Call(columns[i] == "1", int(columns[i + 1]), int(columns[i + 2]), columns[i + 3])
            for i in (6, 10, 14)
        )
        calls = (first, second, third)
        live = map(int, columns[19:21])
        return cls(n, failed, failed_of_prefop, owner, ended, place, calls, *live)


@dataclass
class Outcome:
    """One step in one mode."""

    step: str
    mode: str
    reference: Trial | None = None
    trials: list[Trial] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def of(self, owner: str) -> list[Trial]:
        """The trials in which the first to fail was prefop's, or another's."""
        ours = owner == "prefop"
        return [t for t in self.trials if t.failed and (t.owner == "prefop") == ours]

    @property
    def crashes(self) -> Counter[str]:
        return Counter(t.place for t in self.trials if t.ended == "crash")

    @property
    def lasting(self) -> list[Trial]:
        """Those after which a later call fails too."""
        return [t for t in self.of("others") if t.ended == "complete" and self._later_is_wrong(t)]

    def judge(self, excused_places: set[str]) -> Iterator[str]:
        """What libprefop did wrong, the trials in which it did the same together."""
        yield from self.complaints
        wanted = REQUESTS.get(self.step.removeprefix("tls_"))
        if wanted and self.reference and self.reference.calls[0].detail != wanted:
            yield f"{self.step} {self.mode}: took {self.reference.calls[0].detail} requests, not {wanted}"
        alike: dict[tuple[str, str], list[Trial]] = defaultdict(list)
        for trial in self.trials:
            for problem in self._problems(trial, excused_places):
                alike[trial.owner, problem].append(trial)
        for (owner, problem), trials in alike.items():
            yield f"{self.step} {self.mode}: allocation {spans(trials)} of {owner}: {problem}"

    def _problems(self, trial: Trial, excused_places: set[str]) -> Iterator[str]:
        ours = trial.failed > 0 and trial.owner == "prefop"
        if trial.ended == "hang":
            yield f"hangs in {trial.place}"
        elif trial.ended == "crash":
            if ours or trial.place not in excused_places:
                yield f"crashes in {trial.place}"
            return
        for call in trial.calls:
            if call.wrong:
                yield f"{call.wrong} (status {call.status})"
        if trial.ended != "complete":
            return
        wanted = 0 if self.step in CANNOT_FAIL else MEMORY
        is_well = self.step in CAN_DO_WITHOUT and trial.calls[0].status == 0
        if ours and trial.calls[0].status != wanted and not is_well:
            yield f"returned {trial.calls[0].status}, not {wanted}"
        may_last = self.step in COLD or self._is_left_alone(trial)
        if self._later_is_wrong(trial) and (ours or not may_last):
            later = [call.status for call in trial.calls[1:] if call.told]
            yield f"later calls returned {later} (detail {trial.calls[1].detail})"
        if trial.live_prefop > 0:
            yield f"{trial.live_prefop} blocks of libprefop are lost"
        if ours and trial.live_curl > 0:
            yield f"{trial.live_curl} blocks of libcurl are lost"

    def _is_left_alone(self, trial: Trial) -> bool:
        return self.step.startswith("tls_find") and trial.calls[0].status in (TIMEOUT, CONNECT, TLS)

    def _later_is_wrong(self, trial: Trial) -> bool:
        assert self.reference is not None
        return any(
            call.told and call.status != right.status
            for call, right in zip(trial.calls[1:], self.reference.calls[1:], strict=True)
        )


def spans(trials: Iterable[Trial]) -> str:
    """ "3-5, 9": which allocations."""
    spans: list[list[int]] = []
    for n in sorted(t.n for t in trials):
        if spans and n == spans[-1][1] + 1:
            spans[-1][1] = n
        else:
            spans.append([n, n])
    shown = ", ".join(f"{a}-{b}" if b > a else str(a) for a, b in spans[:20])
    return shown + (f" and {len(spans) - 20} more spans" if len(spans) > 20 else "")


def address(url: str) -> str:
    return url.partition("//")[2]


class Buckets(Mapping[str, Regions]):
    """The regions of the buckets that finding.c names, "http.bucket" and the like; each has one.

    "next" has a host before it that is not there. Any other name is answered
    only once.
    """

    def __init__(self, hosts: Mapping[str, str]) -> None:
        self._hosts = hosts
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def __getitem__(self, bucket: str) -> Regions:
        transport, _, name = bucket.partition(".")
        host = self._hosts[transport]
        if name not in ("bucket", "next"):
            with self._lock:
                if bucket in self._known:
                    return Answer.error(403, "asked for before")
                self._known.add(bucket)
        not_there = [f"{host.partition(':')[0]}:1"] if name == "next" else []
        return [Region("z1", [*not_there, host], ttl=10)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._hosts)

    def __len__(self) -> int:
        return len(self._hosts)

    def __contains__(self, bucket: object) -> bool:
        return str(bucket).partition(".")[0] in self._hosts


class Bench:
    """The programs, compiled, and the server that they ask."""

    def __init__(self, library: Path, folder: Path, server: StubServer) -> None:
        self._server = server
        hosts = {"http": address(server.http_url), "tls": address(str(server.https_url))}
        # Over HTTP the first fails at once; over TLS the second would hang.
        server.regions = [Region("z0", [hosts["tls"]]), Region("echo", [hosts["http"]])]
        server.bucket_regions = Buckets(hosts)
        self._preload = folder / "faults.so"
        self._programs = {"driver": folder / "driver", "bare": folder / "bare"}
        flags = ["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}"]
        link = [str(library), f"-Wl,-rpath,{library.parent}", "-lcrypto"]
        self._compile(*flags, "-shared", "-fPIC", "-fno-builtin", HERE / "faults.c", "-o", self._preload)
        self._compile(*flags, *map(HERE.joinpath, DRIVER), "-o", self._programs["driver"], *link)
        bare = ["-lcurl", "-lcrypto"]
        self._compile(*flags, HERE / "bare.c", HERE / "trial.c", "-o", self._programs["bare"], *bare)

    def run(self, program: str, steps: Iterable[str], modes: Sequence[str], sample: int) -> list[Outcome]:
        """Every step in every mode, `WORKERS` processes at a time."""
        outcomes = [Outcome(step, mode) for step in steps for mode in modes]
        # The long ones first, so that no worker is left with one at the end.
        jobs = sorted(
            ((o, w) for o in outcomes for w in range(WORKERS)), key=lambda job: job[0].step not in COLD
        )
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(lambda job: self._work(program, job[0], job[1], sample), jobs))
        return outcomes

    def _work(self, program: str, outcome: Outcome, worker: int, sample: int) -> None:
        if outcome.step.startswith("tls_find"):
            sample = max(sample, TLS_FIND_SAMPLE)
        command = [self._programs[program], outcome.step, outcome.mode, worker, WORKERS, sample]
        process = subprocess.run(
            [str(argument) for argument in command],
            env=os.environ | self._server.environment | {"LD_PRELOAD": str(self._preload)},
            capture_output=True,
            text=True,
        )
        lines = process.stdout.splitlines()
        if process.returncode or not lines or not lines[-1].startswith("end\t"):
            outcome.complaints.append(
                f"{outcome.step} {outcome.mode}: {program} ended with {process.returncode} "
                f"after {lines[-1:]}: {process.stderr}"
            )
        trials = [Trial.parse(line) for line in lines if line[:1].isdigit()]
        outcome.reference = outcome.reference or trials[0]
        outcome.trials += trials[1:]

    def _compile(self, *arguments: str | Path) -> None:
        subprocess.run(["cc", *map(str, arguments)], check=True)


def status_counts(trials: Iterable[Trial]) -> str:
    """ "-20×12 0×3", the most frequent first."""
    counts = Counter(t.calls[0].status for t in trials if t.ended == "complete")
    return " ".join(f"{status}×{count}" for status, count in counts.most_common()) or "–"


def table(outcomes: Iterable[Outcome]) -> str:
    rows = [("step", "mode", "tried", "ours", "statuses", "theirs", "statuses", "lasting", "crashes")]
    for outcome in outcomes:
        ours, theirs = outcome.of("prefop"), outcome.of("others")
        rows.append(
            (
                outcome.step,
                outcome.mode,
                str(len(outcome.trials)),
                str(len(ours)),
                status_counts(ours),
                str(len(theirs)),
                status_counts(theirs),
                str(len(outcome.lasting)),
                str(outcome.crashes.total()),
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def bare_cold(step: str) -> str:
    """The bare program's step that sets libcurl and OpenSSL up too."""
    return "tls_cold" if step == "tls_cold" else "query_cold"


def bare_step(step: str) -> str:
    """The step of the bare program that asks in the same way; it has no queue, and finds no hosts."""
    if step.startswith("tls_find"):
        return "tls_cold"
    return "query_cold" if step.startswith(("queue", "find")) else step


class Report(NamedTuple):
    table: str
    excused: list[str]
    """Crashes that bare.c shows too, and failures that last."""
    faults: list[str]
    """What libprefop did wrong."""

    def __str__(self) -> str:
        parts = [self.table, "\nlibcurl's and OpenSSL's:", *(self.excused or ["nothing"])]
        return "\n".join([*parts, "\nlibprefop's:", *(self.faults or ["nothing"])])


def report(bench: Bench, steps: Sequence[str], sample: int) -> Report:
    outcomes = bench.run("driver", steps, MODES, sample)
    crashes: dict[str, set[str]] = defaultdict(set)
    for outcome in outcomes:
        crashes[outcome.step] |= set(outcome.crashes)
    lasting = {bare_cold(outcome.step) for outcome in outcomes if outcome.step in COLD and outcome.lasting}
    bare_lasting = Counter[str]()
    for outcome in bench.run("bare", sorted(lasting), MODES, sample):
        bare_lasting[outcome.step] += len(outcome.lasting)
    # Only the steps that crash are tried bare, but then with every allocation.
    bare = bench.run("bare", sorted({bare_step(step) for step, places in crashes.items() if places}), MODES, 1)
    bare_places = set().union(*(outcome.crashes for outcome in bare)) if bare else set()
    excused = []
    for outcome in outcomes:
        for place, count in outcome.crashes.items():
            alike = sum(other.crashes[place] for other in bare)
            excused.append(f"{outcome.step} {outcome.mode}: {count} crashes in {place}; bare: {alike}")
        if outcome.step in COLD and outcome.lasting:
            alike = bare_lasting[bare_cold(outcome.step)]
            excused.append(
                f"{outcome.step} {outcome.mode}: {len(outcome.lasting)} failures last: {spans(outcome.lasting)};"
                f" bare {bare_cold(outcome.step)}: {alike}"
            )
        elif outcome.lasting:
            excused.append(f"{outcome.step} {outcome.mode}: {len(outcome.lasting)} times a peer was left alone")
    faults = [fault for outcome in outcomes for fault in outcome.judge(bare_places)]
    faults += [f"{step}: failures last that do not in the bare program" for step in lasting if not bare_lasting[step]]
    return Report(table(outcomes), excused, faults)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tls", action="store_true", help="the steps over TLS too, as a report")
    parser.add_argument("--sample", type=int, default=1, help="of libcrypto's allocations try each N-th (1)")
    parser.add_argument("steps", nargs="*", metavar="STEP")
    arguments = parser.parse_args()
    library = Path(os.environ.get("PREFOP_LIBRARY", ROOT / ".build/release/libprefop.so")).resolve()
    steps = arguments.steps or [*STEPS, *(TLS_STEPS if arguments.tls else [])]
    with tempfile.TemporaryDirectory() as folder, StubServer(tls=True, log_limit=100) as server:
        result = report(Bench(library, Path(folder), server), steps, arguments.sample)
    print(result)
    return 1 if result.faults else 0


if __name__ == "__main__":
    sys.exit(main())
