"""Waiting for the end of a task: what ends it, what does not, and what is handed out."""

import signal
import threading
import time
from collections.abc import Callable
from ctypes import POINTER
from typing import Any

import pytest
from prefop_binding import (
    EACH_CHANGE,
    INTERRUPTIBLE,
    UNTIL_FINISHED,
    Client,
    Error,
    Prefop,
    PrefopError,
    QueryOptions,
    Task,
)
from server import ACCESS_KEY, SECRET_KEY, StubServer

KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
QUICK = {"poll_min_ms": 5, "poll_max_ms": 20, "timeout_ms": 60_000}
DAY = 86_400_000


@pytest.fixture
def client(prefop: Prefop, server: StubServer) -> Any:
    """Each poll is one request: what may pass is not tried again within it."""
    with prefop.client(api_hosts=server.http_url, max_attempts=1, **KEYS) as made:
        yield made


@pytest.mark.parametrize(
    ("id", "code"), [("z0.finished", 0), ("z0.partly", 0), ("z0.failed", 3), ("z0.undelivered", 4)]
)
def test_a_finished_task_is_asked_for_once(client: Client, server: StubServer, id: str, code: int) -> None:
    status, task, error = client.wait(id)
    assert status == "PREFOP_OK", error
    assert task and (task["persistent_id"], task["code"]) == (id, code)
    assert error["attempts"] == 1 and server.total == 1


def test_until_the_task_is_finished(client: Client, server: StubServer) -> None:
    status, task, error = client.wait("flaky.3.z0.running.wait", **QUICK)
    assert status == "PREFOP_OK", error
    assert task and task["code"] == 0
    assert (error["attempts"], error["retryable"], error["message"]) == (4, 0, ""), error
    assert server.total == 4 and server.connections.accepted == 1


def test_a_query_that_waits(client: Client, server: StubServer) -> None:
    error = Error()
    task = client.query("flaky.2.z0.waiting.query", error, flags=UNTIL_FINISHED, **QUICK)
    assert task["code"] == 0 and error.attempts == 3 and server.total == 3
    assert client.query("z0.waiting", **QUICK)["code"] == 1, "pauses alone make no wait"
    status, task, _ = client.wait("z0.finished", flags=UNTIL_FINISHED)
    assert status == "PREFOP_OK" and task


def test_each_change_is_for_queues(client: Client, server: StubServer) -> None:
    status, _, error = client.wait("z0.finished", flags=EACH_CHANGE)
    assert status == "PREFOP_ERROR_ARGUMENT" and "flags has EACH_CHANGE" in error["message"]
    assert server.total == 0


PASSING = [
    *("status.503", "status.599", "status.429", "status.573", "status.429.retry-after.0", "status.702"),
    *("status.200.bare", "fault.reset", "fault.half-body", "fault.hijacked", "fault.html", "fault.malformed"),
    *("fault.close-before", "fault.garbage", "status.612", "status.404"),
]


@pytest.mark.parametrize("form", PASSING)
def test_what_may_pass_does_not_end_it(client: Client, server: StubServer, form: str) -> None:
    status, task, error = client.wait(f"flaky.2.{form}.passing", **QUICK)
    assert status == "PREFOP_OK", error
    assert task and task["code"] == 0
    assert error["attempts"] == server.total == 3, error
    assert (error["retryable"], error["retry_after_ms"], error["message"]) == (0, 0, ""), error


FINAL = {
    "status.400": "BAD_REQUEST",
    "status.401": "UNAUTHORIZED",
    "status.403": "FORBIDDEN",
    "status.501": "SERVER",
    "status.579": "SERVER",
    "status.630": "HTTP",
    "status.302": "HTTP",
}


@pytest.mark.parametrize("id", FINAL)
def test_what_will_not_change_ends_it(client: Client, server: StubServer, id: str) -> None:
    status, task, error = client.wait(id, **QUICK)
    assert (status, task) == (f"PREFOP_ERROR_{FINAL[id]}", None), error
    assert server.total == 1 and error["retryable"] == 0


def test_an_answer_that_is_too_large_ends_it(prefop: Prefop, server: StubServer) -> None:
    with prefop.client(api_hosts=server.http_url, max_response_bytes=1_000, **KEYS) as client:
        status, task, _ = client.wait("fault.big.100000", **QUICK)
    assert (status, task, server.total) == ("PREFOP_ERROR_TOO_LARGE", None, 1)


def test_no_keys_end_it(prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with prefop.client(api_hosts=server.http_url) as client:
        status, task, _ = client.wait("echo.1")
    assert (status, task, server.total) == ("PREFOP_ERROR_CREDENTIALS", None, 0)


def test_an_unknown_task_ends_it_after_a_grace(client: Client, server: StubServer) -> None:
    """The one long test: the time in which a fresh task may be unknown is ten seconds."""
    status, task, error = client.wait("no-such-task", poll_min_ms=5_100, poll_max_ms=5_100)
    assert (status, task) == ("PREFOP_ERROR_NOT_FOUND", None), error
    assert server.total == 3 and "no such task" in error["message"], error


# Time.


def test_the_last_answer_is_handed_out_when_time_is_over(client: Client, server: StubServer) -> None:
    status, task, error = client.wait("z0.running.over", **QUICK | {"timeout_ms": 200})
    assert status == "PREFOP_ERROR_TIMEOUT", error
    assert task and (task["persistent_id"], task["code"], len(task["items"])) == ("z0.running.over", 2, 3)
    assert error["message"] == "not finished within 200 ms: code 2, processing"
    assert error["retryable"] == 1 and error["attempts"] == server.total, error
    assert (error["http_status"], error["request_id"]) == (200, server.requests[-1].reqid)


def test_a_query_that_waits_hands_it_out_too(prefop: Prefop, client: Client) -> None:
    task, error = POINTER(Task)(), Error()
    options = QueryOptions(flags=UNTIL_FINISHED, **QUICK | {"timeout_ms": 200})
    status = prefop.c.prefop_query(client.handle, b"z0.running", options, task, error)
    assert prefop.status_name(status) == "PREFOP_ERROR_TIMEOUT", error.message
    assert task and task.contents.code == 2
    prefop.c.prefop_task_free(task)


def test_nothing_is_handed_out_when_no_answer_came(client: Client, server: StubServer, closed_port: str) -> None:
    status, task, error = client.wait("fault.hang", **QUICK | {"timeout_ms": 150})
    assert (status, task) == ("PREFOP_ERROR_TIMEOUT", None), error
    assert error["message"].startswith("not finished within 150 ms; the last poll: no answer"), error
    assert server.wait_for(lambda: server.connections.open == 0)
    status, task, error = client.wait("status.612", **QUICK | {"timeout_ms": 100})
    assert (status, task, error["http_status"]) == ("PREFOP_ERROR_TIMEOUT", None, 612), error
    assert "HTTP 612" in error["message"], error


def test_the_last_answer_outlives_polls_that_fail(prefop: Prefop) -> None:
    server = StubServer().start()
    try:
        with prefop.client(api_hosts=server.http_url, **KEYS) as client:
            thread = threading.Thread(target=lambda: (server.wait_for(lambda: server.total >= 2), server.stop()))
            thread.start()
            status, task, error = client.wait("z0.running", **QUICK | {"timeout_ms": 2_000})
            thread.join()
    finally:
        server.stop()
    assert status == "PREFOP_ERROR_TIMEOUT" and task and task["code"] == 2, error
    assert "the last poll: 127.0.0.1:" in error["message"] or "the last poll: localhost:" in error["message"], error


def test_what_ends_it_takes_the_last_answer_back(client: Client, server: StubServer) -> None:
    """A key pair that is replaced counts from the next poll on."""

    def change() -> None:
        server.wait_for(lambda: server.total >= 2)
        client.set_credentials("another", "pair")

    thread = threading.Thread(target=change)
    thread.start()
    status, task, error = client.wait("z0.running", **QUICK)
    thread.join()
    assert (status, task) == ("PREFOP_ERROR_UNAUTHORIZED", None), error


def test_each_poll_has_the_time_of_a_query(prefop: Prefop, server: StubServer) -> None:
    with prefop.client(api_hosts=server.http_url, timeout_ms=100, **KEYS) as client:
        status, task, error = client.wait("flaky.2.fault.hang.poll", **QUICK)
    assert status == "PREFOP_OK" and task, error
    assert error["attempts"] == 3, error


@pytest.mark.parametrize("time", [0, -1, -(2**63), 31 * DAY, 2**53, 2**63 - 1])
def test_long_times(client: Client, server: StubServer, time: int) -> None:
    status, task, error = client.wait(f"flaky.2.z0.running.{time}", poll_min_ms=5, poll_max_ms=5, timeout_ms=time)
    assert status == "PREFOP_OK" and task and task["code"] == 0, error


def test_a_tiny_time(prefop: Prefop, closed_port: str) -> None:
    with prefop.client(api_hosts=closed_port, **KEYS) as client:
        status, task, error = client.wait("z0.running", timeout_ms=1)
    assert (status, task) == ("PREFOP_ERROR_TIMEOUT", None), error


# When it asks.


def test_an_old_task_is_not_asked_for_at_once_again(client: Client, server: StubServer) -> None:
    """Its creationDate is years ago; that of the other is absent."""
    times = {"poll_min_ms": 10, "timeout_ms": 1_500}
    status, task, error = client.wait("z0.running", **times)
    assert status == "PREFOP_ERROR_TIMEOUT" and task and task["created_at"].startswith("2024"), error
    assert server.total == 2, "at once, and a second before the end"
    server.clear()
    status, task, error = client.wait("sample.1", **times)
    assert status == "PREFOP_ERROR_TIMEOUT" and task and task["created_at"] == "", error
    assert server.total > 5


def test_the_service_is_heeded_when_it_asks_to_wait(prefop: Prefop, server: StubServer) -> None:
    """Also beyond poll_max_ms; a query has no time for that, the wait has."""
    began = time.monotonic()
    with prefop.client(api_hosts=server.http_url, timeout_ms=500, **KEYS) as client:
        status, task, error = client.wait("flaky.1.status.429.retry-after.1.heed", **QUICK)
    assert status == "PREFOP_OK" and task, error
    assert error["attempts"] == 2 and time.monotonic() - began >= 1


def test_a_pause_that_outlasts_the_wait(prefop: Prefop, server: StubServer) -> None:
    with prefop.client(api_hosts=server.http_url, timeout_ms=500, **KEYS) as client:
        status, task, error = client.wait("status.429.retry-after.3600", **QUICK | {"timeout_ms": 300})
    assert (status, task, server.total) == ("PREFOP_ERROR_TIMEOUT", None, 1), error
    assert (error["http_status"], error["retry_after_ms"]) == (429, 3_600_000), error


def test_many_waits_at_once(client: Client, server: StubServer) -> None:
    """On one client; no connection is held during a pause."""
    results: list[str] = []

    def wait(number: int) -> None:
        results.append(client.wait(f"flaky.5.z0.running.{number}", **QUICK)[0])

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["PREFOP_OK"] * 16
    assert server.total == 16 * 6


# Signals.


def signalled(server: StubServer, wait: Callable[[], Any], requests: int = 1) -> Any:
    """What a wait returns that is sent signals from so many requests on, until it returns."""
    over = threading.Event()

    def send() -> None:
        server.wait_for(lambda: server.total >= requests)
        # One may come before the pause has begun, so until it is heeded.
        while not over.wait(0.01):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        return wait()
    finally:
        over.set()
        thread.join()
        signal.signal(signal.SIGUSR1, before)


def test_a_signal_ends_it(client: Client, server: StubServer) -> None:
    """In a pause, with the last answer; in a request, without one."""

    def wait(id: str) -> Any:
        server.clear()
        return signalled(server, lambda: client.wait(id, flags=INTERRUPTIBLE, poll_min_ms=60_000))

    status, task, error = wait("sample.1")
    assert status == "PREFOP_ERROR_INTERRUPTED" and task and task["code"] == 1, error
    assert (error["message"], error["retryable"]) == ("a signal interrupted the wait", 1), error
    status, task, error = wait("fault.hang")
    assert (status, task) == ("PREFOP_ERROR_INTERRUPTED", None), error


def test_signals_are_of_no_account_unless_asked_for(client: Client, server: StubServer) -> None:
    status, task, error = signalled(
        server, lambda: client.wait("flaky.3.z0.running.signal", poll_min_ms=50, poll_max_ms=50)
    )
    assert status == "PREFOP_OK" and task, error
    assert server.total == 4


def test_a_client_is_free_for_others_during_a_pause(client: Client, server: StubServer) -> None:
    over = threading.Event()

    def wait() -> None:
        client.wait("sample.1", poll_min_ms=100, timeout_ms=300)
        over.set()

    thread = threading.Thread(target=wait)
    thread.start()
    while not over.is_set():
        try:
            client.query("echo.1")
        except PrefopError as error:
            pytest.fail(str(error))
    thread.join()
    assert server.connections.accepted <= 2, "the wait keeps a connection to itself"
