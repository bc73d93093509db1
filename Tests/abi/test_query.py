"""A query, request by request: what is sent, to whom, and what comes of it."""

import contextlib
import re
import socket
import threading
from ctypes import POINTER
from typing import Any
from urllib.parse import quote_plus

import pytest
from prefop_binding import (
    ALLOW_ANONYMOUS,
    NO_DATE,
    NO_ENVIRONMENT,
    USE_HTTP,
    Error,
    Prefop,
    PrefopError,
    Task,
    error_fields,
    task_fields,
)
from server import (
    ACCESS_KEY,
    SECOND_ACCESS_KEY,
    SECOND_SECRET_KEY,
    SECRET_KEY,
    StubServer,
)

FIRST = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
SECOND = {"access_key": SECOND_ACCESS_KEY, "secret_key": SECOND_SECRET_KEY}


def failure(client: Any, id: str = "echo.1", **options: Any) -> PrefopError:
    with pytest.raises(PrefopError) as caught:
        client.query(id, **options)
    for secret in (SECRET_KEY, SECOND_SECRET_KEY):
        assert secret not in str(caught.value.fields), "a secret is shown"
    return caught.value


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The first pair is in the environment."""
    monkeypatch.setenv("QINIU_ACCESS_KEY", ACCESS_KEY)
    monkeypatch.setenv("QINIU_SECRET_KEY", SECRET_KEY)
    return monkeypatch


# Credentials.


def test_order_of_credentials(prefop: Prefop, server: StubServer, environment: pytest.MonkeyPatch) -> None:
    """The query's, then the client's, then the environment's."""
    hosts = server.http_url
    with prefop.client(api_hosts=hosts) as client:
        client.query("echo.1")
        client.query("echo.1", **SECOND)
        client.query("echo.1")
    with prefop.client(api_hosts=hosts, **SECOND) as client:
        client.query("echo.1")
        client.query("echo.1", **FIRST)
        client.set_credentials(**FIRST)
        client.query("echo.1")
        client.query("echo.1", **SECOND)
    keys = [record.access_key for record in server.requests]
    a, b = ACCESS_KEY, SECOND_ACCESS_KEY
    assert keys == [a, b, a, b, a, a, b]
    assert {record.verdict for record in server.requests} == {"verified"}


def test_environment_is_read_once(prefop: Prefop, server: StubServer, environment: pytest.MonkeyPatch) -> None:
    with prefop.client(api_hosts=server.http_url) as client:
        environment.delenv("QINIU_ACCESS_KEY")
        environment.delenv("QINIU_SECRET_KEY")
        client.query("echo.1")
        client.set_credentials(None, None)
        assert failure(client).name == "PREFOP_ERROR_CREDENTIALS"


@pytest.mark.parametrize("flags", [0, NO_ENVIRONMENT])
def test_no_credentials(prefop: Prefop, server: StubServer, monkeypatch: pytest.MonkeyPatch, flags: int) -> None:
    if flags:
        monkeypatch.setenv("QINIU_ACCESS_KEY", ACCESS_KEY)
        monkeypatch.setenv("QINIU_SECRET_KEY", SECRET_KEY)
    with prefop.client(api_hosts=server.http_url, flags=flags) as client:
        error = failure(client)
        assert error.name == "PREFOP_ERROR_CREDENTIALS" and error.attempts == 0
        assert "QINIU_ACCESS_KEY" in error.message and "access_key" in error.message
        assert server.total == 0, "something was sent"
        client.set_credentials(**FIRST)
        assert client.query("echo.1")["code"] == 0


def test_anonymous(prefop: Prefop, server: StubServer) -> None:
    flags = ALLOW_ANONYMOUS | NO_ENVIRONMENT
    with prefop.client(api_hosts=server.http_url, flags=flags) as client:
        assert client.query("anonymous.1")["persistent_id"] == "anonymous.1"
        client.set_credentials(**FIRST)
        assert client.query("echo.1")["code"] == 0
        client.set_credentials(None, None)
        assert client.query("anonymous.2")["code"] == 0
        assert client.query("echo.2", **SECOND)["code"] == 0
        assert client.query("anonymous.3")["code"] == 0
    sent = [record.header("authorization") for record in server.requests]
    assert sent == [None, f"Qiniu {ACCESS_KEY}", None, f"Qiniu {SECOND_ACCESS_KEY}", None]


def test_wrong_secret(prefop: Prefop, server: StubServer) -> None:
    keys = {"access_key": ACCESS_KEY, "secret_key": "not-the-secret"}
    with prefop.client(api_hosts=server.http_url, **keys) as client:
        error = failure(client)
    assert error.name == "PREFOP_ERROR_UNAUTHORIZED" and "clock" in error.message
    assert "not-the-secret" not in error.message


def test_credentials_change_while_queries_run(prefop: Prefop, server: StubServer) -> None:
    """Each request is signed with one whole pair or the other."""
    ended, failures = threading.Event(), []
    with prefop.client(api_hosts=server.http_url, **FIRST) as client:

        def ask(number: int) -> None:
            try:
                for turn in range(100):
                    client.query(f"echo.{number}.{turn}")
            except PrefopError as error:
                failures.append(error)

        def change() -> None:
            while not ended.is_set():
                client.set_credentials(**SECOND)
                client.set_credentials(**FIRST)

        changer = threading.Thread(target=change)
        askers = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
        for thread in (changer, *askers):
            thread.start()
        for thread in askers:
            thread.join()
        ended.set()
        changer.join()
    assert failures == []
    assert {record.verdict for record in server.requests} == {"verified"}
    assert server.connections.peak <= 4


# The request.


def test_headers_sent(prefop: Prefop, server: StubServer) -> None:
    options = {"api_hosts": server.http_url, "user_agent": "my-tool/1.0 (x)", **FIRST}
    with prefop.client(**options) as client:
        client.query("echo.1")
    (record,) = server.requests
    names = [name.lower() for name, _ in record.headers]
    wanted = ["accept-encoding", "authorization", "content-type", "host", "user-agent", "x-qiniu-date"]
    assert sorted(names) == wanted, record.headers
    # As RFC 9110 has it, 7.2.
    assert names[0] == "host"
    assert record.header("accept-encoding") == "gzip"
    assert record.method == "GET"
    assert record.header("host") == server.http_url.partition("//")[2]
    assert record.header("content-type") == "application/x-www-form-urlencoded"
    assert re.fullmatch(r"20\d{6}T\d{6}Z", record.header("x-qiniu-date") or "")
    agent = r"prefop/1\.0\.0 \(\w+; \w+\) libcurl/\d+\.\d+\.\d+ my-tool/1\.0 \(x\)"
    assert re.fullmatch(agent, record.header("user-agent") or ""), record.header("user-agent")


@pytest.mark.parametrize("value", ["true", "TRUE", "Yes", "y", "1"])
def test_no_date(prefop: Prefop, server: StubServer, environment: pytest.MonkeyPatch, value: str) -> None:
    with prefop.client(api_hosts=server.http_url, flags=NO_DATE) as client:
        client.query("echo.1")
    environment.setenv("DISABLE_QINIU_TIMESTAMP_SIGNATURE", value)
    with prefop.client(api_hosts=server.http_url) as client:
        client.query("echo.1")
    assert [record.header("x-qiniu-date") for record in server.requests] == [None, None]
    flags = NO_ENVIRONMENT
    with prefop.client(api_hosts=server.http_url, flags=flags, **FIRST) as client:
        client.query("echo.1")
    assert server.requests[-1].header("x-qiniu-date")


@pytest.mark.parametrize("value", ["", "0", "no", "false", "2", "truee", " true"])
def test_date_is_sent_unless_told_not_to(
    prefop: Prefop, server: StubServer, environment: pytest.MonkeyPatch, value: str
) -> None:
    environment.setenv("DISABLE_QINIU_TIMESTAMP_SIGNATURE", value)
    with prefop.client(api_hosts=server.http_url) as client:
        client.query("echo.1")
    assert server.requests[-1].header("x-qiniu-date")


def test_http_for_hosts_without_scheme(prefop: Prefop, server: StubServer, environment: pytest.MonkeyPatch) -> None:
    bare = {"api_hosts": server.http_url.partition("//")[2]}
    https = bare | {"timeout_ms": 200, "max_attempts": 1}
    with prefop.client(flags=USE_HTTP, **bare) as client:
        client.query("echo.1")
    with prefop.client(**https) as client:
        assert failure(client).name in ("PREFOP_ERROR_TLS", "PREFOP_ERROR_TIMEOUT")
    environment.setenv("DISABLE_QINIU_SECURE_PROTOCOL", "yes")
    with prefop.client(**bare) as client:
        client.query("echo.2")
    with prefop.client(flags=NO_ENVIRONMENT, **https, **FIRST) as client:
        assert failure(client).name in ("PREFOP_ERROR_TLS", "PREFOP_ERROR_TIMEOUT")
    verified = [r.id for r in server.requests if r.verdict == "verified"]
    assert verified == ["echo.1", "echo.2"]


def test_connect_timeout_covers_tls(prefop: Prefop) -> None:
    """A peer that says nothing to a TLS greeting leaves time for a second try."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = f"https://127.0.0.1:{silent.getsockname()[1]}"
        options = {"connect_timeout_ms": 100, "timeout_ms": 5_000, "max_attempts": 2}
        with prefop.client(api_hosts=hosts, **options, **FIRST) as client:
            error = failure(client)
    assert error.name == "PREFOP_ERROR_TIMEOUT" and error.attempts == 2, error.fields
    assert "5000 ms" not in error.message, error.message


IDS = [
    *("echo.a b", "echo.a+b", "echo.a%20b", "echo.a&id=b", "echo.a=b", "echo.a#b", "echo.a/b", "echo.a?b", "echo.~-._"),
    *("echo.视频🎬", "echo.é", "echo.\u00a0", "echo.'\"<>\\^`{|}", "echo.[]()*!$,;:@", "echo.%", "echo.  "),
    "echo." + "中" * 83,
]


@pytest.mark.parametrize("id", IDS)
def test_request_target(prefop: Prefop, server: StubServer, id: str) -> None:
    with prefop.client(api_hosts=server.http_url, **FIRST) as client:
        assert client.query(id)["persistent_id"] == id
    (record,) = server.requests
    assert record.target == f"/status/get/prefop?id={quote_plus(id, safe='')}"


def test_id_that_is_not_utf8(prefop: Prefop, server: StubServer) -> None:
    with prefop.client(api_hosts=server.http_url, **FIRST) as client:
        error = failure(client, b"a\xff\x80b")
    assert error.name == "PREFOP_ERROR_BAD_REQUEST"
    assert server.requests[0].target.endswith("?id=a%FF%80b")


# Connections and hosts.


@pytest.mark.parametrize("secure", [False, True])
def test_one_connection_for_many_queries(
    prefop: Prefop, server: StubServer, tls_server: StubServer, secure: bool
) -> None:
    asked = tls_server if secure else server
    url = asked.https_url if secure else asked.http_url
    with prefop.client(api_hosts=url, ca_file=asked.ca_file, **FIRST) as client:
        for number in range(50):
            client.query(f"echo.{number}")
        for id in ("status.612", "fault.not-a-task", "status.503", "fault.chunked"):
            # An error or not, the connection must live.
            with contextlib.suppress(PrefopError):
                client.query(id)
        client.query("echo.last")
    assert asked.connections.accepted == 1, asked.connections


def test_as_many_connections_as_threads(prefop: Prefop, server: StubServer) -> None:
    with prefop.client(api_hosts=server.http_url, **FIRST) as client:
        for _ in range(3):
            barrier = threading.Barrier(6)

            def ask(barrier: threading.Barrier = barrier) -> None:
                barrier.wait()
                client.query("fault.slow.30")

            threads = [threading.Thread(target=ask) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert server.connections.accepted <= 6, server.connections
    assert server.wait_for(lambda: server.connections.open == 0), "left open"


def test_connection_closed_while_idle(prefop: Prefop, server: StubServer) -> None:
    """The next query asks again over a fresh one, and succeeds."""
    with prefop.client(api_hosts=server.http_url, **FIRST) as client:
        for number in range(12):
            client.query(f"fault.close-idle.{number}")
            assert server.wait_for(lambda: server.connections.open == 0)
            client.query(f"echo.{number}")


def test_refused(prefop: Prefop, closed_port: str) -> None:
    with prefop.client(api_hosts=closed_port, **FIRST) as client:
        error = failure(client)
    assert error.name == "PREFOP_ERROR_CONNECT"
    assert (error.attempts, error.http_status, error.retryable) == (1, 0, 1)
    assert error.curl_code == 7 and error.host == closed_port.partition("//")[2]


def test_fail_over(prefop: Prefop, server: StubServer, closed_port: str) -> None:
    hosts = f"{closed_port},{server.http_url}"
    with prefop.client(api_hosts=hosts, **FIRST) as client:
        error = Error()
        assert client.query("echo.1", error)["code"] == 0
        assert error.attempts == 2 and error.host.decode() in server.http_url
        found = failure(client, "status.612")
    assert (found.name, found.attempts) == ("PREFOP_ERROR_NOT_FOUND", 1), "the host that refused is set aside"
    assert found.host in server.http_url


def test_fail_over_to_the_last(prefop: Prefop, server: StubServer, closed_port: str) -> None:
    """What is told is what the last host said."""
    hosts = f"{server.http_url},{closed_port}"
    with prefop.client(api_hosts=hosts, max_attempts=2, **FIRST) as client:
        error = failure(client, "status.503")
        assert (error.name, error.attempts) == ("PREFOP_ERROR_CONNECT", 3)
        assert error.http_status == 503, "of the last answer, although a refused connection came later"
        assert failure(client, "status.400").attempts == 1, "400 is final"
    assert [record.id for record in server.requests] == ["status.503"] * 2 + ["status.400"]


def test_unknown_host_name(prefop: Prefop, server: StubServer) -> None:
    with prefop.client(api_hosts="http://not-there.invalid", **FIRST) as client:
        error = failure(client)
        assert error.name == "PREFOP_ERROR_RESOLVE" and error.curl_code == 6
        assert "not-there.invalid" in error.message and error.host == "not-there.invalid"
    hosts = f"not-there.invalid,{server.http_url}"
    with prefop.client(api_hosts=hosts, **FIRST) as client:
        assert client.query("echo.1")["code"] == 0


def test_request_id_is_that_of_the_answer(prefop: Prefop, server: StubServer) -> None:
    with prefop.client(api_hosts=server.http_url, max_attempts=2, **FIRST) as client:
        for id in ("status.612", "status.503", "fault.malformed"):
            assert failure(client, id).request_id == server.requests[-1].reqid
        assert failure(client, "status.503.bare").request_id == "", "an old one is told"


@pytest.mark.parametrize("id", ["fault.hang", "fault.slow.60000", "fault.drip.50"])
@pytest.mark.parametrize("where", ["client", "query"])
def test_deadline(prefop: Prefop, server: StubServer, id: str, where: str) -> None:
    """The whole time, whoever sets it; afterwards the client works on."""
    options = {"timeout_ms": 120 if where == "client" else 60_000}
    with prefop.client(api_hosts=server.http_url, **options, **FIRST) as client:
        error = failure(client, id, timeout_ms=120 if where == "query" else 0)
        assert error.name == "PREFOP_ERROR_TIMEOUT"
        assert (error.attempts, error.retryable) == (1, 1), error.fields
        assert "120 ms" in error.message, error.message
        assert server.wait_for(lambda: server.connections.open == 0), "the connection is kept"
        assert client.query("echo.1", timeout_ms=-1)["code"] == 0


def test_attempts_that_time_out_go_on_at_the_next_host(prefop: Prefop, server: StubServer) -> None:
    """Bound by the attempts and by the whole time together."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = f"http://127.0.0.1:{silent.getsockname()[1]},{server.http_url}"
        options = {"attempt_timeout_ms": 1_000, "max_attempts": 2}
        with prefop.client(api_hosts=hosts, **options, **FIRST) as client:
            error = Error()
            client.query("echo.1", error)
    # A host that hangs leaves the time to the next.
    assert error.attempts == 2, error_fields(error)


def test_ipv6(prefop: Prefop) -> None:
    with StubServer(tls=True, ipv6=True) as server:
        for url in (server.http_url, server.https_url):
            with prefop.client(api_hosts=url, ca_file=server.ca_file, **FIRST) as client:
                assert client.query("echo.6")["code"] == 0
        host = server.https_url.partition("//")[2]
        assert server.requests[-1].header("host") == host


# TLS.


@pytest.mark.parametrize("kind", ["expired", "self-signed", "wrong-host"])
def test_certificates_to_refuse(prefop: Prefop, server: StubServer, kind: str) -> None:
    with StubServer(tls=True, certificate=kind) as wrong:
        url = wrong.https_url
        with prefop.client(api_hosts=url, ca_file=wrong.ca_file, **FIRST) as client:
            error = failure(client)
            assert error.name == "PREFOP_ERROR_TLS", error
            assert (error.attempts, error.retryable, error.http_status) == (1, 0, 0)
            assert error.curl_code == 60
        hosts = f"{url},{server.http_url}"
        with prefop.client(api_hosts=hosts, ca_file=wrong.ca_file, **FIRST) as client:
            assert client.query("echo.1")["code"] == 0
        assert wrong.total == 0, "something was sent to it"


def test_unknown_authority(prefop: Prefop, tls_server: StubServer) -> None:
    with prefop.client(api_hosts=tls_server.https_url, **FIRST) as client:
        assert failure(client).name == "PREFOP_ERROR_TLS"
    assert tls_server.total == 0


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_ca_file_that_is_none(prefop: Prefop, tls_server: StubServer, tmp_path: Any, content: str | None) -> None:
    """Told when the client is made, or at the latest by a query."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(PrefopError) as caught:
        options = {"api_hosts": tls_server.https_url, "ca_file": str(path)}
        with prefop.client(**options, **FIRST) as client:
            client.query("echo.1")
    assert caught.value.name in ("PREFOP_ERROR_TLS", "PREFOP_ERROR_CONFIGURATION")
    assert tls_server.total == 0


def test_plain_http_where_tls_is_spoken(prefop: Prefop, tls_server: StubServer) -> None:
    url = tls_server.https_url.replace("https", "http")
    with prefop.client(api_hosts=url, max_attempts=1, **FIRST) as client:
        assert failure(client).name == "PREFOP_ERROR_TRANSFER"


def test_a_task_outlives_its_client(prefop: Prefop, server: StubServer) -> None:
    task = POINTER(Task)()
    with prefop.client(api_hosts=server.http_url, **FIRST) as client:
        status = prefop.c.prefop_query(client.handle, b"z0.finished", None, task, None)
    assert status == 0
    assert task_fields(task.contents)["items"][2]["result"]
    prefop.c.prefop_task_free(task)


def test_the_time_to_connect_is_kept_when_nothing_answers(prefop: Prefop) -> None:
    """There is time for a second attempt, since the first ends by libcurl's timer.

    A listener whose queue is full drops what would connect, so no descriptor
    ever becomes ready: only that timer can tell. If it were not heeded, the
    first attempt would use up the whole query's time.
    """
    with socket.socket() as listener, contextlib.ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        options = {"connect_timeout_ms": 100, "attempt_timeout_ms": -1, "timeout_ms": 5_000, "max_attempts": 2}
        with prefop.client(api_hosts=url, **options, **FIRST) as client:
            error = failure(client)
    assert (error.name, error.curl_code, error.attempts) == ("PREFOP_ERROR_TIMEOUT", 28, 2), error.fields
