"""The stub server's own tests: what every other test takes for granted."""

import contextlib
import gzip
import http.client
import json
import os
import signal
import re
import socket
import ssl
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

import pytest

from server import (
    ACCESS_KEY,
    SECOND_ACCESS_KEY,
    SECOND_SECRET_KEY,
    SECRET_KEY,
    Answer,
    Kind,
    Region,
    StubServer,
    faults,
    script,
    tasks,
)
from server.authority import CERTIFICATES
from server.signature import (
    FORM,
    Verdict,
    qbox_authorization,
    qiniu_authorization,
    verify,
)

FOLDER = Path(__file__).resolve().parent
VECTORS = json.loads((tasks.VECTORS / "signatures.json").read_bytes())
TIMEOUT = 10.0
"""Far beyond anything here; reaching it fails a test instead of hanging it."""


@pytest.fixture(scope="module")
def server() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture(scope="module")
def secure() -> Iterator[StubServer]:
    with StubServer(tls=True) as server:
        yield server


def now(offset: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + offset).strftime("%Y%m%dT%H%M%SZ")


def target(task_id: str | bytes) -> str:
    return f"/status/get/prefop?id={quote_plus(task_id)}"


def signed(
    server: StubServer,
    task_id: str | bytes,
    date: str | None = None,
    keys: tuple[str, str] = (ACCESS_KEY, SECRET_KEY),
) -> dict[str, str]:
    """The headers of a right request for a task, in the order they are sent."""
    return signed_for(server, target(task_id), date, keys)


def signed_for(
    server: StubServer,
    path: str,
    date: str | None = None,
    keys: tuple[str, str] = (ACCESS_KEY, SECRET_KEY),
) -> dict[str, str]:
    host = urlsplit(server.http_url).netloc
    headers = {"Host": host, "Content-Type": FORM, "X-Qiniu-Date": date or now()}
    headers["Authorization"] = qiniu_authorization(
        *keys, "GET", path, host, headers.items()
    )
    return headers


def raw_request(server: StubServer, task_id: str) -> bytes:
    lines = [f"GET {target(task_id)} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in signed(server, task_id).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def connect(server: StubServer) -> socket.socket:
    url = urlsplit(server.http_url)
    return socket.create_connection((url.hostname, url.port), TIMEOUT)


def exchange(server: StubServer, request: bytes) -> bytes:
    """Everything that comes back until the server ends the connection."""
    with connect(server) as peer:
        peer.sendall(request)
        return received(peer)


def received_until(peer: socket.socket, end: bytes) -> bytes:
    """What comes, up to these bytes at its end."""
    data = b""
    while not data.endswith(end):
        more = peer.recv(1 << 16)
        assert more, f"the connection ended before {end!r}: {data[-100:]!r}"
        data += more
    return data


def received(peer: socket.socket) -> bytes:
    return b"".join(iter(lambda: peer.recv(1 << 16), b""))


def cut_off(server: StubServer, fault: str) -> bytes:
    return exchange(server, raw_request(server, f"fault.{fault}"))


class Client(http.client.HTTPConnection):
    """A keep-alive connection that signs what it asks."""

    def __init__(self, server: StubServer) -> None:
        url = urlsplit(server.http_url)
        super().__init__(url.hostname or "", url.port, timeout=TIMEOUT)
        self.server = server

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, task_id: str | bytes) -> tuple[http.client.HTTPResponse, bytes]:
        return self.get(target(task_id), signed(self.server, task_id))

    def get(
        self, path: str, headers: dict[str, str], method: str = "GET"
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self.request(method, path, headers=headers)
        answer = self.getresponse()
        return answer, answer.read()


def ask(server: StubServer, task_id: str | bytes) -> tuple[Any, bytes]:
    with Client(server) as client:
        return client.ask(task_id)


def task(server: StubServer, task_id: str) -> Any:
    answer, body = ask(server, task_id)
    assert answer.status == 200, body
    return json.loads(body)


# Signatures.


@pytest.mark.parametrize("vector", VECTORS)
def test_signature_agrees_with_the_go_sdk(vector: Any) -> None:
    url = urlsplit(vector["url"])
    path = url.path + (f"?{url.query}" if url.query else "")
    keys = vector["access_key"], vector["secret_key"]
    rest = vector["headers"].items(), vector["body"].encode()
    qiniu = qiniu_authorization(*keys, vector["method"], path, vector["host"], *rest)
    assert qiniu == vector["qiniu"]
    assert qbox_authorization(*keys, path, *rest) == vector["qbox"]


def test_there_are_forty_vectors() -> None:
    assert len(VECTORS) == 40


def test_verify_tells_what_is_wrong() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    vector = next(
        vector
        for vector in VECTORS
        if vector["method"] == "GET"
        and vector["headers"].get("X-Qiniu-Date") == "20260101T000000Z"
    )
    path = vector["url"].partition(vector["host"])[2]
    good = [*vector["headers"].items(), ("authorization", vector["qiniu"])]

    def verdict(headers: Any, path: str = path, at: datetime = moment) -> Verdict:
        secrets = {vector["access_key"]: vector["secret_key"]}
        return verify(secrets, at, "GET", path, vector["host"], headers)

    def authorized(value: str) -> Any:
        return [*vector["headers"].items(), ("Authorization", value)]

    assert verdict(good) is Verdict.VERIFIED
    assert verdict(good[:-1]) is Verdict.ABSENT
    assert verdict(good + good[-1:]) is Verdict.REPEATED
    assert verdict(authorized(vector["qbox"])) is Verdict.SCHEME
    assert verdict(authorized("Qiniu somebody:x")) is Verdict.ACCESS_KEY
    assert verdict(authorized(vector["qiniu"] + "=")) is Verdict.SIGNATURE
    assert verdict(good, path=path + "x") is Verdict.SIGNATURE
    assert verdict([*good, ("X-Qiniu-More", "1")]) is Verdict.SIGNATURE
    quarter = timedelta(minutes=15)
    second = timedelta(seconds=1)
    for edge in (moment - quarter, moment + quarter):
        assert verdict(good, at=edge) is Verdict.VERIFIED
    for beyond in (moment - quarter - second, moment + quarter + second):
        assert verdict(good, at=beyond) is Verdict.DATE


@pytest.mark.parametrize("date", ["20260230T000000Z", "2026-01-01T00:00:00Z", "now"])
def test_malformed_date_is_refused(server: StubServer, date: str) -> None:
    with Client(server) as client:
        answer, body = client.get(target("echo.1"), signed(server, "echo.1", date))
    assert answer.status == 401
    assert json.loads(body) == {"error": "token out of date"}


def test_old_date_is_refused(server: StubServer) -> None:
    old = signed(server, "echo.1", now(timedelta(minutes=-20)))
    with Client(server) as client:
        answer, body = client.get(target("echo.1"), old)
    assert (answer.status, json.loads(body)["error"]) == (401, "token out of date")


def test_either_key_pair_is_accepted(server: StubServer) -> None:
    server.clear()
    second = SECOND_ACCESS_KEY, SECOND_SECRET_KEY
    with Client(server) as client:
        for keys in ((ACCESS_KEY, SECRET_KEY), second):
            headers = signed(server, "echo.1", keys=keys)
            assert client.get(target("echo.1"), headers)[0].status == 200
    assert [r.access_key for r in server.requests] == [ACCESS_KEY, SECOND_ACCESS_KEY]


def test_unsigned_and_wrongly_signed_are_refused(server: StubServer) -> None:
    crossed = signed(server, "echo.1", keys=(ACCESS_KEY, SECOND_SECRET_KEY))
    unsigned = {n: v for n, v in crossed.items() if n != "Authorization"}
    with Client(server) as client:
        for headers in (crossed, unsigned):
            answer, body = client.get(target("echo.1"), headers)
            assert (answer.status, json.loads(body)["error"]) == (401, "bad token")
            assert answer.headers["X-Reqid"]


def test_anonymous_must_be_unsigned(server: StubServer) -> None:
    with Client(server) as client:
        answer, body = client.get(target("anonymous.1"), {})
        assert (answer.status, json.loads(body)["id"]) == (200, "anonymous.1")
        assert client.ask("anonymous.1")[0].status == 401


# Tasks.


@pytest.mark.parametrize(
    "tail", ["", "1", "a b+c", "&=#/?%", "中文 🎬", '"\\', "x.y.z", "\x01\x7f"]
)
def test_echo_gives_the_very_id(server: StubServer, tail: str) -> None:
    assert task(server, f"echo.{tail}")["id"] == f"echo.{tail}"


def test_id_that_is_no_text_is_refused(server: StubServer) -> None:
    with Client(server) as client:
        for query in ("?id=echo.%FF", "?id=%zz", "?id=", "?x=1", ""):
            path = "/status/get/prefop" + query
            assert client.get(path, {})[0].status == 400, query


@pytest.mark.parametrize("name", tasks.BY_NAME)
def test_named_tasks(server: StubServer, name: str) -> None:
    codes = {"finished": 0, "waiting": 1, "running": 2, "failed": 3}
    codes |= {"undelivered": 4, "partly": 0}
    task_id = f"z0.{name}.7"
    answer = task(server, task_id)
    assert (answer["id"], answer["code"]) == (task_id, codes[name])
    item_codes = {item["code"] for item in answer["items"]}
    assert (3 in item_codes) == (name in ("failed", "partly"))


def test_samples_are_the_vectors_byte_for_byte(server: StubServer) -> None:
    entries = json.loads((tasks.VECTORS / "tasks.json").read_bytes())
    for index, entry in enumerate(entries):
        answer, body = ask(server, f"sample.{index}")
        assert body == entry["body"].encode()
        assert answer.status == (612 if "error" in entry else 200)
    assert ask(server, f"sample.{len(entries)}")[0].status == 612


@pytest.mark.parametrize(
    "task_id",
    ["z0.597f28b445a2650c994bb208", "nothing", "fault.none", "status.x", "flaky.x.y"],
)
def test_any_other_id_is_unknown(server: StubServer, task_id: str) -> None:
    answer, body = ask(server, task_id)
    assert (answer.status, body) == (612, b'{"error":"not such id in prefop"}')


# Statuses.


def test_every_status(server: StubServer) -> None:
    with Client(server) as client:
        for code in range(200, 800):
            answer, body = client.ask(f"status.{code}")
            assert answer.status == code
            assert answer.headers["X-Reqid"] and answer.headers["X-Log"]
            if code in (204, 304):
                assert body == b""
            else:
                assert ("error" in json.loads(body)) == (code >= 300)
        for code in (199, 800):
            assert client.ask(f"status.{code}")[0].status == 612


def test_status_modifiers(server: StubServer) -> None:
    answer, body = ask(server, "status.503.plain.tail")
    assert answer.headers.get_content_type() == "text/plain"
    assert not body.startswith(b"{")
    answer, _ = ask(server, "status.502.bare")
    assert "X-Reqid" not in answer.headers and "X-Log" not in answer.headers
    answer, _ = ask(server, "status.429.plain.retry-after.7.bare")
    assert answer.headers["Retry-After"] == "7"
    assert "X-Reqid" not in answer.headers
    answer, _ = ask(server, "status.573.retry-date.30")
    assert answer.headers["Retry-After"].endswith(" GMT")


# Faults. Each of them is here, which the last test of the section sees to.

WHOLE = ["chunked", "close", "close-idle", "duplicate-reqid", "gzip", "slow.1", "xlog"]
FRAMED = ["empty", "hijacked", "html", "html-bare", "ill-utf8", "malformed"]
FRAMED += ["nul-header", "not-a-task"]
SPECIAL = ["big", "chunked-broken", "chunked-early-close", "close-before", "continue"]
SPECIAL += ["drip", "drip-body", "garbage", "gzip-bomb", "gzip-broken", "gzip-cut"]
SPECIAL += ["half-body", "half-head", "hang", "http09", "long-header", "redirect", "reset"]
SPECIAL += ["reset-body", "short-length"]


def test_every_fault_is_tested_and_listed() -> None:
    tested = {name.partition(".")[0] for name in WHOLE + FRAMED + SPECIAL}
    assert tested == faults.BY_NAME.keys()
    for name in faults.BY_NAME:
        assert f"    fault.{name}" in (script.__doc__ or "")


@pytest.mark.parametrize("name", WHOLE)
def test_unusual_but_right(server: StubServer, name: str) -> None:
    task_id = f"fault.{name}.tail"
    answer, body = ask(server, task_id)
    if answer.headers["Content-Encoding"] == "gzip":
        body = gzip.decompress(body)
    assert answer.status == 200
    assert json.loads(body)["id"] == task_id
    assert ("X-Reqid" in answer.headers) == (name != "xlog")
    assert "X-Log" in answer.headers


@pytest.mark.parametrize("name", FRAMED)
def test_wrong_content_leaves_the_connection_usable(
    server: StubServer, name: str
) -> None:
    with Client(server) as client:
        answer, body = client.ask(f"fault.{name}")
        assert answer.status == 200
        traced = name not in ("hijacked", "html-bare")
        assert ("X-Reqid" in answer.headers) == traced
        assert ("X-Log" in answer.headers) == traced
        if name in ("empty", "html", "html-bare", "malformed", "ill-utf8"):
            with pytest.raises(ValueError):
                json.loads(body)
        assert json.loads(client.ask("echo.after")[1])["id"] == "echo.after"


def test_chunks_are_cut_inside_characters(server: StubServer) -> None:
    with connect(server) as peer:
        peer.sendall(raw_request(server, "fault.chunked"))
        data = received_until(peer, b"X-Trailer: stub\r\n\r\n")
    chunks = data.partition(b"\r\n\r\n")[2].split(b"\r\n")[1:-4:2]
    with pytest.raises(UnicodeDecodeError):
        for chunk in chunks:
            chunk.decode()
    assert json.loads(b"".join(chunks))["id"] == "fault.chunked"


def test_duplicate_reqid_begins_with_the_recorded_one(server: StubServer) -> None:
    server.clear()
    answer, _ = ask(server, "fault.duplicate-reqid")
    both = answer.headers.get_all("X-Reqid")
    assert both == [server.requests[-1].reqid, "another-reqid"]


@pytest.mark.parametrize("name", ["close", "close-idle"])
def test_answer_then_end(server: StubServer, name: str) -> None:
    head, _, body = cut_off(server, name).partition(b"\r\n\r\n")
    assert (b"Connection: close" in head) == (name == "close")
    assert json.loads(body)["id"] == f"fault.{name}"


def test_interim_answers(server: StubServer) -> None:
    with connect(server) as peer:
        peer.sendall(raw_request(server, "fault.continue"))
        data = received_until(peer, b"]}")
    first, second, last, body = data.split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 100 ") and b"interim-100" in first
    assert second.startswith(b"HTTP/1.1 103 ") and b"interim-103" in second
    assert last.startswith(b"HTTP/1.1 200 ") and b"interim" not in last
    assert json.loads(body)["id"] == "fault.continue"


@pytest.mark.parametrize("size", [1000, 20_000_000])
def test_big(server: StubServer, size: int) -> None:
    _, body = ask(server, f"fault.big.{size}")
    assert len(body) == size
    assert json.loads(body)["id"] == f"fault.big.{size}"


@pytest.mark.parametrize("name", ["drip", "drip-body"])
def test_drip(server: StubServer, name: str) -> None:
    assert task(server, f"fault.{name}.0")["id"] == f"fault.{name}.0"


def test_drip_of_the_body_alone(server: StubServer) -> None:
    with connect(server) as peer:
        peer.sendall(raw_request(server, "fault.drip-body.99999999"))
        data = received_until(peer, b"{")
    assert data.count(b"\r\n\r\n{") == 1


def test_long_header(server: StubServer) -> None:
    with connect(server) as peer:
        peer.sendall(raw_request(server, "fault.long-header"))
        head = received_until(peer, b"]}").partition(b"\r\n\r\n")[0]
    assert len(head) > faults.LONG_HEADER_SIZE


@pytest.mark.parametrize("name", ["gzip-broken", "gzip-cut"])
def test_gzip_that_cannot_be_read(server: StubServer, name: str) -> None:
    answer, body = ask(server, f"fault.{name}")
    assert answer.headers["Content-Encoding"] == "gzip"
    with pytest.raises((OSError, EOFError, zlib.error)):
        gzip.decompress(body)


def test_gzip_bomb(server: StubServer) -> None:
    _, body = ask(server, "fault.gzip-bomb")
    assert len(body) < 100_000
    inflated = gzip.decompress(body)
    assert len(inflated) > 64 * faults.MEBIBYTE
    assert inflated.startswith(b'{"id":"fault.gzip-bomb"') and inflated[-1:] == b"}"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_leads_to_stolen(server: StubServer, code: int) -> None:
    server.clear()
    with Client(server) as client:
        answer, _ = client.ask("fault.redirect" + (f".{code}" if code != 302 else ""))
        assert answer.status == code
        assert answer.headers["Location"] == f"{server.http_url}/stolen"
        headers = {"Authorization": "Qiniu key:signature"}
        _, body = client.get("/stolen", headers)
    assert json.loads(body)["code"] == 0
    stolen = server.requests[-1]
    assert stolen.verdict == "stolen"
    assert stolen.header("authorization") == "Qiniu key"


def test_cut_off_in_the_head(server: StubServer) -> None:
    assert cut_off(server, "close-before") == b""
    assert b"\r\n\r\n" not in cut_off(server, "half-head")


def test_not_http(server: StubServer) -> None:
    assert not cut_off(server, "garbage").startswith(b"HTTP/")
    assert json.loads(cut_off(server, "http09"))["id"] == "fault.http09"


@pytest.mark.parametrize("name", ["half-body", "short-length"])
def test_length_that_lies(server: StubServer, name: str) -> None:
    head, _, body = cut_off(server, name).partition(b"\r\n\r\n")
    stated = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
    assert len(body) < stated if name == "half-body" else len(body) > stated


@pytest.mark.parametrize("name", ["chunked-broken", "chunked-early-close"])
def test_chunks_that_break(server: StubServer, name: str) -> None:
    head, _, body = cut_off(server, name).partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert b"0\r\n\r\n" not in body


def test_resets(server: StubServer) -> None:
    for name in ("reset", "reset-body"):
        with connect(server) as peer:
            peer.sendall(raw_request(server, f"fault.{name}"))
            with pytest.raises(ConnectionResetError):
                received(peer)


@pytest.mark.parametrize("name", ["hang", "slow.99999999", "drip.99999999"])
def test_waiting_ends_with_the_peer(server: StubServer, name: str) -> None:
    assert server.wait_for(lambda: server.connections.open == 0)
    server.clear()
    with connect(server) as peer:
        peer.sendall(raw_request(server, f"fault.{name}"))
        assert server.wait_for(lambda: server.total == 1)
        assert server.connections.open == 1
    assert server.wait_for(lambda: server.connections.open == 0)


def test_flaky(server: StubServer) -> None:
    server.clear()
    ids = ["flaky.2.status.503.a", "flaky.2.z0.running.a"]
    with Client(server) as client:
        for task_id in ids:
            results = [client.ask(task_id) for _ in range(4)]
            assert all(
                json.loads(body)["id"] == task_id
                for answer, body in results
                if answer.status == 200
            )
            if "status" in task_id:
                assert [answer.status for answer, _ in results] == [503, 503, 200, 200]
            else:
                codes = [json.loads(body)["code"] for _, body in results]
                assert codes == [2, 2, 0, 0]
    server.clear()
    assert ask(server, ids[0])[0].status == 503


# The bucket service.

BUCKET_TARGET = f"/v4/query?ak={ACCESS_KEY}&bucket=a+b%26"
"""Asks for the regions of the bucket "a b&"."""


@pytest.fixture
def bucket_service(server: StubServer) -> Iterator[StubServer]:
    """Knows two regions, and the second as that of a bucket."""
    first = Region("z0", ["api-z0.invalid"], ["old-z0.invalid"], ttl=5)
    second = Region("z1", ["api-z1.invalid"], acc_domains=["acc-z1.invalid"])
    server.reset()
    server.regions = [first, second]
    server.bucket_regions = {"a b&": [second]}
    yield server
    server.reset()


def get_regions(server: StubServer) -> tuple[http.client.HTTPResponse, bytes]:
    with Client(server) as client:
        return client.get("/regions", signed_for(server, "/regions"))


def get_bucket(server: StubServer) -> tuple[http.client.HTTPResponse, bytes]:
    with Client(server) as client:
        return client.get(BUCKET_TARGET, {})


def test_regions(bucket_service: StubServer) -> None:
    answer, body = get_regions(bucket_service)
    assert answer.status == 200 and answer.headers["X-Reqid"]
    first, second = json.loads(body)["regions"]
    assert (first["id"], first["ttl"], second["ttl"]) == ("z0", 5, 86_400)
    assert first["api"] == {"domains": ["api-z0.invalid"], "old": ["old-z0.invalid"]}
    assert list(second["api"]) == ["acc_domains", "domains", "old"]
    assert second["up"]["domains"] == ["upload-z1.invalid"]
    (record,) = bucket_service.requests_for(Kind.REGIONS)
    assert (record.verdict, record.access_key) == ("verified", ACCESS_KEY)


def test_regions_must_be_signed(bucket_service: StubServer) -> None:
    wrong = signed_for(bucket_service, "/regions?x")
    with Client(bucket_service) as client:
        for headers in ({}, wrong):
            answer, body = client.get("/regions", headers)
            assert (answer.status, json.loads(body)["error"]) == (401, "bad token")
    verdicts = [r.verdict for r in bucket_service.requests_for(Kind.REGIONS)]
    assert verdicts == [Verdict.ABSENT, Verdict.SIGNATURE]


def test_regions_of_a_bucket(bucket_service: StubServer) -> None:
    answer, body = get_bucket(bucket_service)
    assert answer.status == 200 and answer.headers["X-Reqid"]
    (host,) = json.loads(body)["hosts"]
    assert host["region"] == "z1" and "id" not in host
    assert host["api"]["acc_domains"] == ["acc-z1.invalid"]
    (record,) = bucket_service.requests
    assert (record.kind, record.verdict) == (Kind.BUCKET, Verdict.ABSENT)
    assert record.parameter("bucket") == "a b&"
    assert record.parameter("ak") == ACCESS_KEY and record.parameter("x") is None


def test_regions_of_a_bucket_must_not_be_signed(bucket_service: StubServer) -> None:
    headers = signed_for(bucket_service, BUCKET_TARGET)
    with Client(bucket_service) as client:
        assert client.get(BUCKET_TARGET, headers)[0].status == 400
    (record,) = bucket_service.requests_for(Kind.BUCKET)
    assert record.verdict == "must not be signed"
    assert record.header("authorization") == f"Qiniu {ACCESS_KEY}"


def test_regions_of_no_bucket(bucket_service: StubServer) -> None:
    with Client(bucket_service) as client:
        for query, status in (
            (f"ak={ACCESS_KEY}&bucket=other", 631),
            (f"ak={ACCESS_KEY}", 400),
            ("bucket=a+b%26", 400),
            ("ak=somebody&bucket=a+b%26", 400),
        ):
            answer, body = client.get(f"/v4/query?{query}", {})
            assert answer.status == status and "error" in json.loads(body), query


def test_no_regions_are_known_at_first(server: StubServer) -> None:
    server.reset()
    for answer, body in (get_regions(server), get_bucket(server)):
        assert (answer.status, json.loads(body)) == (404, {"error": "not found"})


def test_regions_of_any_making(bucket_service: StubServer) -> None:
    bare = Answer(502, b"{", reqid=False, xlog=False)
    for given, expected in (
        ([{"id": 7}], b'{"regions":[{"id":7}]}'),
        ({"regions": None}, b'{"regions":null}'),
        (b"not JSON", b"not JSON"),
        (bare, b"{"),
    ):
        bucket_service.regions = given
        answer, body = get_regions(bucket_service)
        assert body == expected
        assert answer.status == (502 if given is bare else 200)
    assert "X-Reqid" not in answer.headers


def test_fault_of_the_bucket_service(bucket_service: StubServer) -> None:
    """It has the regions where a task's fault has the task."""
    for form in ("fault.hijacked", "fault.chunked", "fault.drip.0", "fault.big.9000"):
        bucket_service.bucket_service_fault = form
        answer, body = get_regions(bucket_service)
        assert answer.status == 200
        assert ("X-Reqid" in answer.headers) == (form != "fault.hijacked")
        assert [r["id"] for r in json.loads(body)["regions"]] == ["z0", "z1"]
        assert json.loads(get_bucket(bucket_service)[1])["hosts"]
    assert len(body) == 9000
    bucket_service.bucket_service_fault = "fault.ill-utf8"
    with pytest.raises(UnicodeDecodeError):
        get_regions(bucket_service)[1].decode()
    bucket_service.bucket_service_fault = "status.500.bare"
    assert get_regions(bucket_service)[0].status == 500
    assert task(bucket_service, "echo.1")["id"] == "echo.1"
    bucket_service.bucket_service_fault = None
    assert get_regions(bucket_service)[0].status == 200


# Faults of a whole server.


def test_fault_whatever_is_asked_for(server: StubServer) -> None:
    with StubServer(fault="status.503.bare") as broken:
        for task_id in ("echo.1", "status.200", "fault.hang"):
            assert ask(broken, task_id)[0].status == 503
        assert get_regions(broken)[0].status == 503
        assert get_bucket(broken)[0].status == 503
        with Client(broken) as client:
            assert client.get("/nowhere", {})[0].status == 503
        broken.fault = "fault.hijacked"
        answer, body = ask(broken, "z0.waiting")
        assert "X-Reqid" not in answer.headers
        assert json.loads(body)["id"] == "z0.waiting"
        broken.fault = Answer(301).having(("Location", "http://elsewhere.invalid/"))
        answer, _ = ask(broken, "echo.1")
        assert answer.headers["Location"] == "http://elsewhere.invalid/"
        broken.fault = None
        assert ask(broken, "status.418")[0].status == 418
        verdicts = {record.verdict for record in broken.requests_for(Kind.TASK)}
        assert verdicts == {"verified"}


def test_fault_that_passes(server: StubServer) -> None:
    """The first requests of the server, whatever their ids; then what is right."""
    server.reset()
    server.fault = "flaky.2.status.500"
    try:
        statuses = [ask(server, f"status.{code}")[0].status for code in (201, 202, 203)]
        assert statuses == [500, 500, 203]
    finally:
        server.reset()


@pytest.mark.parametrize(
    "form",
    ["", "status", "status.999", "fault.none", "flaky.x.status.500", "echo.1", "port"],
)
def test_no_fault(server: StubServer, form: str) -> None:
    with pytest.raises(ValueError, match="no fault"):
        server.fault = form
    with pytest.raises(ValueError, match="no fault"):
        server.bucket_service_fault = form
    assert server.fault is None and server.bucket_service_fault is None


def test_a_port_that_refuses_and_comes_back() -> None:
    with StubServer(tls=True) as server:
        with connect(server) as kept:
            assert server.wait_for(lambda: server.connections.open == 1)
            server.fault = "port.refused"
            assert received(kept) == b""
        with pytest.raises(ConnectionRefusedError):
            connect(server)
        with pytest.raises(ConnectionRefusedError):
            handshake(server)
        server.fault = None
        assert task(server, "echo.1")["id"] == "echo.1"
        handshake(server).close()


@pytest.mark.parametrize("ipv6", [False, True])
def test_a_port_that_does_not_answer(ipv6: bool) -> None:
    with StubServer(fault="port.black-hole", ipv6=ipv6) as server:
        url = urlsplit(server.http_url)
        with pytest.raises(TimeoutError):
            socket.create_connection((url.hostname, url.port), 0.1)
        server.fault = None
        assert task(server, "echo.1")["id"] == "echo.1"


def test_a_port_that_resets() -> None:
    with StubServer(fault="port.reset") as server:
        for _ in range(3):
            with pytest.raises(ConnectionResetError), connect(server) as peer:
                received(peer)
        assert server.wait_for(lambda: server.connections.open == 0)
        assert (server.connections.accepted, server.total) == (3, 0)


def test_a_port_that_says_nothing() -> None:
    with StubServer(tls=True, fault="port.silent") as server:
        url = urlsplit(server.https_url or "")
        with socket.create_connection((url.hostname, url.port), TIMEOUT) as peer:
            peer.sendall(b"\x16\x03\x01")
            peer.settimeout(0.1)
            with pytest.raises(TimeoutError):
                peer.recv(1)
            assert server.connections.open == 1
        assert server.wait_for(lambda: server.connections.open == 0)
        with connect(server) as kept:
            assert server.wait_for(lambda: server.connections.accepted == 2)
            server.fault = "status.500"
            assert received(kept) == b"", "it was not cut"
        assert ask(server, "echo.1")[0].status == 500


# HTTP.


@pytest.mark.parametrize(
    "spoilt",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nid",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000,
    ],
)
def test_strictness(server: StubServer, spoilt: bytes) -> None:
    server.clear()
    answer = exchange(server, spoilt)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert [r.verdict.partition(":")[0] for r in server.requests] == ["bad request"]


def test_pipelined_requests_are_answered_in_order(server: StubServer) -> None:
    ids = [f"echo.{n}" for n in range(20)]
    last = raw_request(server, "fault.close")
    data = exchange(server, b"".join(raw_request(server, i) for i in ids) + last)
    places = [data.find(f'{{"id":"{task_id}"'.encode()) for task_id in ids]
    assert places == sorted(places) and places[0] > 0


def test_connection_ends_when_asked_to(server: StubServer) -> None:
    for lines in (b"HTTP/1.0\r\nHost: a", b"HTTP/1.1\r\nHost: a\r\nConnection: close"):
        assert b" 404 " in exchange(server, b"GET /nowhere " + lines + b"\r\n\r\n")


def test_other_paths_and_methods(server: StubServer) -> None:
    with Client(server) as client:
        answer, body = client.get("/nowhere", {})
        assert (answer.status, body[:3]) == (404, b"404")
        headers = signed(server, "echo.1")
        assert client.get(target("echo.1"), headers, "DELETE")[0].status == 405


# The log.


def test_log_shows_reuse_and_no_signature(server: StubServer) -> None:
    server.clear()
    with Client(server) as client:
        reqids = [client.ask(f"echo.{n}")[0].headers["X-Reqid"] for n in range(3)]
    ask(server, "echo.other")
    records = server.requests
    assert [r.id for r in records] == ["echo.0", "echo.1", "echo.2", "echo.other"]
    assert [r.reqid for r in records[:3]] == reqids
    assert len({r.connection for r in records[:3]}) == 1
    assert len({r.connection for r in records}) == 2
    assert {r.verdict for r in records} == {"verified"}
    assert {r.header("AUTHORIZATION") for r in records} == {f"Qiniu {ACCESS_KEY}"}
    assert server.connections.accepted == 2


def test_log_keeps_no_secret_of_another_scheme(server: StubServer) -> None:
    server.clear()
    with Client(server) as client:
        for value in ("Basic dXNlcjpzZWNyZXQ=", "Bearer a:b", "Qiniu token"):
            client.get(target("echo.1"), {"Authorization": value})
    kept = [r.header("authorization") for r in server.requests]
    assert kept == ["Basic", "Bearer", "Qiniu"]


def test_log_over_http(server: StubServer) -> None:
    server.clear()
    with Client(server) as client:
        client.ask("echo.1")
        shown = json.loads(client.get("/_requests", {})[1])
        assert shown["total"] == 1
        assert shown["connections"]["accepted"] == 1
        (record,) = shown["requests"]
        assert (record["id"], record["verdict"]) == ("echo.1", "verified")
        assert ["Authorization", f"Qiniu {ACCESS_KEY}"] in record["headers"]
        assert client.get("/_requests", {}, "DELETE")[0].status == 204
        assert json.loads(client.get("/_requests", {})[1])["requests"] == []


def test_log_is_bounded_but_counts_on() -> None:
    with StubServer(log_limit=5) as server, Client(server) as client:
        for n in range(8):
            client.ask(f"echo.{n}")
        assert [r.id for r in server.requests] == [f"echo.{n}" for n in range(3, 8)]
        assert server.total == 8


# TLS.


def handshake(
    server: StubServer, name: str = "localhost", *, strict: bool = False
) -> ssl.SSLSocket:
    """A TLS connection; a strict one does not take a FIN for an end."""
    url = urlsplit(server.https_url or "")
    context = ssl.create_default_context(cafile=server.ca_file)
    family = socket.AF_INET6 if url.hostname == "::1" else socket.AF_INET
    peer = socket.socket(family)
    peer.settimeout(TIMEOUT)
    try:
        peer.connect((url.hostname, url.port))
        return context.wrap_socket(
            peer, server_hostname=name, suppress_ragged_eofs=not strict
        )
    except BaseException:
        peer.close()
        raise


@pytest.mark.parametrize(
    "name",
    ["localhost", "127.0.0.1", "::1", "api.qiniuapi.com", "uc.qiniuapi.com", "uc.qbox.me"],
)
def test_good_certificate(secure: StubServer, name: str) -> None:
    with handshake(secure, name, strict=True) as peer:
        peer.sendall(raw_request(secure, "fault.close"))
        body = received(peer).partition(b"\r\n\r\n")[2]
    assert json.loads(body)["id"] == "fault.close"


def test_faults_over_tls(secure: StubServer) -> None:
    with handshake(secure) as peer:
        peer.sendall(raw_request(secure, "fault.reset"))
        with pytest.raises(ConnectionResetError):  # Which TLS would call an end.
            while socket.socket.recv(peer, 1 << 16):
                pass
    with handshake(secure) as peer:
        peer.sendall(raw_request(secure, "fault.drip.0"))
        assert peer.recv(1 << 16) == b"H"
    # Whether a close_notify still goes out depends on the release of OpenSSL.
    with handshake(secure) as peer:
        peer.sendall(raw_request(secure, "fault.half-body"))
        head, _, body = received(peer).partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length and 0 < len(body) < int(length[1])


REFUSED = {
    ("expired", "localhost"): "certificate has expired",
    ("not-yet-valid", "localhost"): "certificate is not yet valid",
    ("self-signed", "localhost"): "self-signed certificate",
    ("wrong-host", "localhost"): "Hostname mismatch",
    ("wrong-host", "127.0.0.1"): "IP address mismatch",
    ("name-only", "127.0.0.1"): "IP address mismatch",
    ("addresses-only", "localhost"): "Hostname mismatch",
}


def test_every_certificate_is_tested() -> None:
    assert {kind for kind, _ in REFUSED} == {*CERTIFICATES} - {"good"}


@pytest.mark.parametrize(("kind", "name"), REFUSED)
def test_certificates_to_refuse(kind: str, name: str) -> None:
    with StubServer(tls=True, certificate=kind) as server:
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            handshake(server, name)
        assert REFUSED[kind, name] in caught.value.verify_message
        assert server.wait_for(lambda: server.connections.handshakes_failed == 1)


@pytest.mark.parametrize(
    ("kind", "name"), [("name-only", "localhost"), ("addresses-only", "127.0.0.1")]
)
def test_certificates_for_some_names(kind: str, name: str) -> None:
    with StubServer(tls=True, certificate=kind) as server:
        handshake(server, name).close()


VERSIONS = [version for version in ssl.TLSVersion if version >= ssl.TLSVersion.TLSv1]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", VERSIONS)
def test_tls_version(version: ssl.TLSVersion) -> None:
    """Even those that should be gone are really offered."""
    with StubServer(tls=True, tls_version=version) as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        url = urlsplit(server.https_url or "")
        with socket.create_connection((url.hostname or "", url.port or 0)) as plain:
            with context.wrap_socket(plain, server_hostname=url.hostname) as peer:
                assert peer.version() == version.name.replace("_", ".")


def test_ipv6() -> None:
    with StubServer(tls=True, ipv6=True) as server:
        assert task(server, "echo.6")["id"] == "echo.6"
        with handshake(server, "::1") as peer:
            peer.sendall(raw_request(server, "fault.close"))
            assert b" 200 " in received(peer)


# The end.


def test_stop_leaves_nothing() -> None:
    threads, folder = threading.active_count(), descriptors()
    for fault in ("port.refused", "port.black-hole", "port.silent"):
        with StubServer(tls=True, fault=fault):
            pass
    assert descriptors() == folder
    with StubServer(tls=True) as server:
        assert server.ca_file and Path(server.ca_file).exists()
        peers = [connect(server) for _ in range(3)]
        peers[0].sendall(raw_request(server, "fault.hang"))
        peers[1].sendall(raw_request(server, "fault.drip.99999999"))
        peers[2].sendall(b"GET / HT")
        peers.append(handshake(server))
        assert server.wait_for(lambda: server.total == 2)
    for peer in peers:
        # What the server had not read yet makes a reset of the end.
        with contextlib.suppress(ConnectionResetError):
            received(peer)
        peer.close()
    server.stop()
    assert not Path(server.ca_file).parent.exists()
    assert threading.active_count() == threads
    assert descriptors() == folder
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_failed_start_leaves_nothing() -> None:
    threads, folder = threading.active_count(), descriptors()
    with pytest.raises(ValueError):
        StubServer(tls=True, certificate="none").start()
    assert threading.active_count() == threads
    assert descriptors() == folder


def descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


# The command line.


def command_line(
    folder: Path, *arguments: str, **options: Any
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-B", str(FOLDER), *arguments],
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def output(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=TIMEOUT)
    return process.returncode, out, err


def test_command_gets_the_environment_and_gives_its_status(tmp_path: Path) -> None:
    show = 'test -r "$PREFOP_TEST_CA"; echo $? $PREFOP_TEST_HTTP $PREFOP_TEST_HTTPS'
    process = command_line(tmp_path, "--tls", "--", "sh", "-c", f"{show}; exit 7")
    status, out, err = output(process)
    assert (status, err) == (7, "")
    found, http_url, https_url = out.split()
    assert found == "0"
    assert http_url.startswith("http://127.0.0.1:")
    assert https_url.startswith("https://localhost:")
    assert list(tmp_path.iterdir()) == []


def test_command_without_tls_or_not_there(tmp_path: Path) -> None:
    script = "echo ${PREFOP_TEST_HTTPS-none} $QINIU_ACCESS_KEY; kill -KILL $$"
    process = command_line(tmp_path, "--", "sh", "-c", script)
    assert output(process) == (128 + signal.SIGKILL, f"none {ACCESS_KEY}\n", "")
    assert output(command_line(tmp_path, "--", "./none"))[0] == 127


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_until_a_signal(tmp_path: Path, number: int) -> None:
    with command_line(tmp_path, "--tls") as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(5)]
        assert all(line.startswith("export ") for line in lines)
        process.send_signal(number)
        assert output(process) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_signal_ends_the_command_and_its_children(tmp_path: Path) -> None:
    read, write = os.pipe()  # Ends only when every process holding it has.
    script = "sleep 1000 & sleep 1000 & echo ready; wait"
    with command_line(
        tmp_path, "--tls", "--", "sh", "-c", script, pass_fds=(write,)
    ) as process:
        os.close(write)
        assert process.stdout and process.stdout.readline() == "ready\n"
        process.terminate()
        assert output(process)[0] == 128 + signal.SIGTERM
    assert os.read(read, 1) == b""
    os.close(read)
    assert list(tmp_path.iterdir()) == []


def test_what_a_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    read, write = os.pipe()
    script = "sleep 1000 >/dev/null 2>&1 & exit 3"
    with command_line(tmp_path, "--", "sh", "-c", script, pass_fds=(write,)) as process:
        os.close(write)
        assert output(process)[0] == 3
    assert os.read(read, 1) == b""
    os.close(read)
