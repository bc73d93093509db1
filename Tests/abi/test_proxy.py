"""Proxies: given or from the environment, for http and for https hosts."""

from typing import Any

import pytest
from prefop_binding import NO_ENVIRONMENT, Prefop, PrefopError
from proxy import Proxy
from server import ACCESS_KEY, SECRET_KEY, StubServer

KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
USER, PASSWORD = "proxy-user", "proxy-password"
HTTP_VARIABLES = ["http_proxy", "all_proxy", "ALL_PROXY"]
HTTPS_VARIABLES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]


def ask(prefop: Prefop, server: StubServer, id: str = "echo.1", **options: Any) -> Any:
    url = server.https_url or server.http_url
    options |= {"api_hosts": url, "ca_file": server.ca_file, "max_attempts": 1, **KEYS}
    with prefop.client(**options) as client:
        return client.query(id)


def failure(prefop: Prefop, server: StubServer, **options: Any) -> PrefopError:
    with pytest.raises(PrefopError) as caught:
        ask(prefop, server, **options)
    for secret in (PASSWORD, SECRET_KEY):
        assert secret not in str(caught.value.fields), "a secret is shown"
    return caught.value


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_http_host(prefop: Prefop, server: StubServer, scheme: str) -> None:
    """The request line has the whole URL; what the origin gets is signed right."""
    with Proxy() as proxy:
        task = ask(prefop, server, "echo.视 频&x", proxy=scheme + proxy.address)
        (line,) = proxy.request_lines()
    assert task["persistent_id"] == "echo.视 频&x"
    target = "/status/get/prefop?id=echo.%E8%A7%86+%E9%A2%91%26x"
    assert line == f"GET {server.http_url}{target} HTTP/1.1"
    assert [r.verdict for r in server.requests] == ["verified"]
    assert server.requests[0].header("host") == server.http_url.partition("//")[2]


def test_https_host(prefop: Prefop, tls_server: StubServer) -> None:
    """A tunnel: the proxy sees neither the path nor the key."""
    with Proxy() as proxy:
        ask(prefop, tls_server, proxy=proxy.address)
        (head,) = proxy.requests
    assert head.startswith(f"CONNECT {tls_server.https_url.partition('//')[2]} HTTP/1.1\r\n")
    assert "Authorization: Qiniu" not in head and ACCESS_KEY not in head
    assert "/status" not in head and "X-Qiniu" not in head
    assert [r.verdict for r in tls_server.requests] == ["verified"]


def test_keep_alive_through_a_tunnel(prefop: Prefop, tls_server: StubServer) -> None:
    options = {"api_hosts": tls_server.https_url, "ca_file": tls_server.ca_file}
    with Proxy() as proxy, prefop.client(**options, proxy=proxy.address, **KEYS) as client:
        for number in range(5):
            client.query(f"echo.{number}")
        assert len(proxy.requests) == 1
    assert tls_server.connections.accepted == 1


@pytest.mark.parametrize("secure", [False, True])
def test_credentials_of_the_proxy(prefop: Prefop, server: StubServer, tls_server: StubServer, secure: bool) -> None:
    asked = tls_server if secure else server
    with Proxy(f"{USER}:{PASSWORD}") as proxy:
        given = f"http://{USER}:{PASSWORD}@{proxy.address}"
        assert ask(prefop, asked, proxy=given)["code"] == 0
        error = failure(prefop, asked, proxy=f"http://{USER}:{PASSWORD}x@{proxy.address}")
        assert PASSWORD not in error.message
    assert [r.verdict for r in asked.requests] == ["verified"]
    assert asked.requests[0].header("proxy-authorization") is None


def test_proxy_that_refuses_an_http_host(prefop: Prefop, server: StubServer) -> None:
    with Proxy(refuse=403) as proxy:
        error = failure(prefop, server, proxy=proxy.address)
    assert (error.name, error.http_status) == ("PREFOP_ERROR_FORBIDDEN", 403)


def test_proxy_that_refuses_a_tunnel(prefop: Prefop, tls_server: StubServer) -> None:
    """Its status is not the service's."""
    for status in (403, 407, 502, 200 + 412):
        with Proxy(refuse=status) as proxy:
            error = failure(prefop, tls_server, proxy=proxy.address)
        assert error.name in ("PREFOP_ERROR_CONNECT", "PREFOP_ERROR_TRANSFER"), error
        assert error.request_id == "", "that of the proxy"
    assert tls_server.total == 0


def test_no_proxy_there(prefop: Prefop, server: StubServer, tls_server: StubServer) -> None:
    for asked in (server, tls_server):
        error = failure(prefop, asked, proxy=f"http://{USER}:{PASSWORD}@127.0.0.1:1")
        assert error.name == "PREFOP_ERROR_CONNECT"
        error = failure(prefop, asked, proxy=f"http://{USER}:{PASSWORD}@not-there.invalid:1")
        assert error.name == "PREFOP_ERROR_RESOLVE"


@pytest.mark.parametrize("variable", HTTP_VARIABLES)
def test_environment_for_http(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv(variable, proxy.address)
        ask(prefop, server)
        assert len(proxy.requests) == 1
        ask(prefop, server, proxy="")
        ask(prefop, server, flags=NO_ENVIRONMENT)
        assert len(proxy.requests) == 1


@pytest.mark.parametrize("variable", HTTPS_VARIABLES)
def test_environment_for_https(
    prefop: Prefop, tls_server: StubServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv(variable, f"http://{proxy.address}")
        ask(prefop, tls_server)
        assert len(proxy.requests) == 1
        ask(prefop, tls_server, proxy="")
        assert len(proxy.requests) == 1


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "https_proxy", "HTTPS_PROXY"])
def test_variables_not_for_http(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """HTTP_PROXY in capitals could be a request's "Proxy" header in a CGI program."""
    monkeypatch.setenv(variable, "127.0.0.1:1")
    ask(prefop, server)


@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("value", ["127.0.0.1", "*", "example.com, 127.0.0.1", "127.0.0.0/8"])
def test_no_proxy(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("http_proxy", "127.0.0.1:1")
    monkeypatch.setenv(variable, value)
    ask(prefop, server)


def test_no_proxy_for_other_hosts_and_not_for_a_given_proxy(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        monkeypatch.setenv("no_proxy", "example.com,127.0.0.2")
        ask(prefop, server)
        monkeypatch.setenv("no_proxy", "*")
        ask(prefop, server, proxy=proxy.address)
        assert len(proxy.requests) == 2


def test_variables_that_count_for_nothing_when_empty(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("http_proxy", "")
        monkeypatch.setenv("all_proxy", "")
        monkeypatch.setenv("ALL_PROXY", proxy.address)
        ask(prefop, server)
        assert len(proxy.requests) == 1


def test_fail_over_between_an_http_and_an_https_host(
    prefop: Prefop, server: StubServer, tls_server: StubServer
) -> None:
    hosts = f"http://127.0.0.1:1,{tls_server.https_url},{server.http_url}"
    with Proxy() as proxy:
        options = {"api_hosts": hosts, "ca_file": tls_server.ca_file, "proxy": proxy.address}
        with prefop.client(**options, max_attempts=1, **KEYS) as client:
            for _ in range(2):
                assert client.query("echo.1")["code"] == 0
