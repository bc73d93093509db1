"""Proxies: given or from the environment, for http and for https hosts."""

import pathlib
import socket

import pytest
from apart import ask_apart, preload
from asking import KEYS, ask, failure
from prefop_binding import NO_ENVIRONMENT, Prefop, PrefopError
from proxy import Proxy, basic
from server import ACCESS_KEY, StubServer
from server.authority import Authority

USER, PASSWORD = "proxy-user", "proxy-password"
SECRETS = (USER, PASSWORD, basic(f"{USER}:{PASSWORD}"))
HTTP_VARIABLES = ["http_proxy", "all_proxy", "ALL_PROXY"]
HTTPS_VARIABLES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]


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
        for wrong in (f"{USER}:{PASSWORD}x@", f"{USER}x:{PASSWORD}@", f"{USER}@", ""):
            failure(prefop, asked, proxy=f"http://{wrong}{proxy.address}", secrets=SECRETS)
    assert [r.verdict for r in asked.requests] == ["verified"]
    assert asked.requests[0].header("proxy-authorization") is None


@pytest.mark.parametrize("secure", [False, True])
def test_credentials_of_the_proxy_are_unescaped(
    prefop: Prefop, server: StubServer, tls_server: StubServer, secure: bool
) -> None:
    with Proxy("us@er:p:a/s%s") as proxy:
        ask(prefop, tls_server if secure else server, proxy=f"http://us%40er:p%3Aa%2Fs%25s@{proxy.address}")


def test_credentials_are_the_proxy_s_alone(prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is asked directly is not told them."""
    hosts = f"http://elsewhere.invalid:1,{server.http_url}"
    with Proxy(refuse=503) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{USER}:{PASSWORD}@{proxy.address}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        ask(prefop, server, api_hosts=hosts)
        assert f"\r\nProxy-Authorization: {basic(f'{USER}:{PASSWORD}')}\r\n" in proxy.requests[0]
    (record,) = server.requests
    assert [name for name, _ in record.headers if "proxy" in name.lower()] == []


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


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_proxy_there(prefop: Prefop, server: StubServer, tls_server: StubServer, scheme: str) -> None:
    for asked in (server, tls_server):
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            given = f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{held.getsockname()[1]}"
            error = failure(prefop, asked, proxy=given, secrets=SECRETS)
        assert error.name == "PREFOP_ERROR_CONNECT"
        given = f"{scheme}://{USER}:{PASSWORD}@not-there.invalid:1"
        error = failure(prefop, asked, proxy=given, secrets=SECRETS)
        assert error.name == "PREFOP_ERROR_RESOLVE"
        assert "proxy" in error.message and "not-there.invalid" in error.message


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_hangs(
    prefop: Prefop, server: StubServer, tls_server: StubServer, scheme: str, secure: bool
) -> None:
    """Time is left for a second attempt; the tunnel and its TLS count as connecting."""
    asked = tls_server if secure else server
    connects = secure or scheme == "https"
    times = {
        "connect_timeout_ms": 100 if connects else 0,
        "attempt_timeout_ms": -1 if connects else 100,
        "timeout_ms": 60_000,
    }
    with socket.create_server(("127.0.0.1", 0)) as silent:
        given = f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}"
        error = failure(prefop, asked, proxy=given, max_attempts=2, secrets=SECRETS, **times)
    assert (error.name, error.attempts) == ("PREFOP_ERROR_TIMEOUT", 2), error.fields


@pytest.mark.parametrize("secure", [False, True])
def test_proxy_that_speaks_tls(
    prefop: Prefop, server: StubServer, tls_server: StubServer, secure: bool
) -> None:
    """Its certificate is verified too, and its credentials go over TLS."""
    asked = tls_server if secure else server
    with Authority() as authority, Proxy(certificate=authority.certificate("good")) as proxy:
        given = f"https://{USER}:{PASSWORD}@{proxy.address}"
        error = failure(prefop, asked, proxy=given, max_attempts=4, secrets=SECRETS)
        assert (error.name, error.attempts) == ("PREFOP_ERROR_TLS", 1), error.fields
        assert proxy.requests == [] and asked.total == 0


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


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_variables_not_for_https(
    prefop: Prefop, tls_server: StubServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "127.0.0.1:1")
    ask(prefop, tls_server)


@pytest.mark.parametrize("variables", [HTTP_VARIABLES, HTTPS_VARIABLES])
def test_order_of_variables(
    prefop: Prefop,
    server: StubServer,
    tls_server: StubServer,
    monkeypatch: pytest.MonkeyPatch,
    variables: list[str],
) -> None:
    """The one of the scheme first, and small letters before capitals."""
    asked = server if variables is HTTP_VARIABLES else tls_server
    with Proxy() as proxy:
        for variable in reversed(variables):
            monkeypatch.setenv(variable, proxy.address)
            ask(prefop, asked)
            assert proxy.requests, f"{variable} does not come before those after it"
            proxy.requests.clear()
            monkeypatch.setenv(variable, "127.0.0.1:1")


def test_environment_is_read_when_the_client_is_made(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And never again, even for another thread's connection or after a failure."""
    options = {"api_hosts": server.http_url, "max_attempts": 1, **KEYS}
    with Proxy() as proxy, prefop.client(**options) as direct:
        monkeypatch.setenv("http_proxy", proxy.address)
        with prefop.client(**options) as proxied:
            monkeypatch.setenv("http_proxy", "127.0.0.1:1")
            monkeypatch.setenv("no_proxy", "*")
            for client, expected in ((direct, 0), (proxied, 2)):
                with pytest.raises(PrefopError):
                    client.query("fault.reset")
                client.query("echo.1")
                assert len(proxy.requests) == expected
            monkeypatch.delenv("http_proxy")
            proxied.query("echo.2")
            assert len(proxy.requests) == 3


@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("value", ["127.0.0.1", "*", "example.com, 127.0.0.1", "127.0.0.0/8", "127.0.0.0/31"])
def test_no_proxy(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("http_proxy", "127.0.0.1:1")
    monkeypatch.setenv(variable, value)
    ask(prefop, server)


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


@pytest.mark.parametrize("value", ["localhost", ".localhost", "LOCALHOST", "a.example,api.localhost", "api.localhost."])
def test_no_proxy_for_a_name(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """A domain counts for all names in it. libcurl itself knows that every name in localhost is this machine."""
    monkeypatch.setenv("http_proxy", "127.0.0.1:1")
    monkeypatch.setenv("no_proxy", value)
    ask(prefop, server, api_hosts=f"http://api.localhost:{port_of(server.http_url)}")


@pytest.mark.parametrize("value", ["pi.localhost", "api", "a.api.localhost", "127.0.0.1", "api.localhost.x"])
def test_no_proxy_for_another_name(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    with Proxy(origin=server.http_url.partition("//")[2]) as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        monkeypatch.setenv("no_proxy", value)
        ask(prefop, server, api_hosts=f"http://api.localhost:{port_of(server.http_url)}")
        assert len(proxy.requests) == 1


def test_no_proxy_for_ipv6(prefop: Prefop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1,::1")
    with StubServer(ipv6=True) as server:
        ask(prefop, server)


@pytest.mark.parametrize("value", ["example.com,127.0.0.2", "127.0.1.0/24", "10.0.0.0/8", "127.0.0", "::1", "27.0.0.1"])
def test_no_proxy_for_other_hosts(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        monkeypatch.setenv("no_proxy", value)
        ask(prefop, server)
        assert len(proxy.requests) == 1


def test_no_proxy_in_both_cases(prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small letters count before capitals."""
    with Proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        monkeypatch.setenv("no_proxy", "example.com")
        monkeypatch.setenv("NO_PROXY", "*")
        ask(prefop, server)
        assert len(proxy.requests) == 1


def test_no_proxy_does_not_touch_a_given_proxy(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("no_proxy", "*")
        ask(prefop, server, proxy=proxy.address)
        assert len(proxy.requests) == 1


def test_variables_that_count_for_nothing_when_empty(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("http_proxy", "")
        monkeypatch.setenv("all_proxy", "")
        monkeypatch.setenv("ALL_PROXY", proxy.address)
        ask(prefop, server)
        assert len(proxy.requests) == 1


UNUSABLE = [
    *(f"http://proxy-us%{byte}er:{PASSWORD}@127.0.0.1:1" for byte in ("00", "0a", "0D", "1f")),
    *(f"socks5://{USER}:proxy-pass%{byte}word@127.0.0.1:1" for byte in ("00", "0a", "0D", "1f")),
    *(f"{USER}:{PASSWORD}@127%{byte}.0.0.1:1" for byte in ("00", "0a")),
    *(f"ftp://{USER}:{PASSWORD}@127.0.0.1:1", f"http://{USER}:{PASSWORD}@", "not a proxy", " 127.0.0.1:1", ":1"),
    *("127.0.0.1:65536", "127.0.0.1:x", "[::1:1", "http://"),
]


@pytest.mark.parametrize("given", UNUSABLE)
def test_what_is_no_proxy(prefop: Prefop, server: StubServer, given: str) -> None:
    """Told when the client is made: libcurl would pass by some of these, and ask the host itself."""
    error = failure(prefop, server, proxy=given, secrets=(*SECRETS, "proxy-"))
    assert error.name == "PREFOP_ERROR_CONFIGURATION", error.fields
    assert error.message.startswith("options.proxy "), error.message
    assert server.total == 0


@pytest.mark.parametrize("variable", sorted({*HTTP_VARIABLES, *HTTPS_VARIABLES}))
@pytest.mark.parametrize("given", ["not a proxy", f"ftp://{USER}:{PASSWORD}@127.0.0.1:1", "http://a%0ab@127.0.0.1:1"])
def test_what_is_no_proxy_in_the_environment(
    prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch, variable: str, given: str
) -> None:
    monkeypatch.setenv(variable, given)
    error = failure(prefop, server, secrets=SECRETS)
    assert error.name == "PREFOP_ERROR_CONFIGURATION", error.fields
    assert error.message.startswith(f"{variable} "), error.message
    ask(prefop, server, proxy="")
    ask(prefop, server, flags=NO_ENVIRONMENT)


def test_fail_over_between_an_http_and_an_https_host(
    prefop: Prefop, server: StubServer, tls_server: StubServer
) -> None:
    hosts = f"http://127.0.0.1:1,{tls_server.https_url},{server.http_url}"
    with Proxy() as proxy:
        options = {"api_hosts": hosts, "ca_file": tls_server.ca_file, "proxy": proxy.address}
        with prefop.client(**options, max_attempts=1, **KEYS) as client:
            for _ in range(2):
                assert client.query("echo.1")["code"] == 0


@pytest.mark.parametrize("status", [302, 400, 403, 407, 502, 503, 504, 612])
def test_refused_tunnel_is_no_connection(
    prefop: Prefop, server: StubServer, tls_server: StubServer, status: int
) -> None:
    """As a refusal by SOCKS is, whatever the reason: the next host is asked at once."""
    with Proxy(refuse=status) as proxy:
        given = f"http://{USER}:{PASSWORD}@{proxy.address}"
        error = failure(prefop, tls_server, proxy=given, max_attempts=4, secrets=SECRETS)
        assert (error.name, error.attempts, error.retryable) == ("PREFOP_ERROR_CONNECT", 1, 1), error.fields
        assert error.http_status == 0 and error.request_id == "", "those of the proxy"
        assert str(status) in error.message and len(proxy.requests) == 1


@pytest.mark.parametrize("place", ["ca_file", "SSL_CERT_FILE"])
@pytest.mark.parametrize("secure", [False, True])
def test_proxy_over_tls_is_vouched_for_as_a_host_is(
    prefop: Prefop,
    server: StubServer,
    tls_server: StubServer,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    secure: bool,
    place: str,
) -> None:
    asked = tls_server if secure else server
    with Authority() as authority, Proxy(certificate=authority.certificate("good")) as proxy:
        both = tmp_path / "both.pem"
        files = (authority.certificate_file, pathlib.Path(str(tls_server.ca_file)))
        both.write_text("".join(file.read_text() for file in files))
        monkeypatch.setenv("SSL_CERT_FILE", str(both if place == "SSL_CERT_FILE" else files[1]))
        ca_file = str(both) if place == "ca_file" else None
        ask(prefop, asked, proxy=f"https://{proxy.address}", ca_file=ca_file)
        assert len(proxy.requests) == 1
    assert [record.verdict for record in asked.requests] == ["verified"]


def test_proxy_over_tls_is_vouched_for_by_nobody_else(
    library: pathlib.Path, server: StubServer, tls_server: StubServer, tmp_path: pathlib.Path
) -> None:
    """Not by the system's authorities when ca_file names others."""
    places = preload("places.c", tmp_path, "-ldl") | {"PLACES": str(tmp_path)}
    system = tmp_path / "etc/ssl/certs/ca-certificates.crt"
    system.parent.mkdir(parents=True)
    with Authority() as authority, Proxy(certificate=authority.certificate("good")) as proxy:
        system.write_bytes(authority.certificate_file.read_bytes())
        options = {"api_hosts": server.http_url, "proxy": f"https://{proxy.address}"}
        assert ask_apart(library, places, **options)["name"] == "PREFOP_OK"
        told = ask_apart(library, places, ca_file=tls_server.ca_file, **options)
        assert told["name"] == "PREFOP_ERROR_TLS", told


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    ("certificate", "is_known", "reason"),
    [
        ("good", False, "name the authority in ca_file"),
        ("expired", True, "clock"),
        ("self-signed", True, "name it in ca_file"),
        ("wrong-host", True, "'127.0.0.1'"),
    ],
)
def test_proxy_that_is_not_trusted_is_named(
    prefop: Prefop,
    server: StubServer,
    tls_server: StubServer,
    tmp_path: pathlib.Path,
    certificate: str,
    is_known: bool,
    reason: str,
    secure: bool,
) -> None:
    """As the one whose certificate is wrong, without its user and password."""
    asked = tls_server if secure else server
    with Authority() as authority, Proxy(certificate=authority.certificate(certificate)) as proxy:
        trusted = tmp_path / "trusted.pem"
        files = [tls_server.ca_file, *([authority.certificate_file] if is_known else [])]
        trusted.write_text("".join(pathlib.Path(str(file)).read_text() for file in files))
        given = f"https://{USER}:{PASSWORD}@{proxy.address}/"
        error = failure(prefop, asked, proxy=given, ca_file=str(trusted), secrets=SECRETS, max_attempts=4)
        assert proxy.requests == []
    assert (error.name, error.curl_code, error.attempts) == ("PREFOP_ERROR_TLS", 60, 1), error.fields
    assert error.message.startswith(f"{error.host}: at the proxy {proxy.address}: "), error.message
    assert reason in error.message, error.message


@pytest.mark.parametrize("secure", [False, True])
def test_proxy_that_speaks_no_tls_is_named(
    prefop: Prefop, server: StubServer, tls_server: StubServer, secure: bool
) -> None:
    asked = tls_server if secure else server
    with Proxy() as proxy:
        given = f"https://{USER}:{PASSWORD}@{proxy.address}"
        error = failure(prefop, asked, proxy=given, connect_timeout_ms=200, secrets=SECRETS)
    assert error.name == "PREFOP_ERROR_TIMEOUT", error.fields
    assert f"{error.host}: at the proxy {proxy.address}: " in error.message, error.message


@pytest.mark.parametrize("no_proxy", [None, "localhost", "elsewhere.example"])
@pytest.mark.parametrize("certificate", ["expired", "wrong-host"])
def test_host_that_is_not_trusted_is_not_taken_for_the_proxy(
    prefop: Prefop, monkeypatch: pytest.MonkeyPatch, certificate: str, no_proxy: str | None
) -> None:
    with StubServer(tls=True, certificate=certificate) as asked, Proxy() as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        if no_proxy:
            monkeypatch.setenv("no_proxy", no_proxy)
        error = failure(prefop, asked)
        assert len(proxy.requests) == (0 if no_proxy == "localhost" else 1)
        assert (error.name, "at the proxy" in error.message) == ("PREFOP_ERROR_TLS", False), error.fields
        # Nor one that is asked directly, because it is excepted from a proxy that speaks TLS.
        monkeypatch.setenv("https_proxy", "https://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "localhost")
        error = failure(prefop, asked)
        assert (error.name, "at the proxy" in error.message) == ("PREFOP_ERROR_TLS", False), error.fields
