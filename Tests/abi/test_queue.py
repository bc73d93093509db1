"""Many queries in a queue: each ends once, in its own way, whatever becomes of the others."""

import contextlib
import itertools
import os
import pathlib
import select
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prefop_binding import (
    EACH_CHANGE,
    Client,
    Completion,
    Error,
    Prefop,
    PrefopError,
    Queue,
)
from running import QUEUE_SCENARIOS, TRANSPORTS, run_quietly
from server import ACCESS_KEY, SECOND_ACCESS_KEY, SECOND_SECRET_KEY, SECRET_KEY, StubServer, tasks
from server.nginx import Nginx

KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
SECOND = {"access_key": SECOND_ACCESS_KEY, "secret_key": SECOND_SECRET_KEY}
ENOUGH_MS = 60_000


@contextlib.contextmanager
def opened(prefop: Prefop, server: StubServer, **options: Any) -> Iterator[tuple[Client, Queue]]:
    url = server.https_url or server.http_url
    defaults = {"api_hosts": url, "ca_file": server.ca_file, "max_attempts": 2, **KEYS}
    with prefop.client(**(defaults | options)) as client, client.queue() as queue:
        yield client, queue


def drained(queue: Queue) -> list[tuple[int, Any]]:
    """All completions, in their order."""
    completions = queue.drain(queue.next)
    assert queue.next(-1) is None, "there is nothing to wait for"
    return completions


def outcome(result: dict[str, Any] | PrefopError) -> str:
    return result.name if isinstance(result, PrefopError) else result["persistent_id"]


# What comes of a submission.


@pytest.mark.parametrize("transport", ["server", "tls_server"])
def test_each_tag_ends_once(prefop: Prefop, request: pytest.FixtureRequest, transport: str) -> None:
    server = request.getfixturevalue(transport)
    with opened(prefop, server) as (_, queue):
        for tag in range(1_000):
            queue.submit(f"echo.{tag}", tag)
        assert queue.pending() == 1_000
        completions = drained(queue)
    assert {tag: outcome(result) for tag, result in completions} == {tag: f"echo.{tag}" for tag in range(1_000)}
    assert len(completions) == 1_000
    assert {record.verdict for record in server.requests} == {"verified"}


def test_nothing_is_sent_before_next(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit("echo.1")
        time.sleep(0.05)
        assert server.total == 0 and queue.pending() == 1


FATES = [
    *("echo.1", "sample.3", "status.612", "status.401", "status.404", "status.579", "fault.hijacked", "fault.reset"),
    *("fault.malformed", "fault.empty", "fault.big", "fault.gzip", "fault.half-body", "status.503", "status.429"),
    *("flaky.1.status.503.q", "flaky.1.fault.reset.q", "fault.redirect", "fault.garbage", "fault.nul-header"),
]


@pytest.mark.parametrize("name", FATES)
def test_the_same_as_a_blocking_query(prefop: Prefop, server: StubServer, name: str) -> None:
    """The task, or every member of the error."""

    def plain(result: dict[str, Any] | PrefopError) -> dict[str, Any]:
        fields = dict(result.fields if isinstance(result, PrefopError) else result)
        fields.pop("request_id")
        return fields

    def blocking() -> dict[str, Any]:
        with opened(prefop, server) as (client, _):
            try:
                return plain(client.query(name))
            except PrefopError as failure:
                return plain(failure)

    expected = blocking()
    server.clear()
    with opened(prefop, server) as (_, queue):
        queue.submit(name, 7)
        ((tag, result),) = drained(queue)
    assert tag == 7
    assert plain(result) == expected


def test_all_fates_at_once(prefop: Prefop, server: StubServer) -> None:
    names = [name.replace(".q", f".{n}") for n in range(4) for name in FATES]
    with opened(prefop, server) as (_, queue):
        for tag, name in enumerate(names):
            queue.submit(name, tag)
        completions = dict(drained(queue))
    assert completions.keys() == set(range(len(names)))
    for tag, result in completions.items():
        name = names[tag]
        if name.startswith(("echo", "flaky", "fault.gzip", "fault.big")):
            assert outcome(result) == name, f"{name}: {result}"
        elif not name.startswith("sample"):
            assert isinstance(result, PrefopError), f"{name}: {result}"
            assert SECRET_KEY not in str(result.fields)


def test_details_of_each_failure_are_its_own(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        for tag in range(400, 500):
            queue.submit(f"status.{tag}", tag)
        for tag, result in drained(queue):
            assert result.http_status == tag and f"HTTP {tag}" in result.message, result
            assert result.host == server.http_url.partition("//")[2] and result.request_id


def test_a_queue_of_the_default_client(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no host that a test may ask."""
    with Queue(prefop) as queue:
        assert queue.pending() == 0 and queue.next(0) is None


def test_no_credentials(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server, access_key=None, secret_key=None) as (_, queue):
        queue.submit("echo.1", 1)
        queue.submit("echo.2", 2, **SECOND)
        ended = {tag: outcome(result) for tag, result in drained(queue)}
    assert ended == {1: "PREFOP_ERROR_CREDENTIALS", 2: "echo.2"}
    assert [record.access_key for record in server.requests] == [SECOND_ACCESS_KEY]


def test_mixed_credentials(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        for tag in range(300):
            queue.submit(f"echo.{tag}", tag, **(SECOND if tag % 2 else {}))
        assert all(outcome(result) == f"echo.{tag}" for tag, result in drained(queue))
    assert {record.verdict for record in server.requests} == {"verified"}
    for record in server.requests:
        expected = SECOND_ACCESS_KEY if int(record.id.partition(".")[2]) % 2 else ACCESS_KEY
        assert record.access_key == expected, record


def test_credentials_that_change(prefop: Prefop, server: StubServer) -> None:
    """What is under way ends with the pair that it began with; the rest takes the new one."""
    with opened(prefop, server, max_in_flight=1) as (client, queue):
        queue.submit("flaky.1.status.503.retry-after.1.change", 0)
        queue.submit("echo.1", 1)
        while server.total < 1:
            assert queue.next(10) is None
        client.set_credentials(**SECOND)
        assert len(drained(queue)) == 2
        client.set_credentials(None, None)
        queue.submit("echo.2", 2)
        ((_, result),) = drained(queue)
        assert outcome(result) == "PREFOP_ERROR_CREDENTIALS"
    keys = [record.access_key for record in server.requests]
    assert keys == [ACCESS_KEY, ACCESS_KEY, SECOND_ACCESS_KEY]


# Limits and time.


@pytest.mark.parametrize(("limit", "expected"), [(1, 1), (3, 3), (0, 64)])
def test_max_in_flight(prefop: Prefop, limit: int, expected: int) -> None:
    with StubServer() as server, opened(prefop, server, max_in_flight=limit) as (_, queue):
        for tag in range(200):
            queue.submit(f"fault.slow.5.{tag}", tag)
        assert len(drained(queue)) == 200
        assert server.connections.peak <= expected
        assert server.connections.peak > expected // 2


@pytest.mark.parametrize("limit", [-1, 10_001])
def test_max_in_flight_out_of_bounds(prefop: Prefop, limit: int) -> None:
    with pytest.raises(PrefopError) as caught:
        prefop.client(max_in_flight=limit)
    assert caught.value.name == "PREFOP_ERROR_CONFIGURATION" and "max_in_flight" in caught.value.message


def test_the_time_counts_from_the_first_request(prefop: Prefop, server: StubServer) -> None:
    """What waits in the queue does not expire there."""
    with opened(prefop, server, max_in_flight=1) as (_, queue):
        for tag in range(8):
            queue.submit(f"fault.slow.300.{tag}", tag, timeout_ms=2_000)
        assert all(outcome(result) == f"fault.slow.300.{tag}" for tag, result in drained(queue))


def test_deadlines_are_each_query_s_own(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        for tag in range(20):
            queue.submit(f"fault.hang.{tag}", tag, timeout_ms=100 + tag * 20)
        queue.submit("fault.slow.200", 20)
        completions = drained(queue)
    assert [tag for tag, _ in completions if tag != 20] == list(range(20))
    for tag, result in completions:
        expected = "fault.slow.200" if tag == 20 else "PREFOP_ERROR_TIMEOUT"
        assert outcome(result) == expected, result
        assert tag == 20 or f"within {100 + tag * 20} ms" in result.message


def test_next_does_not_wait_longer_than_told(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        start = time.monotonic()
        assert queue.next(-1) is None, "nothing is pending"
        queue.submit("fault.hang")
        assert queue.next(0) is None
        assert time.monotonic() - start < 10
        start = time.monotonic()
        assert queue.next(50) is None
        assert 0.045 < time.monotonic() - start < 10
        assert queue.pending() == 1


# Hosts.


def test_a_dead_host_is_left_for_the_next(prefop: Prefop, server: StubServer, closed_port: str) -> None:
    with opened(prefop, server, api_hosts=f"{closed_port},{server.http_url}") as (client, queue):
        for tag in range(200):
            queue.submit(f"echo.{tag}", tag)
        assert all(outcome(result) == f"echo.{tag}" for tag, result in drained(queue))
        error = Error()
        client.query("echo.1", error)
        assert error.attempts == 1, "what the queue learned of a host serves a blocking query too"


def test_no_host_at_all(prefop: Prefop, server: StubServer, closed_port: str) -> None:
    with opened(prefop, server, api_hosts=closed_port) as (_, queue):
        for tag in range(100):
            queue.submit(f"echo.{tag}", tag)
        assert {outcome(result) for _, result in drained(queue)} == {"PREFOP_ERROR_CONNECT"}


def test_the_first_query_goes_alone(prefop: Prefop, server: StubServer) -> None:
    """A host that does not answer who connects is not called by all at once."""
    server.fault = "port.black-hole"
    try:
        with opened(prefop, server, connect_timeout_ms=300, max_attempts=1) as (_, queue):
            for tag in range(10):
                queue.submit(f"echo.{tag}", tag, timeout_ms=5_000)
            ended = Counter(outcome(result) for _, result in drained(queue))
        assert ended.total() == 10 and set(ended) <= {"PREFOP_ERROR_TIMEOUT", "PREFOP_ERROR_CONNECT"}, ended
    finally:
        server.fault = None


def test_a_connection_that_ended_meanwhile(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server, max_attempts=1) as (_, queue):
        for round in range(20):
            for tag in range(8):
                queue.submit("fault.close-idle" if tag % 2 else f"echo.{tag}", tag)
            for _, result in drained(queue):
                assert not isinstance(result, PrefopError), (round, result)


def test_a_new_connection_resumes_a_tls_session(prefop: Prefop, tls_server: StubServer) -> None:
    """That of another transfer. Not all of many can: OpenSSL uses a ticket of TLS 1.3 once."""
    with opened(prefop, tls_server) as (_, queue):
        for count in 1, 8:
            for tag in range(count):
                queue.submit(f"echo.{tag}", tag)
            assert {outcome(result) for _, result in drained(queue)} == {f"echo.{tag}" for tag in range(count)}
    resumed = {record.connection: record.is_resumed for record in tls_server.requests}
    assert not resumed[tls_server.requests[0].connection]
    assert any(resumed.values()), resumed


# Wakeups and signals.


def test_wakeup_before_and_after(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit("fault.hang")
        queue.wakeup()
        queue.wakeup()
        assert queue.next(-1) is None
        timer = threading.Timer(0.05, queue.wakeup)
        timer.start()
        assert queue.next(-1) is None
        timer.join()


def test_wakeup_with_nothing_pending(prefop: Prefop, server: StubServer) -> None:
    """A positive time is waited, so that others can say that there is work."""
    with opened(prefop, server) as (_, queue):
        timer = threading.Timer(0.05, queue.wakeup)
        timer.start()
        assert queue.next(ENOUGH_MS) is None
        timer.join()


def test_wakeups_lose_no_completion(prefop: Prefop, server: StubServer) -> None:
    over = threading.Event()
    with opened(prefop, server) as (_, queue):

        def disturb() -> None:
            while not over.is_set():
                queue.wakeup()

        thread = threading.Thread(target=disturb)
        thread.start()
        try:
            for tag in range(500):
                queue.submit(f"echo.{tag}", tag)
            seen = []
            while queue.pending():
                if done := queue.next(ENOUGH_MS):
                    seen.append(done[0])
        finally:
            over.set()
            thread.join()
    assert sorted(seen) == list(range(500))


def test_a_signal_ends_the_wait(prefop: Prefop, server: StubServer) -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    try:
        with opened(prefop, server) as (_, queue):
            queue.submit("fault.hang")
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
            assert queue.next(-1) is None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# Cancelling and freeing.


def test_cancel(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server, max_in_flight=2) as (_, queue):
        for tag in (1, 2, 3, 3, 4, 3):
            queue.submit("fault.hang" if tag == 1 else f"fault.slow.100.{tag}", tag)
        while server.total < 2:
            assert queue.next(10) is None
        assert queue.cancel(1) == 1, "under way"
        assert queue.cancel(1) == 0, "only once"
        assert queue.cancel(3) == 3, "waiting"
        assert queue.cancel(9) == 0, "unknown"
        assert queue.pending() == 6, "each of them completes"
        ended = Counter((tag, outcome(result)) for tag, result in drained(queue))
    assert ended == {
        (1, "PREFOP_ERROR_CANCELLED"): 1,
        (3, "PREFOP_ERROR_CANCELLED"): 3,
        (2, "fault.slow.100.2"): 1,
        (4, "fault.slow.100.4"): 1,
    }
    assert {record.id for record in server.requests} == {"fault.hang", "fault.slow.100.2", "fault.slow.100.4"}


def test_cancel_what_has_ended(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        for tag in range(10):
            queue.submit(f"echo.{tag}", tag)
        first, _ = queue.next(ENOUGH_MS) or (-1, None)
        assert queue.cancel(first) == 0
        cancelled = sum(queue.cancel(tag) for tag in range(10))
        ended = Counter(isinstance(result, PrefopError) for _, result in drained(queue))
        assert ended[True] == cancelled and ended.total() == 9


def test_cancel_in_each_state(prefop: Prefop, server: StubServer) -> None:
    """A pause, a request, a wait for another's connection."""
    with opened(prefop, server, max_attempts=50) as (_, queue):
        for tag, name in enumerate(["status.503.retry-after.20", "fault.hang", "fault.drip.1000"]):
            queue.submit(name, tag)
        while server.total < 3:
            assert queue.next(10) is None
        assert [queue.cancel(tag) for tag in range(3)] == [1, 1, 1]
        assert [outcome(result) for _, result in drained(queue)] == ["PREFOP_ERROR_CANCELLED"] * 3
        queue.submit("echo.1", 5)
        assert [outcome(result) for _, result in drained(queue)] == ["echo.1"]


def test_free_with_queries_in_every_state(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server, max_in_flight=20) as (client, queue):
        for tag in range(100):
            queue.submit(["echo.1", "fault.hang", "status.503.retry-after.20", "status.612"][tag % 4], tag)
        while server.total < 20:
            queue.next(1)
        assert queue.pending() > 50
        queue.close()
        assert client.query("echo.2")["persistent_id"] == "echo.2"
    server.wait_for(lambda: server.connections.open == 0)
    assert server.connections.open == 0


def test_a_client_outlived_by_its_queues(prefop: Prefop, server: StubServer) -> None:
    client = prefop.client(api_hosts=server.http_url, **KEYS)
    first, second = client.queue(), client.queue()
    client.close()
    for queue in (first, second):
        queue.submit("echo.1", 3)
        assert [outcome(result) for _, result in drained(queue)] == ["echo.1"]
        queue.close()


def test_two_queues_and_a_blocking_call(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (client, first), client.queue() as second:
        for tag in range(100):
            first.submit(f"echo.{tag}", tag)
            second.submit(f"echo.{tag}", tag)
        assert first.next(ENOUGH_MS) and client.query("echo.x") and second.next(ENOUGH_MS)
        assert len(drained(first)) == 99 and len(drained(second)) == 99


# The descriptor.


def looped(queue: Queue, count: int) -> list[tuple[int, Any]]:
    """As an event loop drives a queue: no wait but for the descriptor."""
    poll, completions = select.poll(), []
    poll.register(queue.fd(), select.POLLIN)
    while len(completions) < count:
        assert poll.poll(ENOUGH_MS), f"not readable, but {queue.pending()} are pending"
        while done := queue.next(0):
            completions.append(done)
    return completions


def test_an_event_loop(prefop: Prefop, server: StubServer) -> None:
    """With retries, pauses and deadlines, which no socket tells."""
    names = {
        **{tag: f"echo.{tag}" for tag in range(200)},
        **{tag: f"flaky.1.status.503.{tag}" for tag in range(200, 220)},
        **{tag: f"fault.hang.{tag}" for tag in range(300, 305)},
    }
    with opened(prefop, server) as (_, queue):
        queue.fd()
        for tag, name in names.items():
            queue.submit(name, tag, timeout_ms=400 if tag >= 300 else 0)
        completions = dict(looped(queue, len(names)))
    assert completions.keys() == names.keys()
    for tag, result in completions.items():
        assert outcome(result) == ("PREFOP_ERROR_TIMEOUT" if tag >= 300 else names[tag]), result


def test_a_loop_gets_its_turn(prefop: Prefop) -> None:
    """However fast the server answers, taking completions until there is none comes to an end."""
    with Nginx(tasks.finished("z0.any")) as nginx, prefop.client(api_hosts=nginx.http, **KEYS) as client:
        with client.queue() as queue:
            poll, series = select.poll(), []
            poll.register(queue.fd(), select.POLLIN)
            for tag in range(2_000):
                queue.submit(f"z0.{tag}", tag)
            while queue.pending():
                assert poll.poll(ENOUGH_MS), f"not readable, but {queue.pending()} are pending"
                before = queue.pending()
                while queue.next(0):
                    pass
                series.append(before - queue.pending())
    # What ended in one look at the network is 64 completions, those of a turn before at most as many.
    assert sum(series) == 2_000 and max(series) <= 300, series


def test_a_call_begins_some_of_many(prefop: Prefop) -> None:
    """Connections take their time, so a call that is not to wait makes no more than those of two turns."""
    with (
        Nginx(tasks.finished("z0.any")) as nginx,
        prefop.client(api_hosts=nginx.http, max_in_flight=500, **KEYS) as client,
        client.queue() as queue,
    ):
        queue.submit("z0.first")
        drained(queue)
        for tag in range(500):
            queue.submit(f"z0.{tag}", tag)
        counts = [len(os.listdir("/proc/self/fd"))]
        while queue.pending():
            queue.next(0)
            counts.append(len(os.listdir("/proc/self/fd")))
    made = [after - before for before, after in itertools.pairwise(counts)]
    assert 0 < max(made) <= 128, made


def test_the_descriptor_stays_and_rests(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        descriptor = queue.fd()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert not poll.poll(0), "nothing to do"
        for _ in range(3):
            queue.submit("echo.1")
            assert queue.fd() == descriptor
            assert poll.poll(0), "a query is to be begun"
            looped(queue, 1)
            queue.next(0)
            # The server may say something more, which ends a connection.
            assert not poll.poll(0) or queue.next(0) is None
        assert not os.get_inheritable(descriptor)


def test_the_descriptor_shows_what_waits(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        poll = select.poll()
        poll.register(queue.fd(), select.POLLIN)
        for tag in range(20):
            queue.submit(f"echo.{tag}", tag)
        taken = 0
        while queue.pending():
            assert poll.poll(ENOUGH_MS)
            taken += queue.next(0) is not None
        assert taken == 20


@pytest.mark.parametrize("cause", ["submit", "cancel", "wakeup"])
def test_the_descriptor_shows_calls(prefop: Prefop, server: StubServer, cause: str) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit("fault.hang", 1)
        poll = select.poll()
        poll.register(queue.fd(), select.POLLIN)
        while server.total < 1:
            assert queue.next(1) is None
        # Until libcurl has nothing to do either.
        while poll.poll(50):
            assert queue.next(0) is None
        {"submit": lambda: queue.submit("echo.1", 2), "cancel": lambda: queue.cancel(1), "wakeup": queue.wakeup}[
            cause
        ]()
        assert poll.poll(0)


def descriptors(expected: int | None = None) -> int:
    """How many are open. The server's are in this process too, and it closes them when it
    sees ours go: that many are waited for."""
    end = time.monotonic() + 10
    while True:
        count = len(os.listdir("/proc/self/fd"))
        if expected is None or count == expected or time.monotonic() > end:
            return count
        time.sleep(0.01)


def test_descriptors_are_closed(prefop: Prefop) -> None:
    with StubServer() as server, prefop.client(api_hosts=server.http_url, **KEYS) as client:
        before = descriptors()
        for _ in range(5):
            with client.queue() as queue:
                queue.fd()
                for tag in range(100):
                    queue.submit(["fault.hang", "echo.1"][tag % 2], tag)
                assert queue.next(ENOUGH_MS)
        assert descriptors(before) == before


# Fork.


def test_fork(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (client, queue):
        queue.fd()
        for tag in range(50):
            queue.submit(f"fault.slow.20.{tag}", tag)
        while server.total < 50:
            queue.next(0)
        pending = queue.pending()
        child = os.fork()
        if child == 0:
            os._exit(_of_no_use_in_a_child(prefop, client, queue))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        ended = drained(queue)
        assert len(ended) == pending
        assert not [result for _, result in ended if isinstance(result, PrefopError)]


def _of_no_use_in_a_child(prefop: Prefop, client: Client, queue: Queue) -> int:
    """The number of the first check that fails; 0: none does."""
    c, handle, error, done = prefop.c, queue.handle, Error(), Completion()
    queue.wakeup()
    results = [
        c.prefop_queue_submit(handle, b"echo.1", 0, None, error),
        c.prefop_queue_next(handle, 0, done, error),
        c.prefop_queue_fd(handle),
    ]
    for number, result in enumerate(results):
        if prefop.status_name(result) != "PREFOP_ERROR_FORKED":
            return 1 + number
    if queue.cancel(1) or queue.pending():
        return 10
    if client.query("echo.child")["persistent_id"] != "echo.child":
        return 11
    with client.queue() as other:
        other.submit("echo.other", 9)
        if [outcome(result) for _, result in drained(other)] != ["echo.other"]:
            return 12
    queue.close()
    client.close()
    return 0


def test_a_series_ends_though_the_program_is_slow(prefop: Prefop, server: StubServer) -> None:
    """Else a loop's handler that takes completions until there is none goes on for all of them."""
    series = [0]
    with opened(prefop, server, max_in_flight=32) as (_, queue):
        for tag in range(320):
            queue.submit(f"echo.{tag}", tag)
        while queue.pending():
            if queue.next(0) is None:
                series.append(0)
            else:
                series[-1] += 1
                time.sleep(0.001)
    assert sum(series) == 320
    assert max(series) <= 64


def test_no_time_passes_before_a_query_is_sent(prefop: Prefop, server: StubServer) -> None:
    """Those that wait for the first one's connection, which fails, have all of their time for the other host."""
    with StubServer(fault="port.black-hole") as dead:
        hosts = f"{dead.http_url},{server.http_url}"
        with opened(prefop, server, api_hosts=hosts, connect_timeout_ms=1500, timeout_ms=2400) as (_, queue):
            for tag in range(8):
                queue.submit(f"echo.{tag}", tag)
            completions = dict(drained(queue))
    assert {tag: outcome(result) for tag, result in completions.items()} == {tag: f"echo.{tag}" for tag in range(8)}


def test_answers_that_came_while_the_program_was_away(prefop: Prefop, server: StubServer) -> None:
    """All of them count, however many, though their time is over by now."""
    with opened(prefop, server, max_in_flight=200, timeout_ms=1800) as (_, queue):
        for tag in range(200):
            queue.submit(f"fault.slow.1200.{tag}", tag)
        while server.total < 200:
            assert queue.next(10) is None
        # What libcurl still has to do after sending: its timers would read the answers.
        assert queue.next(500) is None
        time.sleep(2)
        completions = drained(queue)
    assert [result for _, result in completions if isinstance(result, PrefopError)] == []


def test_nobody_waits_for_the_answer_of_the_first(prefop: Prefop, server: StubServer) -> None:
    """Only for its connection, which on this machine stands at once."""
    with opened(prefop, server, max_in_flight=4) as (_, queue):
        for tag in range(4):
            queue.submit("fault.slow.600", tag)
        drained(queue)
    assert server.connections.accepted == 4


# In C: threads, signal handlers, names that do not resolve.


@pytest.fixture(scope="module")
def program(compile_c: Callable[..., pathlib.Path]) -> pathlib.Path:
    return compile_c("abi/queue.c")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scenario", QUEUE_SCENARIOS)
def test_in_c(program: pathlib.Path, tls_server: StubServer, scenario: str, transport: str) -> None:
    run_quietly(program, scenario, transport, server=tls_server)


def test_what_a_wide_queue_took_is_given_back(program: pathlib.Path, server: StubServer) -> None:
    run_quietly(program, "memory", server=server, GLIBC_TUNABLES="glibc.malloc.tcache_count=0")


def test_names_that_never_resolve(program: pathlib.Path, server: StubServer, tmp_path: pathlib.Path) -> None:
    run_quietly(program, "names", server=server, LD_PRELOAD=preloaded("slow_names.c", tmp_path))


def test_answers_that_come_at_once(program: pathlib.Path, server: StubServer, tmp_path: pathlib.Path) -> None:
    run_quietly(program, "prompt", server=server, LD_PRELOAD=preloaded("prompt_answers.c", tmp_path))


def preloaded(source: str, folder: pathlib.Path) -> str:
    """What LD_PRELOAD is to be for this source to have its way."""
    preload = folder / "preload.so"
    flags = ("-shared", "-fPIC", "-O1")
    subprocess.run(["cc", *flags, pathlib.Path(__file__).with_name(source), "-o", preload], check=True)
    return str(preload)


def test_a_wakeup_ends_one_call(prefop: Prefop, server: StubServer) -> None:
    """Also when that call, after others that gave completions, would have returned anyway."""
    with opened(prefop, server) as (_, queue):
        for pause in (0, 0.003, 0.02):
            queue.submit("echo.1")
            assert queue.cancel(0) == 1 and queue.next(0)
            time.sleep(pause)
            queue.wakeup()
            queue.submit("fault.slow.20")
            assert queue.next(0) is None
            assert queue.next(ENOUGH_MS), "the wakeup ended two calls"


# What is refused.


@pytest.mark.parametrize(("flags", "name"), [(EACH_CHANGE, "ARGUMENT"), (8, "UNSUPPORTED"), (15, "UNSUPPORTED")])
def test_flags_that_are_refused(prefop: Prefop, server: StubServer, flags: int, name: str) -> None:
    with opened(prefop, server) as (_, queue):
        with pytest.raises(PrefopError) as caught:
            queue.submit("echo.1", flags=flags)
        assert caught.value.name == f"PREFOP_ERROR_{name}" and "options.flags" in caught.value.message
        assert queue.pending() == 0


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 257])
def test_ids_that_are_refused(prefop: Prefop, server: StubServer, name: str) -> None:
    with opened(prefop, server) as (_, queue):
        with pytest.raises(PrefopError) as caught:
            queue.submit(name)
        assert caught.value.name == "PREFOP_ERROR_ARGUMENT" and "persistent_id" in caught.value.message
        assert queue.pending() == 0


def test_null(prefop: Prefop, server: StubServer) -> None:
    c, error, done = prefop.c, Error(), Completion()
    assert prefop.status_name(c.prefop_queue_new(None, None, error)) == "PREFOP_ERROR_ARGUMENT"
    assert prefop.status_name(c.prefop_queue_submit(None, b"a", 0, None, error)) == "PREFOP_ERROR_ARGUMENT"
    assert b"queue is NULL" in error.message
    assert prefop.status_name(c.prefop_queue_next(None, 0, done, error)) == "PREFOP_ERROR_ARGUMENT"
    assert prefop.status_name(c.prefop_queue_fd(None)) == "PREFOP_ERROR_ARGUMENT"
    assert c.prefop_queue_pending(None) == 0 and c.prefop_queue_cancel(None, 0) == 0
    c.prefop_queue_wakeup(None)
    c.prefop_queue_free(None)
    with opened(prefop, server) as (_, queue):
        queue.submit("echo.1")
        assert prefop.status_name(c.prefop_queue_submit(queue.handle, None, 0, None, error)) == "PREFOP_ERROR_ARGUMENT"
        for bad in (None, Completion(struct_size=8)):
            status = c.prefop_queue_next(queue.handle, ENOUGH_MS, bad, error)
            assert prefop.status_name(status) == "PREFOP_ERROR_ARGUMENT" and b"completion" in error.message
        small = Error(struct_size=8)
        assert prefop.status_name(c.prefop_queue_next(queue.handle, 0, done, small)) == "PREFOP_ERROR_ARGUMENT"
        assert [outcome(result) for _, result in drained(queue)] == ["echo.1"], "nothing was lost"


def test_details_may_be_left_out(prefop: Prefop, server: StubServer) -> None:
    with opened(prefop, server) as (_, queue):
        queue.submit("status.612", 4)
        done = Completion()
        assert prefop.c.prefop_queue_next(queue.handle, ENOUGH_MS, done, None) == 1
        assert (done.tag, prefop.status_name(done.status)) == (4, "PREFOP_ERROR_NOT_FOUND")
