"""HTTP/2, as a real server speaks it: nginx in front of the stub."""

from collections.abc import Iterator

import pytest
from prefop_binding import Error, Prefop, PrefopError
from server import ACCESS_KEY, SECRET_KEY, StubServer
from server.nginx import Nginx


@pytest.fixture
def front(server: StubServer) -> Iterator[Nginx]:
    with Nginx(upstream=server.http_url, logs=True) as nginx:
        yield nginx


def ask(prefop: Prefop, front: Nginx, origin: str, ids: list[str]) -> list[tuple[str | None, str]]:
    """The id in each answer, and the status."""
    answers = []
    with prefop.client(
        api_hosts=origin, ca_file=str(front.ca_file), access_key=ACCESS_KEY, secret_key=SECRET_KEY
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
    requests = front.requests()
    assert {protocol for protocol, *_ in requests} == {"HTTP/2.0"}, requests
    assert len({connection for _, connection, *_ in requests}) == 1, "one connection serves them all"


def test_http1_without_tls(prefop: Prefop, front: Nginx) -> None:
    assert ask(prefop, front, front.http, ["echo.1"]) == [("echo.1", "PREFOP_OK")]
    assert [protocol for protocol, *_ in front.requests()] == ["HTTP/1.1"]
