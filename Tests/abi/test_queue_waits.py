"""Waits in a queue: each ends as a blocking wait would, changes are told on the way, and none holds a connection."""

import contextlib
import os
import select
import time
from collections.abc import Iterator
from typing import Any

import pytest
from prefop_binding import (
    EACH_CHANGE,
    UNTIL_FINISHED,
    Client,
    Prefop,
    PrefopError,
    Queue,
    Taken,
)
from server import ACCESS_KEY, SECRET_KEY, StubServer

KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
QUICK = {"poll_min_ms": 5, "poll_max_ms": 20, "timeout_ms": 60_000}
WAIT = {"flags": UNTIL_FINISHED, **QUICK}
CHANGES = {"flags": UNTIL_FINISHED | EACH_CHANGE, **QUICK}
ENOUGH_MS = 60_000


@contextlib.contextmanager
def opened(prefop: Prefop, server: StubServer, **options: Any) -> Iterator[tuple[Client, Queue]]:
    """Each poll is one request: what may pass is not tried again within it."""
    defaults = {"api_hosts": server.http_url, "max_attempts": 1, **KEYS}
    with prefop.client(**(defaults | options)) as client, client.queue() as queue:
        yield client, queue
    # A request that was under way is not to be counted in the next test.
    assert server.wait_for(lambda: server.connections.open == 0)


def drained(queue: Queue) -> list[Taken]:
    """All completions, in their order."""
    return queue.drain(queue.take)


def code(taken: Taken) -> int | None:
    return taken.task["code"] if taken.task else None


def name(taken: Taken) -> str | None:
    return taken.failure.name if taken.failure else None


# What ends a wait.

FATES = [
    *("z0.finished", "z0.failed", "z0.undelivered", "flaky.3.z0.running.wait", "flaky.2.z0.waiting.wait"),
    *("flaky.2.status.503.w", "flaky.2.fault.reset.w", "flaky.2.status.429.w", "flaky.2.status.612.w"),
    *("flaky.2.fault.malformed.w", "status.401", "status.400", "status.579", "fault.big.100000"),
]


@pytest.mark.parametrize("id", FATES)
def test_the_same_as_a_blocking_wait(prefop: Prefop, server: StubServer, id: str) -> None:
    with opened(prefop, server, max_response_bytes=50_000) as (client, queue):
        status, task, error = client.wait(id, **QUICK)
        requests = server.total
        server.clear()
        queue.submit(id, 7, **WAIT)
        (taken,) = drained(queue)
    assert (taken.tag, taken.has_more) == (7, False)
    assert (name(taken) or "PREFOP_OK", taken.task) == (status, task)
    assert taken.attempts == error["attempts"] == server.total == requests
    if taken.failure:
        fields = taken.failure.fields
        for member in ("http_status", "retryable", "retry_after_ms", "message"):
            assert fields[member] == error[member]


def test_many_waits(prefop: Prefop, server: StubServer) -> None:
    """More than can be in flight, beside queries that ask once."""
    with opened(prefop, server, max_in_flight=8) as (_, queue):
        for tag in range(200):
            queue.submit(f"flaky.3.z0.running.{tag}", tag, **WAIT)
            queue.submit(f"echo.{tag}", 1000 + tag)
        assert queue.pending() == 400
        completions = drained(queue)
    assert sorted(taken.tag for taken in completions) == [*range(200), *range(1000, 1200)]
    assert {(name(taken), code(taken), taken.has_more) for taken in completions} == {(None, 0, False)}
    assert {taken.attempts for taken in completions if taken.tag < 1000} == {4}
    assert server.connections.accepted <= 8


def test_a_wait_holds_no_place_in_flight(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server, max_in_flight=1) as (_, queue):
        for tag in range(10):
            queue.submit("z0.running", tag, flags=UNTIL_FINISHED, poll_min_ms=60_000)
        queue.submit("echo.1", 99)
        taken = queue.take(ENOUGH_MS)
        assert taken and taken.tag == 99
        # One poll may be under way, or its answer not yet read.
        assert queue.take(50) is None
        assert queue.pending() == 10 and server.total == 11


def test_neither_waits_nor_queries_starve(prefop: Prefop, server: StubServer) -> None:
    """Polls that are always due, and more queries than can be asked at once, take turns."""
    with opened(prefop, server, max_in_flight=2) as (_, queue):
        for tag in range(4):
            queue.submit("z0.running", tag, flags=UNTIL_FINISHED, poll_min_ms=1, poll_max_ms=1)
        for tag in range(100, 300):
            queue.submit(f"echo.{tag}", tag)
        for _ in range(200):
            taken = queue.take(ENOUGH_MS)
            assert taken and taken.tag >= 100
        polls = server.total - 200
    assert polls > 50, "the queries went first"


# Time.


def test_the_last_answer_is_handed_out_when_time_is_over(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit("z0.running.over", 3, **WAIT | {"timeout_ms": 200})
        (taken,) = drained(queue)
    assert (taken.tag, name(taken), code(taken)) == (3, "PREFOP_ERROR_TIMEOUT", 2)
    assert taken.failure and taken.failure.message == "not finished within 200 ms: code 2, processing"
    assert taken.attempts == server.total > 1 and taken.failure.fields["retryable"] == 1


def test_the_last_failure_is_told_when_time_is_over(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit("status.503", 1, **WAIT | {"timeout_ms": 150})
        queue.submit("fault.hang", 2, **WAIT | {"timeout_ms": 150})
        by_tag = {taken.tag: taken for taken in drained(queue)}
    assert [name(taken) for taken in by_tag.values()] == ["PREFOP_ERROR_TIMEOUT"] * 2
    first = by_tag[1].failure
    assert first and first.message.startswith("not finished within 150 ms; the last poll: "), first
    assert "HTTP 503" in first.message and first.fields["http_status"] == 503
    assert by_tag[2].failure and "no answer" in by_tag[2].failure.message


def test_time_counts_from_the_submission(prefop: Prefop, server: StubServer) -> None:
    """A wait that never got a turn ends too, and in time."""
    with opened(prefop, server, max_in_flight=1, timeout_ms=2_000) as (_, queue):
        queue.submit("fault.hang", 1)
        queue.submit("z0.finished", 2, **WAIT | {"timeout_ms": 100})
        began = time.monotonic()
        taken = queue.take(ENOUGH_MS)
        took = time.monotonic() - began
    assert taken and (taken.tag, name(taken), taken.task, taken.attempts) == (2, "PREFOP_ERROR_TIMEOUT", None, 0)
    assert took < 1.5, took


@pytest.mark.parametrize("timeout", [0, -1, 2**63 - 1])
def test_long_times(prefop: Prefop, server: StubServer, timeout: int) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit(f"flaky.2.z0.running.{timeout}", 1, **WAIT | {"timeout_ms": timeout})
        (taken,) = drained(queue)
    assert code(taken) == 0


def test_a_wait_that_rests_costs_nothing(prefop: Prefop, server: StubServer) -> None:
    """Nothing is sent, and the descriptor stays quiet."""
    with opened(prefop, server) as (_, queue):
        for tag in range(100):
            queue.submit("z0.running", tag, flags=UNTIL_FINISHED, poll_min_ms=60_000)
        while server.total < 100:
            assert queue.take(20) is None
        assert queue.take(50) is None
        descriptor = queue.fd()
        assert select.select([descriptor], [], [], 0.2) == ([], [], [])
        assert server.total == 100
        before = os.times()
        assert queue.take(500) is None
        after = os.times()
    assert after.user + after.system - before.user - before.system < 0.1


def test_the_descriptor_tells_when_a_poll_is_due(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        descriptor = queue.fd()
        queue.submit("flaky.3.z0.running.fd", 5, **WAIT)
        wakings = 0
        while queue.pending():
            assert select.select([descriptor], [], [], 20)[0]
            wakings += 1
            while taken := queue.take(0):
                assert (taken.tag, code(taken)) == (5, 0)
    assert server.total == 4 and wakings < 40


# Changes.


def test_each_change_is_told(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit("grows.3.changes", 9, **CHANGES)
        completions = drained(queue)
    assert [(taken.tag, code(taken), taken.has_more) for taken in completions] == [
        (9, 1, True),
        (9, 2, True),
        (9, 0, False),
    ]
    assert [taken.attempts for taken in completions] == [1, 4, 7]
    assert all(taken.failure is None for taken in completions)


def test_the_state_of_an_item_is_a_change(prefop: Prefop, server: StubServer) -> None:
    """Both answers are processing; the second has items."""
    with opened(prefop, server) as (_, queue):
        queue.submit("flaky.2.z0.running.items", 1, **CHANGES)
        first, last = drained(queue)
    assert first.has_more and not last.has_more
    assert (code(first), code(last)) == (2, 0)


def test_a_finished_task_has_one_completion(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit("z0.finished", 1, **CHANGES)
        (taken,) = drained(queue)
    assert not taken.has_more and code(taken) == 0


def test_who_does_not_take_a_change_is_not_sent_more(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        for tag in (1, 2):
            queue.submit(f"grows.1.untaken.{tag}", tag, **CHANGES)
        first = queue.take(ENOUGH_MS)
        assert first
        # Both have changed; that of the second waits to be taken.
        assert server.wait_for(lambda: server.total >= 2)
        queue.submit("fault.slow.300", 3)
        others = [queue.take(ENOUGH_MS) for _ in range(2)]
        assert others and server.total <= 5
        completions = [first, *others, *drained(queue)]
    for tag in (1, 2):
        assert [code(taken) for taken in completions if taken and taken.tag == tag] == [1, 2, 0]


def test_changes_and_time(prefop: Prefop, server: StubServer) -> None:
    """The last answer is handed out when time is over, unless it was told as a change."""
    with opened(prefop, server) as (_, queue):
        queue.submit("z0.running", 1, **CHANGES | {"timeout_ms": 200})
        first, last = drained(queue)
    assert (first.has_more, code(first)) == (True, 2)
    assert (name(last), code(last), last.has_more) == ("PREFOP_ERROR_TIMEOUT", 2, False)


# Cancelling.


def test_a_resting_wait_is_cancelled_with_its_last_answer(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit("z0.running", 1, flags=UNTIL_FINISHED, poll_min_ms=60_000)
        queue.submit("echo.1", 2)
        taken = queue.take(ENOUGH_MS)
        assert taken and taken.tag == 2
        assert queue.take(50) is None and server.total == 2
        assert queue.cancel(1) == 1
        assert queue.cancel(1) == 0
        (taken,) = drained(queue)
    assert (taken.tag, name(taken), code(taken)) == (1, "PREFOP_ERROR_CANCELLED", 2)


def test_a_wait_that_was_not_begun_is_cancelled(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit("z0.running", 1, **WAIT)
        assert queue.cancel(1) == 1
        (taken,) = drained(queue)
    assert (name(taken), taken.task, server.total) == ("PREFOP_ERROR_CANCELLED", None, 0)


def test_a_change_that_was_not_taken_becomes_the_end(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit("z0.running", 1, **CHANGES)
        queue.submit("fault.slow.300", 2)
        descriptor = queue.fd()
        first = queue.take(ENOUGH_MS)
        assert first and first.has_more
        queue.submit("z0.running", 3, **CHANGES)
        other = queue.take(ENOUGH_MS)
        assert other and other.tag == 3 and other.has_more
        assert select.select([descriptor], [], [], 20) is not None
        assert queue.cancel(3) == 1 and queue.cancel(1) == 1
        ends = {taken.tag: taken for taken in drained(queue)}
    assert {tag: name(taken) for tag, taken in ends.items()} == {
        1: "PREFOP_ERROR_CANCELLED",
        2: None,
        3: "PREFOP_ERROR_CANCELLED",
    }
    assert not any(taken.has_more for taken in ends.values())


def test_tags_are_found_wherever_they_are(prefop: Prefop, server: StubServer) -> None:
    """Begun, resting, waiting, with the same tag, after others were cancelled and submitted."""
    with opened(prefop, server, max_in_flight=4) as (_, queue):
        for tag in range(200):
            queue.submit("z0.running", tag % 50, flags=UNTIL_FINISHED, poll_min_ms=60_000)
        assert queue.take(20) is None
        assert sum(queue.cancel(tag) for tag in range(0, 50, 2)) == 100
        for tag in range(100):
            queue.submit("fault.hang", tag)
        taken = [queue.take(20), queue.take(0)]
        assert [queue.cancel(tag) for tag in range(100)] == [1 if t >= 50 or t % 2 == 0 else 5 for t in range(100)]
        completions = [*taken, *drained(queue)]
    assert len(completions) == 300
    assert {name(taken) for taken in completions} == {"PREFOP_ERROR_CANCELLED"}


def test_a_queue_is_freed_with_all_that_waits(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server, max_in_flight=4) as (_, queue):
        for tag in range(50):
            queue.submit("z0.running", tag, flags=UNTIL_FINISHED | EACH_CHANGE, poll_min_ms=60_000)
        queue.submit("fault.hang", 99)
        queue.take(ENOUGH_MS)
    assert server.wait_for(lambda: server.connections.open == 0)


def test_keys_of_one_wait(prefop: Prefop, server: StubServer) -> None:
    """They sign each poll."""
    with opened(prefop, server, access_key=None, secret_key=None) as (client, queue):
        queue.submit("flaky.3.z0.running.keys", 1, **WAIT, **KEYS)
        (taken,) = drained(queue)
        assert code(taken) == 0 and {record.verdict for record in server.requests} == {"verified"}
        with pytest.raises(PrefopError):
            client.query("echo.1")
