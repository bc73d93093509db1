"""Every HTTP status is asked for again as often as the Go SDK does, or better.

vectors/go-retry.json has how often the Go SDK asked each of two hosts that both
answer with the same status. IMPROVEMENTS are where this library does not do as
it does, each with its reason; everywhere else it must.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest
from prefop_binding import Prefop, PrefopError
from server import ACCESS_KEY, SECRET_KEY, StubServer, tasks

MAX_ATTEMPTS = 4
"""As the Go SDK: one request and three more."""

AT_ONCE = 24
"""Statuses that are asked for at the same time: the pauses add up."""

Requests = tuple[int, int]
"""To the first host and to the second."""


class Improvement(NamedTuple):
    statuses: str
    requests: Requests
    reason: str


IMPROVEMENTS = [
    Improvement(
        "200-203,206-299",
        (1, 1),
        "without a code there is no task: the Go SDK takes {} for a task that succeeded, "
        "and a host that answers so may be ill, so the next is asked",
    ),
    Improvement("204-205", (1, 1), "an answer without a body has no task either (the Go SDK was not tried)"),
    Improvement("304", (1, 0), "as any other redirection (the Go SDK was not tried)"),
    Improvement("429", (4, 4), "a limited rate passes, as with 573, so the library waits and asks again"),
]


def codes(ranges: str) -> list[int]:
    """Those of "501,510-578"."""
    listed: list[int] = []
    for each in ranges.split(","):
        first, _, last = each.partition("-")
        listed += range(int(first), int(last or first) + 1)
    return listed


def observed() -> dict[int, Requests]:
    """What the Go SDK does."""
    vectors = json.loads((tasks.VECTORS / "go-retry.json").read_bytes())
    rows = [(",".join(row["statuses"]), tuple(row["requests"])) for row in vectors["observed"]]
    return {code: requests for ranges, requests in rows for code in codes(ranges)}


def expected() -> dict[int, Requests]:
    """What this library must do."""
    improved = {code: row.requests for row in IMPROVEMENTS for code in codes(row.statuses)}
    return observed() | improved


@pytest.fixture(scope="module")
def asked(prefop: Prefop) -> dict[int, Requests]:
    """How often each host was asked for each status, by clients that know nothing
    of the hosts."""
    with StubServer() as first, StubServer() as second:
        hosts = f"{first.http_url},{second.http_url}"
        options = {"api_hosts": hosts, "max_attempts": MAX_ATTEMPTS, "timeout_ms": -1}

        def ask(code: int) -> None:
            with prefop.client(**options, access_key=ACCESS_KEY, secret_key=SECRET_KEY) as client:
                with pytest.raises(PrefopError) as caught:
                    client.query(f"status.{code}")
                assert caught.value.http_status == code, caught.value.fields

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(ask, expected()))
        counts = [[record.id for record in server.requests] for server in (first, second)]
    return {code: (counts[0].count(f"status.{code}"), counts[1].count(f"status.{code}")) for code in expected()}


def test_every_status(asked: dict[int, Requests]) -> None:
    wanted = expected()
    assert sorted(wanted) == list(range(200, 800))
    differing = {code: (asked[code], wanted[code]) for code in wanted if asked[code] != wanted[code]}
    assert differing == {}, "status: (requests to the hosts, expected)"


def test_improvements_differ_from_the_go_sdk() -> None:
    """Or they are none."""
    theirs = observed()
    for row in IMPROVEMENTS:
        assert row.reason
        assert not {code for code in codes(row.statuses) if theirs.get(code) == row.requests}, row
