"""Every allocation fails in turn; anomaly/run.py says what must hold then.

Here over HTTP, and of libcrypto's thousands of allocations each eighth;
`make anomaly` tries them all, and TLS.
"""

import pathlib
import sys

from server import StubServer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "anomaly"))

import run  # noqa: E402


def test_every_allocation_may_fail(library: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with StubServer(tls=True, log_limit=100) as server:
        report = run.report(run.Bench(library, tmp_path, server), run.STEPS, sample=8)
    print(report.table, *report.excused, sep="\n")
    assert report.faults == [], str(report)
