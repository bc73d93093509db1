"""An answer of which the time for one attempt sees the head alone."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from asking import KEYS
from prefop_binding import Prefop, PrefopError
from relay import Relay


class Stalling(Relay):
    """Answers with a head, and nothing after it."""

    def __init__(self, head: str) -> None:
        super().__init__()
        self._head = head

    def serve(self, peer: socket.socket) -> None:
        while b"\r\n\r\n" not in peer.recv(1 << 16):
            pass
        peer.sendall(self._head.replace("\n", "\r\n").encode())
        with contextlib.suppress(OSError):
            while peer.recv(1 << 16):
                pass


def head(status: int, fields: str = "") -> str:
    return f"HTTP/1.1 {status} No\nX-Reqid: of-the-head\nContent-Length: 100\n{fields}\n"


@pytest.fixture(params=["blocking", "queue"])
def failure(request: Any, prefop: Prefop) -> Any:
    """What becomes of a query of a host that stalls."""

    def failure(head: str, **options: Any) -> PrefopError:
        times = {"attempt_timeout_ms": 150, "timeout_ms": 60_000, "max_attempts": 1}
        with Stalling(head) as host, opened(f"http://{host.address}", times | options) as client:
            if request.param == "blocking":
                with pytest.raises(PrefopError) as caught:
                    client.query("echo.1")
                return caught.value
            with client.queue() as queue:
                queue.submit("echo.1", 1)
                return queue.next(60_000)[1]

    @contextlib.contextmanager
    def opened(host: str, options: dict[str, Any]) -> Iterator[Any]:
        with prefop.client(api_hosts=host, proxy="", **options, **KEYS) as client:
            yield client

    return failure


def test_its_status_and_request_id_are_told(failure: Any) -> None:
    error = failure(head(200))
    assert error.name == "PREFOP_ERROR_TIMEOUT", error.fields
    assert (error.http_status, error.request_id) == (200, "of-the-head"), error.fields
    assert "HTTP 200" in error.message and "attempt" in error.message, error.message


def test_also_when_the_time_of_the_query_ends_it(failure: Any) -> None:
    error = failure(head(200), attempt_timeout_ms=-1, timeout_ms=150)
    assert error.name == "PREFOP_ERROR_TIMEOUT", error.fields
    assert (error.http_status, error.request_id) == (200, "of-the-head"), error.fields


@pytest.mark.parametrize(
    ("status", "name"),
    [(612, "PREFOP_ERROR_NOT_FOUND"), (401, "PREFOP_ERROR_UNAUTHORIZED"), (503, "PREFOP_ERROR_SERVER")],
)
def test_a_status_that_is_an_answer_needs_no_body(failure: Any, status: int, name: str) -> None:
    """As when the connection breaks behind the head."""
    error = failure(head(status))
    assert (error.name, error.http_status, error.request_id) == (name, status, "of-the-head"), error.fields


def test_what_it_asks_for_is_kept(failure: Any) -> None:
    error = failure(head(429, "Retry-After: 3600\n"))
    assert (error.name, error.retry_after_ms) == ("PREFOP_ERROR_RATE_LIMITED", 3_600_000), error.fields


@pytest.mark.parametrize("begun", ["HTTP/1.1 612 No\nX-Reqid: half-a-head\n", ""])
@pytest.mark.parametrize("before", ["HTTP/1.1 100 Continue\n\n", ""])
def test_a_head_that_is_not_complete_says_nothing(failure: Any, before: str, begun: str) -> None:
    error = failure(before + begun)
    assert (error.name, error.request_id) == ("PREFOP_ERROR_TIMEOUT", ""), error.fields
    assert error.http_status == 0, error.fields
