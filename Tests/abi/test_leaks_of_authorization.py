"""A signature goes to the hosts that the client was given, and to nobody else.

Wherever a host, a proxy or whoever is in between would like to lead a request,
a trap stands there.
"""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from gateway import Gateway
from prefop_binding import Prefop, PrefopError
from relay import Relay
from server import ACCESS_KEY, SECRET_KEY, Answer, StubServer, tasks

KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
PATH = "/status/get/prefop?id=echo.1"


@pytest.fixture(scope="module")
def trap() -> Iterator[StubServer]:
    """Whoever connects to it has been led astray."""
    with StubServer(tls=True) as trap:
        yield trap
        assert trap.connections.accepted == 0, trap.requests


def ask(prefop: Prefop, hosts: Any, **options: Any) -> PrefopError | None:
    """Asks twice, since something may be remembered; what came of it last."""
    failure = None
    with prefop.client(api_hosts=hosts, max_attempts=2, **KEYS, **options) as client:
        for _ in range(2):
            try:
                client.query("echo.1")
                failure = None
            except PrefopError as error:
                assert SECRET_KEY not in str(error.fields), "a secret is shown"
                failure = error
    return failure


# What a host answers.


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("code", [200, 201, 300, 301, 302, 303, 305, 306, 307, 308, 401, 407, 429, 503])
def test_location(prefop: Prefop, server: StubServer, trap: StubServer, code: int, scheme: str) -> None:
    url = trap.http_url if scheme == "http" else trap.https_url
    fields = [(name, f"{url}{PATH}") for name in ("Location", "Content-Location", "URI")]
    fields += [("Refresh", f"0; url={url}{PATH}"), ("Link", f"<{url}{PATH}>; rel=canonical")]
    server.fault = Answer(code, tasks.echo("echo.1")).having(*fields)
    failure = ask(prefop, server.http_url)
    assert (failure is None) == (code in (200, 201)), failure
    assert trap.connections.accepted == 0


def test_location_after_tls(prefop: Prefop, tls_server: StubServer, trap: StubServer) -> None:
    """Neither to another host nor to the same one without TLS."""
    for url in (trap.http_url, trap.https_url, tls_server.http_url):
        tls_server.fault = Answer(302).having(("Location", f"{url}{PATH}"))
        tls_server.clear()
        ask(prefop, tls_server.https_url, ca_file=tls_server.ca_file)
        assert {record.header("host") for record in tls_server.requests} == {_host(tls_server.https_url)}
        assert trap.connections.accepted == 0


def test_alternative_services(prefop: Prefop, tls_server: StubServer, trap: StubServer) -> None:
    """RFC 7838 would have the next request go there."""
    port = str(trap.https_url).rpartition(":")[2]
    service = ("Alt-Svc", f'h2=":{port}"; ma=3600, http/1.1=":{port}"; ma=3600')
    tls_server.fault = Answer(200, tasks.echo("echo.1")).having(service)
    assert ask(prefop, tls_server.https_url, ca_file=tls_server.ca_file) is None
    assert tls_server.total == 2 and trap.connections.accepted == 0


# Who is in between.


def test_a_tunnel_shows_nothing(prefop: Prefop, tls_server: StubServer) -> None:
    host = _host(tls_server.https_url)
    with Gateway({host: _port(host)}) as gateway:
        assert ask(prefop, tls_server.https_url, ca_file=tls_server.ca_file, proxy=gateway.address) is None
    assert gateway.asked and all(each.is_tunnel for each in gateway.asked)
    assert not any(each.shows_authorization for each in gateway.asked), gateway.asked


def test_a_tunnel_that_leads_elsewhere(prefop: Prefop, tls_server: StubServer, trap: StubServer) -> None:
    """To a host with another authority's certificate, or one for another name."""
    host = _host(tls_server.https_url)
    with StubServer(tls=True) as unknown, StubServer(tls=True, certificate="wrong-host") as other:
        for wrong, ca_file in ((unknown, tls_server.ca_file), (other, other.ca_file)):
            with Gateway({host: _port(_host(wrong.https_url))}) as gateway:
                failure = ask(prefop, tls_server.https_url, ca_file=ca_file, proxy=gateway.address)
            assert failure and failure.name == "PREFOP_ERROR_TLS", failure
            assert wrong.connections.accepted > 0 and wrong.total == 0, wrong.requests
            assert not any(each.shows_authorization for each in gateway.asked), gateway.asked


@pytest.mark.parametrize("code", [301, 302, 307, 401, 407, 502])
def test_a_proxy_that_redirects(prefop: Prefop, tls_server: StubServer, trap: StubServer, code: int) -> None:
    fields = [("Location", f"{trap.http_url}{PATH}"), ("Proxy-Authenticate", "Basic realm=stub")]
    fields += [("WWW-Authenticate", "Basic realm=stub")]
    with StubServer(fault=Answer(code).having(*fields)) as proxy:
        failure = ask(prefop, tls_server.https_url, ca_file=tls_server.ca_file, proxy=_host(proxy.http_url))
        assert failure
        assert all(record.method == "CONNECT" for record in proxy.requests) and proxy.requests
        assert {record.header("authorization") for record in proxy.requests} == {None}
    assert tls_server.total == 0 and trap.connections.accepted == 0


@pytest.mark.parametrize("fault", ["port.refused", "port.reset", "status.502", "fault.close-before"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_way_around_a_proxy(prefop: Prefop, tls_server: StubServer, fault: str, scheme: str) -> None:
    """A network that one must not use without it may be watched."""
    url = tls_server.http_url if scheme == "http" else tls_server.https_url
    with StubServer(fault=fault) as proxy:
        assert ask(prefop, url, ca_file=tls_server.ca_file, proxy=_host(proxy.http_url))
    assert tls_server.connections.accepted == 0


# TLS.


class Eavesdropper(Relay):
    """Keeps what each connection sends first, and then ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[bytes] = []

    def serve(self, peer: socket.socket) -> None:
        self.heard.append(peer.recv(1 << 16))
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("scheme", ["", "https://"])
def test_no_plain_text_where_tls_fails(prefop: Prefop, scheme: str) -> None:
    with Eavesdropper() as eavesdropper:
        failure = ask(prefop, scheme + eavesdropper.address)
        assert failure and failure.name in ("PREFOP_ERROR_TLS", "PREFOP_ERROR_TRANSFER"), failure
        tls_handshake = b"\x16\x03"
        assert eavesdropper.heard
        assert all(data.startswith(tls_handshake) for data in eavesdropper.heard), eavesdropper.heard


@pytest.mark.parametrize("certificate", ["expired", "self-signed", "wrong-host"])
def test_no_request_to_who_is_not_trusted(prefop: Prefop, certificate: str) -> None:
    with StubServer(tls=True, certificate=certificate) as wrong:
        failure = ask(prefop, f"{wrong.https_url},{wrong.https_url}", ca_file=wrong.ca_file)
        assert failure and failure.name == "PREFOP_ERROR_TLS", failure
        assert wrong.connections.accepted > 0 and wrong.total == 0, wrong.requests


def _host(url: str | None) -> str:
    return str(url).partition("//")[2]


def _port(host: str) -> int:
    return int(host.rpartition(":")[2])
