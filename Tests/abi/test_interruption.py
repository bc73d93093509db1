"""A signal that ends a query while it pauses between two attempts."""

import signal
import threading

from prefop_binding import INTERRUPTIBLE, Error, Prefop, PrefopError
from server import ACCESS_KEY, SECRET_KEY, StubServer

KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}


def interrupted(prefop: Prefop, server: StubServer, name: str, requests: int = 1) -> Error:
    """The error of a query that is interrupted after so many requests."""
    over = threading.Event()

    def interrupt() -> None:
        server.wait_for(lambda: server.total >= requests, timeout=10)
        # One signal may come before the pause has begun, so until it is heeded.
        while not over.wait(0.01):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    thread = threading.Thread(target=interrupt)
    error = Error()
    try:
        with prefop.client(api_hosts=server.http_url, max_attempts=100, **KEYS) as client:
            thread.start()
            try:
                client.query(name, error, flags=INTERRUPTIBLE)
            except PrefopError:
                pass
            finally:
                over.set()
                thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    return error


def test_what_the_last_answer_said_is_kept(prefop: Prefop, server: StubServer) -> None:
    error = interrupted(prefop, server, "status.503.retry-after.20")
    assert prefop.status_name(error.status) == "PREFOP_ERROR_INTERRUPTED", error.fields
    assert (error.http_status, error.retry_after_ms, error.retryable) == (503, 20_000, 1), error.fields
    assert error.request_id == server.requests[-1].reqid.encode()


def test_the_message_is_of_the_interruption(prefop: Prefop, server: StubServer) -> None:
    """Not of the transfer that failed before; by then the pauses are long."""
    error = interrupted(prefop, server, "fault.reset", requests=5)
    assert error.message == b"a signal interrupted the query", error.fields


def test_a_host_is_not_to_blame_for_a_signal(prefop: Prefop, server: StubServer, closed_port: str) -> None:
    over = threading.Event()

    def interrupt() -> None:
        server.wait_for(lambda: server.total >= 1, timeout=10)
        while not over.wait(0.01):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    thread = threading.Thread(target=interrupt)
    error = Error()
    try:
        with prefop.client(api_hosts=f"{server.http_url},{closed_port}", **KEYS) as client:
            thread.start()
            try:
                client.query("fault.hang", error, flags=INTERRUPTIBLE)
            except PrefopError:
                pass
            finally:
                over.set()
                thread.join()
            assert prefop.status_name(error.status) == "PREFOP_ERROR_INTERRUPTED", error.fields
            client.query("echo.1", error)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert error.attempts == 1, "the host is asked first again"
