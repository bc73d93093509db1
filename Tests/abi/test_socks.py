"""SOCKS proxies: each version, who resolves the name, credentials, refusals."""

import itertools
import socket
from typing import Any

import pytest
from asking import KEYS, ask, failure
from prefop_binding import Error, Prefop, error_fields
from server import StubServer
from socks import PASSWORD_METHOD, Request, Socks

USER, PASSWORD = "proxy-user", "proxy-password"
SCHEMES = ["socks4", "socks4a", "socks5", "socks5h"]
SOCKS5 = ["socks5", "socks5h"]
RESOLVING = ["socks4a", "socks5h"]
"""Those where the proxy is told a name."""


def version(scheme: str) -> int:
    return int(scheme[5])


def origin(url: str) -> str:
    """Where the stub listens, as "address:port"."""
    return "127.0.0.1:" + url.rpartition(":")[2]


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_task_comes(
    prefop: Prefop, server: StubServer, tls_server: StubServer, scheme: str, secure: bool
) -> None:
    asked = tls_server if secure else server
    url = asked.https_url or asked.http_url
    target, _, port = url.partition("//")[2].partition(":")
    with Socks(origin=origin(url)) as proxy:
        task = ask(prefop, asked, "echo.视 频&x", proxy=f"{scheme}://{proxy.address}")
    assert task["persistent_id"] == "echo.视 频&x"
    (request,) = proxy.requests
    assert (request.version, request.port) == (version(scheme), int(port))
    if scheme in RESOLVING:
        assert request.target == target
    else:
        assert request.target in ("127.0.0.1", "::1"), "the name was to be resolved here"
    assert [r.verdict for r in asked.requests] == ["verified"]
    assert asked.requests[0].target.startswith("/status/get/prefop?id="), "not the whole URL"


@pytest.mark.parametrize("scheme", ["SOCKS5H", "Socks4a"])
def test_scheme_in_any_case(prefop: Prefop, server: StubServer, scheme: str) -> None:
    with Socks() as proxy:
        ask(prefop, server, proxy=f"{scheme}://{proxy.address}")
        assert len(proxy.requests) == 1


def test_socks_is_version_4(prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """So curl reads it, and so desktops name a SOCKS proxy in all_proxy."""
    with Socks() as proxy:
        ask(prefop, server, proxy=f"socks://{proxy.address}")
        monkeypatch.setenv("all_proxy", f"socks://{proxy.address}/")
        ask(prefop, server)
    assert [request.version for request in proxy.requests] == [4, 4]


@pytest.mark.parametrize("scheme", RESOLVING)
def test_a_name_that_only_the_proxy_knows(prefop: Prefop, server: StubServer, scheme: str) -> None:
    with Socks(origin=origin(server.http_url)) as proxy:
        hosts = "http://inside.invalid:8080"
        ask(prefop, server, proxy=f"{scheme}://{proxy.address}", api_hosts=hosts)
    assert [(r.target, r.port) for r in proxy.requests] == [("inside.invalid", 8080)]
    assert [(r.verdict, r.header("host")) for r in server.requests] == [("verified", "inside.invalid:8080")]


@pytest.mark.parametrize("scheme", ["socks4", "socks5"])
def test_a_name_that_is_not_known_here(prefop: Prefop, server: StubServer, scheme: str) -> None:
    with Socks(origin=origin(server.http_url)) as proxy:
        hosts = "http://inside.invalid:8080"
        error = failure(prefop, server, proxy=f"{scheme}://{proxy.address}", api_hosts=hosts)
        assert (error.name, error.curl_code) == ("PREFOP_ERROR_RESOLVE", 97), error.fields
        assert "resolve" in error.message and "inside.invalid" in error.message
        assert proxy.requests == []
        # It is left at once for one that is known.
        told = Error()
        both = {"api_hosts": f"{hosts},{server.http_url}", "proxy": f"{scheme}://{proxy.address}"}
        ask(prefop, server, error=told, **both)
        assert told.attempts == 2


@pytest.mark.parametrize("scheme", SOCKS5)
def test_credentials(prefop: Prefop, server: StubServer, scheme: str) -> None:
    with Socks(credentials=f"{USER}:{PASSWORD}") as proxy:
        ask(prefop, server, proxy=f"{scheme}://{USER}:{PASSWORD}@{proxy.address}")
        assert [(r.user, r.password) for r in proxy.requests] == [(USER, PASSWORD)]
    (record,) = server.requests
    assert not any(USER in value or PASSWORD in value for _, value in record.headers), record.headers


def test_credentials_are_unescaped(prefop: Prefop, server: StubServer) -> None:
    with Socks(credentials="us@er:p:a/s%s") as proxy:
        ask(prefop, server, proxy=f"socks5h://us%40er:p%3Aa%2Fs%25s@{proxy.address}")
        assert [(r.user, r.password) for r in proxy.requests] == [("us@er", "p:a/s%s")]


def test_credentials_are_not_sent_when_not_demanded(prefop: Prefop, server: StubServer) -> None:
    with Socks() as proxy:
        ask(prefop, server, proxy=f"socks5h://{USER}:{PASSWORD}@{proxy.address}")
        assert [(r.user, r.password) for r in proxy.requests] == [("", "")]
        ask(prefop, server, proxy=f"socks5h://{proxy.address}")
    assert [PASSWORD_METHOD in offered for offered in proxy.offers] == [True, False]


@pytest.mark.parametrize("scheme", ["socks4", "socks4a"])
def test_user_of_version_4(prefop: Prefop, server: StubServer, scheme: str) -> None:
    """It knows no password."""
    with Socks() as proxy:
        ask(prefop, server, proxy=f"{scheme}://{USER}:{PASSWORD}@{proxy.address}")
        assert [(r.user, r.password) for r in proxy.requests] == [(USER, "")]


@pytest.mark.parametrize("scheme", SOCKS5)
@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "No authentication method was acceptable"),
        (f"{USER}@", "User was rejected"),
        (f"{USER}:{PASSWORD}x@", "User was rejected"),
        (f"{USER}x:{PASSWORD}@", "User was rejected"),
        (f"{'u' * 256}:{PASSWORD}@", "Excessive user name length"),
        (f"{USER}:{PASSWORD + 'x' * 256}@", "Excessive password length"),
    ],
)
def test_credentials_that_are_not_accepted(
    prefop: Prefop, server: StubServer, scheme: str, given: str, reason: str
) -> None:
    with Socks(credentials=f"{USER}:{PASSWORD}") as proxy:
        address = f"{scheme}://{given}{proxy.address}"
        error = failure(prefop, server, proxy=address, max_attempts=4, secrets=(USER, PASSWORD, "uuu"))
    assert (error.name, error.curl_code, error.attempts) == ("PREFOP_ERROR_CONNECT", 97, 1), error.fields
    assert reason.replace(" ", "") in error.message.replace(" ", ""), error.message
    assert proxy.requests == [] and server.total == 0


REFUSALS = [("socks4", c) for c in (91, 92, 93, 0)] + [("socks5h", c) for c in range(1, 10)]


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(("scheme", "code"), REFUSALS)
def test_refusal(
    prefop: Prefop, server: StubServer, tls_server: StubServer, scheme: str, code: int, secure: bool
) -> None:
    """It is final for the host, and the code is told. None of them says that a name has no address."""
    asked = tls_server if secure else server
    with Socks(replies=itertools.repeat(code)) as proxy:
        address = f"{scheme}://{USER}:{PASSWORD}@{proxy.address}"
        error = failure(prefop, asked, proxy=address, max_attempts=4, secrets=(USER, PASSWORD))
    assert (error.name, error.curl_code, error.attempts) == ("PREFOP_ERROR_CONNECT", 97, 1), error.fields
    assert error.retryable == 1
    assert f"({code})" in error.message and f"SOCKS{version(scheme)}" in error.message, error.message
    assert len(proxy.requests) == 1 and asked.total == 0


@pytest.mark.parametrize(("scheme", "code"), [("socks4a", 91), ("socks5h", 5)])
def test_refusal_goes_on_to_the_next_host(prefop: Prefop, server: StubServer, scheme: str, code: int) -> None:
    hosts = f"http://elsewhere.invalid:1,{server.http_url}"
    with Socks(replies=[code]) as proxy:
        error = Error()
        ask(prefop, server, error=error, proxy=f"{scheme}://{proxy.address}", api_hosts=hosts)
    assert error.attempts == 2, error_fields(error)
    assert [request.target for request in proxy.requests] == ["elsewhere.invalid", "127.0.0.1"]


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_proxy_that_hangs(
    prefop: Prefop, server: StubServer, tls_server: StubServer, scheme: str, secure: bool
) -> None:
    """The time to connect counts: without it one attempt would use up all the time."""
    asked = tls_server if secure else server
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}"
        times = {"connect_timeout_ms": 100, "attempt_timeout_ms": -1, "timeout_ms": 60_000, "max_attempts": 2}
        error = failure(prefop, asked, proxy=address, secrets=(USER, PASSWORD), **times)
    assert (error.name, error.curl_code, error.attempts) == ("PREFOP_ERROR_TIMEOUT", 28, 2), error.fields


@pytest.mark.parametrize("scheme", SCHEMES)
def test_proxy_that_is_not_there(prefop: Prefop, server: StubServer, scheme: str) -> None:
    secrets = {"secrets": (USER, PASSWORD)}
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        given = f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{held.getsockname()[1]}"
        error = failure(prefop, server, proxy=given, **secrets)
    assert (error.name, error.curl_code) == ("PREFOP_ERROR_CONNECT", 7), error.fields
    error = failure(prefop, server, proxy=f"{scheme}://{USER}:{PASSWORD}@not-there.invalid:1", **secrets)
    assert error.name == "PREFOP_ERROR_RESOLVE" and "not-there.invalid" in error.message, error.fields


@pytest.mark.parametrize("scheme", RESOLVING)
def test_one_connection_for_many_queries(prefop: Prefop, tls_server: StubServer, scheme: str) -> None:
    options: dict[str, Any] = {"api_hosts": tls_server.https_url, "ca_file": tls_server.ca_file, **KEYS}
    with Socks(origin=origin(tls_server.https_url or "")) as proxy:
        with prefop.client(proxy=f"{scheme}://{proxy.address}", **options) as client:
            for number in range(20):
                client.query(f"echo.{number}")
    assert proxy.requests == [Request(version(scheme), "localhost", proxy.requests[0].port, "", "")]
    assert tls_server.connections.accepted == 1


@pytest.mark.parametrize("variable", ["https_proxy", "all_proxy", "ALL_PROXY"])
def test_environment(
    prefop: Prefop, tls_server: StubServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with Socks(origin=origin(tls_server.https_url or "")) as proxy:
        monkeypatch.setenv(variable, f"socks5h://{proxy.address}")
        ask(prefop, tls_server)
        assert len(proxy.requests) == 1
        ask(prefop, tls_server, proxy="")
        monkeypatch.setenv("no_proxy", "localhost")
        ask(prefop, tls_server)
        assert len(proxy.requests) == 1
