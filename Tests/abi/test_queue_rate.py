"""A host that limits the rate: the whole queue slows down, and nobody fails of it."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from prefop_binding import Prefop, PrefopError, Queue
from server import ACCESS_KEY, SECRET_KEY, StubServer

KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
ENOUGH_MS = 60_000


@contextlib.contextmanager
def opened(prefop: Prefop, server: StubServer, **options: Any) -> Iterator[Queue]:
    with prefop.client(**{"api_hosts": server.http_url, **KEYS} | options) as client, client.queue() as queue:
        yield queue


@pytest.mark.parametrize("rate", [50, 200])
def test_none_fails_and_few_are_refused(prefop: Prefop, server: StubServer, rate: int) -> None:
    count = rate * 3
    with opened(prefop, server) as queue:
        for tag in range(count):
            queue.submit(f"limited.{rate}.{tag}", tag)
        completions = queue.drain(queue.next)
    failures = [result for _, result in completions if isinstance(result, PrefopError)]
    assert not failures, failures[0]
    assert sorted(tag for tag, _ in completions) == list(range(count))
    # Without the queue's care each of 64 would be refused again and again.
    assert server.total < count * 1.5, server.total


def test_the_oldest_go_first(prefop: Prefop, server: StubServer) -> None:
    count = 100
    with opened(prefop, server, max_in_flight=32) as queue:
        for tag in range(count):
            queue.submit(f"limited.50.{tag}", tag)
        order = [tag for tag, _ in queue.drain(queue.next)]
    # Those that were refused come back a little later than those behind them.
    assert max(abs(place - tag) for place, tag in enumerate(order)) <= 48, order


def test_a_pause_is_kept_by_all(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server, max_in_flight=4) as queue:
        queue.submit("flaky.1.status.429.retry-after.1.first", 0)
        assert queue.next(100) is None and server.total == 1
        for tag in range(1, 9):
            queue.submit(f"echo.{tag}", tag)
        assert queue.next(300) is None and server.total == 1, "others went to a host that asked to be left alone"
        completions = queue.drain(queue.next)
    assert Counter(isinstance(result, PrefopError) for _, result in completions) == {False: 9}


def test_the_time_of_a_query_begins_when_it_is_sent(prefop: Prefop, server: StubServer) -> None:
    """The pause is longer than a query's time: those that were not sent do not run out of it."""
    with opened(prefop, server, max_in_flight=4) as queue:
        queue.submit("flaky.1.status.429.retry-after.1.first", 0)
        assert queue.next(100) is None
        for tag in range(1, 5):
            queue.submit(f"echo.{tag}", tag, timeout_ms=200)
        completions = dict(queue.drain(queue.next))
    assert not [result for result in completions.values() if isinstance(result, PrefopError)], completions


def test_a_long_pause_is_not_believed_for_ever(prefop: Prefop, server: StubServer) -> None:
    """It asks for an hour; after the time of one query another one tries."""
    with opened(prefop, server, timeout_ms=300) as queue:
        queue.submit("flaky.1.status.429.retry-after.3600.first", 0)
        tag, result = queue.next(ENOUGH_MS) or (None, None)
        assert tag == 0 and isinstance(result, PrefopError) and result.name == "PREFOP_ERROR_RATE_LIMITED"
        queue.submit("echo.1", 1)
        ((tag, result),) = queue.drain(queue.next)
    assert tag == 1 and not isinstance(result, PrefopError), result


def test_another_host_is_not_slowed_down(prefop: Prefop, server: StubServer, tls_server: StubServer) -> None:
    hosts = f"{server.http_url},{tls_server.http_url}"
    with opened(prefop, server, api_hosts=hosts, timeout_ms=500) as queue:
        server.fault = "status.429.retry-after.60"
        for tag in range(20):
            queue.submit(f"echo.{tag}", tag)
        completions = dict(queue.drain(queue.next))
    assert not [result for result in completions.values() if isinstance(result, PrefopError)], completions
    assert tls_server.total == 20


def test_a_refusal_among_many_answers_stops_nobody_else(prefop: Prefop, server: StubServer) -> None:
    """One of a hundred is refused, and told to come back after a second."""
    count = 1_500
    with opened(prefop, server) as queue:
        for tag in range(count):
            form = f"flaky.1.status.429.retry-after.1.{tag}" if tag % 100 == 83 and tag > 100 else f"echo.{tag}"
            queue.submit(form, tag)
        completions = queue.drain(queue.next)
    assert not [result for _, result in completions if isinstance(result, PrefopError)]
    # While the first that was refused waits for its second, the others go on.
    assert [tag for tag, _ in completions].index(183) > 183 + 64 + 100
