"""What an answer asks for besides a task: another place, a password, a cookie. None of it is done."""

import http.server
import pathlib
import threading
from collections.abc import Iterator

import pytest
from asking import KEYS, failure
from prefop_binding import Prefop
from proxy import Proxy
from server import ACCESS_KEY, StubServer

REDIRECTIONS = [300, 301, 302, 303, 304, 305, 307, 308]
TASK = b'{"id": "echo.1", "code": 0, "desc": "", "inputKey": "", "inputBucket": "", "items": []}'


class Host(http.server.ThreadingHTTPServer):
    """Answers everything alike; `seen` are the headers of each request."""

    daemon_threads = True

    def __init__(self, status: int, fields: dict[str, str], body: bytes = b"") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.fields, self.body = status, fields, body
        self.seen: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def __enter__(self) -> "Host":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Host

    def do_GET(self) -> None:
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(self.server.status)
        self.send_header("X-Reqid", "the-host")
        self.send_header("Content-Length", str(len(self.server.body)))
        for name, value in self.server.fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=["http", "https"])
def elsewhere(request: pytest.FixtureRequest, server: StubServer, tls_server: StubServer) -> Iterator[str]:
    """A place that would give the task; nobody is to come there."""
    url = server.http_url if request.param == "http" else tls_server.https_url
    yield f"{url}/status/get/prefop?id=echo.1"
    for each in (server, tls_server):
        assert each.total == 0, "the key was taken elsewhere"
        assert each.connections.accepted == 0, "another place was gone to"


@pytest.mark.parametrize("status", REDIRECTIONS)
def test_redirection(prefop: Prefop, tls_server: StubServer, elsewhere: str, status: int) -> None:
    """It ends the query: the signature is for this host, and the key is not to go where a host points."""
    with Host(status, {"Location": elsewhere}) as host:
        error = failure(prefop, tls_server, api_hosts=host.url, max_attempts=4)
    assert (error.name, error.http_status, error.attempts) == ("PREFOP_ERROR_HTTP", status, 1), error.fields
    assert "redirect" in error.message and error.request_id == "the-host", error.fields
    assert [seen["authorization"].startswith(f"Qiniu {ACCESS_KEY}:") for seen in host.seen] == [True]


@pytest.mark.parametrize("location", ["/x", "//127.0.0.1:1/", "file:///etc/passwd", "gopher://127.0.0.1:1/", ""])
def test_redirection_to_the_same_host_or_no_host(prefop: Prefop, server: StubServer, location: str) -> None:
    with Host(302, {"Location": location}) as host:
        error = failure(prefop, server, api_hosts=host.url, max_attempts=4)
        assert (error.name, error.http_status, error.attempts) == ("PREFOP_ERROR_HTTP", 302, 1), error.fields
        assert len(host.seen) == 1


def test_redirection_is_final_for_all_hosts(prefop: Prefop, server: StubServer) -> None:
    with Host(302, {"Location": server.http_url}) as host:
        error = failure(prefop, server, api_hosts=f"{host.url},{server.http_url}")
    assert (error.name, error.attempts, server.total) == ("PREFOP_ERROR_HTTP", 1, 0), error.fields


@pytest.mark.parametrize("name", ["Location", "Refresh", "Content-Location", "Alt-Svc", "Link"])
def test_task_that_points_elsewhere(prefop: Prefop, tls_server: StubServer, elsewhere: str, name: str) -> None:
    """The task counts, and the next query asks the same host."""
    values = {
        "Refresh": f"0; url={elsewhere}",
        "Alt-Svc": f'h2="{elsewhere.split("/")[2]}"; ma=3600, http/1.1="{elsewhere.split("/")[2]}"',
        "Link": f"<{elsewhere}>; rel=canonical",
    }
    with Host(200, {name: values.get(name, elsewhere)}, TASK) as host:
        with prefop.client(api_hosts=host.url, ca_file=tls_server.ca_file, **KEYS) as client:
            for _ in range(2):
                assert client.query("echo.1")["code"] == 0
        assert len(host.seen) == 2


@pytest.mark.parametrize("scheme", ["Basic realm=x", "Digest realm=x, nonce=y", "Negotiate", "NTLM", "Bearer"])
@pytest.mark.parametrize("status", [401, 407])
def test_demand_of_a_password(
    prefop: Prefop,
    server: StubServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
    status: int,
    scheme: str,
) -> None:
    """There is none to give but the signature, not even in ~/.netrc."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login netrc-user password netrc-password\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    field = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    with Host(status, {field: scheme}) as host:
        error = failure(prefop, server, api_hosts=host.url, max_attempts=4)
    assert (error.http_status, error.attempts) == (status, 1), error.fields
    assert len(host.seen) == 1
    assert host.seen[0]["authorization"].startswith("Qiniu ") and "proxy-authorization" not in host.seen[0]


def test_cookies_are_not_kept(prefop: Prefop, server: StubServer) -> None:
    with Host(200, {"Set-Cookie": "session=1; Path=/"}, TASK) as host:
        with prefop.client(api_hosts=host.url, **KEYS) as client:
            for _ in range(3):
                client.query("echo.1")
    assert [seen.get("cookie") for seen in host.seen] == [None] * 3


def test_transport_security_is_not_kept(prefop: Prefop, server: StubServer) -> None:
    """An http host that is given is asked over http, whatever it says."""
    with Host(200, {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}, TASK) as host:
        with prefop.client(api_hosts=host.url, **KEYS) as client:
            for _ in range(3):
                client.query("echo.1")
        assert len(host.seen) == 3


@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirection_by_a_proxy(prefop: Prefop, server: StubServer, tls_server: StubServer, status: int) -> None:
    with StubServer() as other:
        for asked in (server, tls_server):
            with Proxy(refuse=status, fields=f"Location: {other.http_url}/\r\n") as proxy:
                error = failure(prefop, asked, proxy=proxy.address)
            assert str(status) in error.message, error.message
            assert len(proxy.requests) == 1 and asked.total == 0
        assert other.connections.accepted == 0
