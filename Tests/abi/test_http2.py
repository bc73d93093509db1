"""HTTP/2, as a real server speaks it: nginx in front of the stub."""

from collections.abc import Iterator
from typing import Any

import pytest
from prefop_binding import Error, Prefop, PrefopError
from proxy import Proxy
from server import ACCESS_KEY, SECRET_KEY, StubServer
from server.nginx import Nginx
from socks import Socks


@pytest.fixture
def front(server: StubServer) -> Iterator[Nginx]:
    with Nginx(upstream=server.http_url, logs=True) as nginx:
        yield nginx


def ask_together(prefop: Prefop, front: Nginx, origin: str, ids: list[str], **options: Any) -> list[str]:
    """What came of each, asked for in a queue: its id, or why there is none."""
    answers: dict[int, str] = {}
    with (
        prefop.client(
            api_hosts=origin, ca_file=str(front.ca_file), access_key=ACCESS_KEY, secret_key=SECRET_KEY, **options
        ) as client,
        client.queue() as queue,
    ):
        for tag, name in enumerate(ids):
            queue.submit(name, tag)
        while queue.pending():
            done = queue.next(60_000)
            assert done, f"{queue.pending()} are missing"
            tag, result = done
            answers[tag] = str(result) if isinstance(result, PrefopError) else result["persistent_id"]
    return [answers[tag] for tag in range(len(ids))]


def ask(
    prefop: Prefop, front: Nginx, origin: str, ids: list[str], **options: Any
) -> list[tuple[str | None, str]]:
    """The id in each answer, and the status."""
    answers = []
    with prefop.client(
        api_hosts=origin, ca_file=str(front.ca_file), access_key=ACCESS_KEY, secret_key=SECRET_KEY, **options
    ) as client:
        for name in ids:
            error = Error()
            try:
                answers.append((client.query(name, error)["persistent_id"], "PREFOP_OK"))
            except PrefopError:
                answers.append((None, prefop.status_name(error.status)))
    return answers


def test_http2_where_tls_offers_it(prefop: Prefop, front: Nginx) -> None:
    ids = [f"echo.{number}" for number in range(20)] + ["echo.a b&c", "status.612", "fault.gzip"]
    answers = ask(prefop, front, front.https, ids)
    expected = [(name, "PREFOP_OK") for name in ids]
    expected[ids.index("status.612")] = (None, "PREFOP_ERROR_NOT_FOUND")
    assert answers == expected
    requests = front.requests(len(ids))
    assert {protocol for protocol, *_ in requests} == {"HTTP/2.0"}, requests
    assert len({connection for _, connection, *_ in requests}) == 1, "one connection serves them all"


def test_http1_without_tls(prefop: Prefop, front: Nginx) -> None:
    assert ask(prefop, front, front.http, ["echo.1"]) == [("echo.1", "PREFOP_OK")]
    assert [protocol for protocol, *_ in front.requests(1)] == ["HTTP/1.1"]


@pytest.mark.parametrize("scheme", ["http", "socks4a", "socks5", "socks5h"])
def test_http2_through_a_proxy(prefop: Prefop, front: Nginx, scheme: str) -> None:
    """TLS, which offers HTTP/2, is spoken with the host and not with the proxy."""
    ids = [f"echo.{number}" for number in range(20)]
    with Proxy() if scheme == "http" else Socks() as proxy:
        answers = ask(prefop, front, front.https, ids, proxy=f"{scheme}://{proxy.address}")
        assert len(proxy.requests) == 1
    assert answers == [(name, "PREFOP_OK") for name in ids]
    requests = front.requests(len(ids))
    assert {protocol for protocol, *_ in requests} == {"HTTP/2.0"}, requests
    assert len({connection for _, connection, *_ in requests}) == 1, "one connection serves them all"


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("requests_each", [1, 2, 20])
def test_connections_that_end_lose_no_query(
    prefop: Prefop, server: StubServer, requests_each: int, secure: bool
) -> None:
    """HTTP/2 says GOAWAY, HTTP/1.1 Connection: close; either may cross the next request."""
    ids = [f"echo.{number}" for number in range(500)]
    with Nginx(upstream=server.http_url, logs=True, requests_each=requests_each) as front:
        answers = ask(prefop, front, front.https if secure else front.http, ids)
        requests = front.requests(len(ids))
    assert answers == [(name, "PREFOP_OK") for name in ids]
    assert {protocol for protocol, *_ in requests} == {"HTTP/2.0" if secure else "HTTP/1.1"}
    assert len({connection for _, connection, *_ in requests}) >= 500 // requests_each
    assert {record.verdict for record in server.requests} == {"verified"}


def test_a_queue_asks_over_one_connection(prefop: Prefop, front: Nginx) -> None:
    ids = [f"fault.slow.20.{number}" for number in range(64)] + [f"echo.{number}" for number in range(500)]
    assert ask_together(prefop, front, front.https, ids) == ids
    requests = front.requests(len(ids))
    assert {protocol for protocol, *_ in requests} == {"HTTP/2.0"}, requests
    assert len({connection for _, connection, *_ in requests}) == 1, "one connection serves them all"


@pytest.mark.parametrize("requests_each", [1, 20])
@pytest.mark.parametrize("secure", [False, True])
def test_connections_that_end_lose_nothing_of_a_queue(
    prefop: Prefop, server: StubServer, requests_each: int, secure: bool
) -> None:
    """A connection ends under up to 63 others."""
    ids = [f"echo.{number}" for number in range(5_000 if requests_each > 1 else 1_000)]
    with Nginx(upstream=server.http_url, requests_each=requests_each) as front:
        assert ask_together(prefop, front, front.https if secure else front.http, ids) == ids
