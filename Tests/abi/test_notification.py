"""Notifications: what is authentic, what is not, and why not."""

import json
import pathlib
import random
import re
import threading
from ctypes import POINTER, c_char_p
from typing import Any

import pytest
from prefop_binding import (
    ALLOW_UNSIGNED_BODY,
    NO_ENVIRONMENT,
    Error,
    Notification,
    Prefop,
    PrefopError,
    Task,
)
from server.signature import FORM, JSON, token
from signing import Notice, is_task

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors/signatures.json"
TASK = b'{"id":"z0.1","code":3,"items":[{"code":3}]}'


def vector_notices() -> list[Any]:
    notices = []
    for number, v in enumerate(json.loads(VECTORS.read_bytes())):
        for scheme in ("qiniu", "qbox"):
            notice = Notice(
                url=v["url"],
                headers=(*v["headers"].items(), ("Authorization", v[scheme])),
                body=v["body"].encode(),
                method=v["method"],
                access_key=v["access_key"],
                secret_key=v["secret_key"],
            )
            notices.append(pytest.param(notice, id=f"{number}-{scheme}"))
    return notices


VECTOR_NOTICES = vector_notices()


def outcome(prefop: Prefop, notice: Notice, client: Any = None, **members: Any) -> str:
    """The status's name without its prefix; "" for a success."""
    return verify(prefop, notice, client, **members)[0]


def verify(prefop: Prefop, notice: Notice, client: Any = None, **members: Any) -> tuple[str, str]:
    keys = {} if client else {"access_key": notice.access_key, "secret_key": notice.secret_key}
    url = {"url": notice.url, "method": notice.method}
    try:
        task = prefop.verify(notice.lines, notice.body, client, **keys | url | members)
    except PrefopError as error:
        for text in (notice.qiniu_text(), notice.qbox_text()):
            right = token(notice.access_key, notice.secret_key, text).partition(":")[2]
            assert right not in error.message, f"the right signature is shown: {error}"
        short = len(notice.secret_key) < 4  # Part of many a word.
        assert short or notice.secret_key not in error.message, "the secret is shown"
        assert error.attempts == 0 and error.http_status == 0 and error.retryable == 0
        return error.name.removeprefix("PREFOP_ERROR_"), error.message
    assert task["json"] == notice.body.decode()
    return "", ""


@pytest.mark.parametrize("notice", VECTOR_NOTICES)
def test_vectors_of_the_go_sdk(prefop: Prefop, notice: Notice) -> None:
    assert notice.expected() in ("", "JSON", "UNSIGNED_BODY"), "the test's own signing is wrong"
    assert outcome(prefop, notice) == notice.expected(), notice
    allowed = notice.expected()
    if allowed == "UNSIGNED_BODY":
        allowed = "" if is_task(notice.body) else "JSON"
    assert outcome(prefop, notice, flags=ALLOW_UNSIGNED_BODY) == allowed
    other = notice.having(access_key="another")
    assert outcome(prefop, other) == "UNKNOWN_KEY"
    assert outcome(prefop, notice.having(secret_key="x")) == "SIGNATURE"


@pytest.mark.parametrize("notice", VECTOR_NOTICES)
def test_every_byte_counts(prefop: Prefop, notice: Notice) -> None:
    """Each byte of each part changed; what is not covered changes nothing."""
    kinds = set()
    for changed in changes(notice):
        expected = changed.expected()
        status = outcome(prefop, changed)
        if status == "ARGUMENT" and not re.match(r"(https?:/)?/", changed.url):
            continue
        assert status == expected, f"{changed}\nchanged from {notice}"
        kinds.add(status)
    assert {"SIGNATURE", "UNKNOWN_KEY", "UNSIGNED"} <= kinds


def changes(notice: Notice) -> Any:
    for index in range(len(notice.method)):
        yield notice.having(method=flip(notice.method, index))
    for index in range(len(notice.url)):
        yield notice.having(url=flip(notice.url, index))
    for index in range(len(notice.body)):
        body = bytearray(notice.body)
        body[index] ^= 1
        yield notice.having(body=bytes(body))
    yield notice.having(body=notice.body + b" ")
    yield notice.having(body=notice.body[:-1])
    for which, (name, value) in enumerate(notice.headers):
        before, after = notice.headers[:which], notice.headers[which + 1 :]
        yield notice.having(headers=before + after)
        for index in range(len(name)):
            yield notice.having(headers=(*before, (flip(name, index), value), *after))
        for index in range(len(value)):
            yield notice.having(headers=(*before, (name, flip(value, index)), *after))


def flip(text: str, index: int) -> str:
    """One character changed, into none that would end or split the text."""
    changed = chr(ord(text[index]) ^ 1)
    changed = "z" if changed in "#@:\n\r\0\x7f" or ord(changed) < 32 else changed
    changed = "y" if changed == text[index] else changed
    return text[:index] + changed + text[index + 1 :]


@pytest.mark.parametrize("scheme", ["Qiniu", "QBox"])
@pytest.mark.parametrize("kind", [FORM, JSON, None, "text/plain", JSON.upper(), f"{JSON}; charset=utf-8"])
def test_coverage_by_content_type(prefop: Prefop, scheme: str, kind: str | None) -> None:
    headers = () if kind is None else (("Content-Type", kind),)
    notice = Notice(headers=headers, body=TASK).signed(scheme)
    covered = kind in (None, FORM) or (kind == JSON and scheme == "Qiniu")
    assert outcome(prefop, notice) == ("" if covered else "UNSIGNED_BODY")
    assert outcome(prefop, notice, flags=ALLOW_UNSIGNED_BODY) == ""
    forged = notice.having(body=b'{"code":0}')
    assert outcome(prefop, forged, flags=ALLOW_UNSIGNED_BODY) == ("SIGNATURE" if covered else "")


@pytest.mark.parametrize(
    "kind", [f"{JSON}; charset=utf-8", f"{JSON};charset=UTF-8", f"{FORM}; charset=utf-8", "text/plain"]
)
def test_body_signed_although_the_type_has_parameters(prefop: Prefop, kind: str) -> None:
    """Peers differ on whether the body is signed then: both are right."""
    notice = Notice(headers=(("Content-Type", kind),), body=TASK)
    assert outcome(prefop, notice.signed(with_body=True)) == ""
    assert outcome(prefop, notice.signed(with_body=False)) == "UNSIGNED_BODY"
    forged = notice.signed(with_body=True).having(body=b'{"code":0}')
    assert outcome(prefop, forged, flags=ALLOW_UNSIGNED_BODY) == "SIGNATURE"


@pytest.mark.parametrize(
    "authorization", [None, "", "Qiniu", "QBox", "Basic YTpi", "Bearer x", "Qiniux a:b", "a:b", "AWS a:b"]
)
def test_unsigned(prefop: Prefop, authorization: str | None) -> None:
    notice = Notice()
    if authorization is not None:
        notice = notice.with_header("Authorization", authorization)
    assert outcome(prefop, notice) == "UNSIGNED"
    assert outcome(prefop, notice, flags=ALLOW_UNSIGNED_BODY) == "UNSIGNED"


@pytest.mark.parametrize("scheme", ["Qiniu", "QBox"])
@pytest.mark.parametrize(
    "rest", ["an-access-key:", "an-access-key:x", "an-access-key:" + "x" * 10_000, "an-access-key"]
)
def test_signatures_that_are_none(prefop: Prefop, scheme: str, rest: str) -> None:
    notice = Notice().with_header("Authorization", f"{scheme} {rest}")
    assert outcome(prefop, notice) in ("SIGNATURE", "UNKNOWN_KEY")[: 1 + (":" not in rest)]


def test_signature_with_something_behind_or_cut(prefop: Prefop) -> None:
    notice = Notice().signed()
    *others, (name, value) = notice.headers
    for changed in (value + "=", value + "a", value[:-1], value[:-2], value.replace("=", "")):
        assert outcome(prefop, notice.having(headers=(*others, (name, changed)))) == "SIGNATURE"


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title, str.swapcase])
def test_header_names_in_any_case(prefop: Prefop, change: Any) -> None:
    notice = Notice(
        headers=(("Content-Type", JSON), ("X-Qiniu-Date", "20260101T000000Z"), ("Host", "h")), url="/n"
    ).signed()
    headers = tuple((change(n), v) for n, v in notice.headers)
    assert outcome(prefop, notice.having(headers=headers)) == ""


def test_order_of_headers_does_not_matter(prefop: Prefop) -> None:
    names = ["Content-Type", "X-Qiniu-B", "X-Qiniu-A", "X-Qiniu-Aa", "X-Qiniu-A-B", "X-Qiniu-10", "X-Other"]
    headers = [(n, JSON if n == "Content-Type" else n.lower()) for n in names]
    notice, chance = Notice(headers=tuple(headers)).signed(), random.Random(1)
    for _ in range(50):
        shuffled = list(notice.headers)
        chance.shuffle(shuffled)
        assert outcome(prefop, notice.having(headers=tuple(shuffled))) == "", shuffled


def test_headers_not_covered_may_change(prefop: Prefop) -> None:
    notice = Notice().signed().with_header("X-Qiniu-", "nothing after it").with_header("X-Qiniux", "a")
    assert outcome(prefop, notice.with_header("X-Forwarded-For", "1.2.3.4")) == ""
    assert outcome(prefop, notice.with_header("X-Qiniu-New", "a")) == "SIGNATURE"


def test_of_a_repeated_header_the_first_counts(prefop: Prefop) -> None:
    notice = Notice(headers=(("Content-Type", JSON), ("X-Qiniu-A", "1"))).signed()
    for name in ("X-Qiniu-A", "x-qiniu-a", "Content-Type", "Authorization"):
        assert outcome(prefop, notice.with_header(name, "another")) == "", name
        first = notice.having(headers=((name, "another"), *notice.headers))
        assert outcome(prefop, first) == first.expected() != "", name


def test_odd_header_lines(prefop: Prefop) -> None:
    """Blanks around values do not count; lines without a colon are no headers."""
    notice = Notice(headers=(("Content-Type", f"  {JSON}\t "), ("X-Qiniu-A", "a b: c"), ("X-Qiniu-E", ""))).signed()
    assert outcome(prefop, notice) == ""
    keys = {"access_key": notice.access_key, "secret_key": notice.secret_key, "url": notice.url}
    lines = [*notice.lines, "", ":", "nonsense", ": value", "X-Other"]
    assert prefop.verify(lines, notice.body, **keys)["code"] == 0
    tight = [line.replace(": ", ":", 1) for line in notice.lines]
    assert prefop.verify(tight, notice.body, **keys)["code"] == 0


@pytest.mark.parametrize("path", ["/a%20b", "/%E4%B8%AD", "/a%2Fb", "/%41", "/%zz%4", "/a+b", "/%25", "/%c3%A9?q=%20"])
def test_path_signed_decoded_or_as_it_is(prefop: Prefop, path: str) -> None:
    for scheme in ("Qiniu", "QBox"):
        notice = Notice(url=f"https://example.com{path}", headers=(("Content-Type", FORM),))
        assert outcome(prefop, notice.signed(scheme)) == ""
        assert outcome(prefop, notice.signed(scheme, decode=True)) == ""


URLS = [
    *(
        "https://example.com/notify",
        "http://example.com:8080/notify?a=1&b=2",
        "https://example.com",
        "https://example.com/",
    ),
    *(
        "https://example.com?a=1",
        "http://[::1]:9000/n",
        "https://example.com/n?u=http://x/y?z",
        "https://example.com/a//b/../c",
    ),
    *("https://user:pw@example.com/n", "https://example.com/中文?键=值", "https://example.com/n#part"),
]


@pytest.mark.parametrize("url", URLS)
def test_urls(prefop: Prefop, url: str) -> None:
    assert outcome(prefop, Notice(url=url).signed()) == ""
    assert outcome(prefop, Notice(url=url).signed("QBox"), flags=ALLOW_UNSIGNED_BODY) == ""


@pytest.mark.parametrize(
    "url", ["", "example.com/n", "ftp://example.com/n", "?a=1", "notify", "mailto:a@b", "https:/example.com/n"]
)
def test_urls_to_refuse(prefop: Prefop, url: str) -> None:
    assert outcome(prefop, Notice().signed(), url=url) == "ARGUMENT"


def test_host_from_the_headers(prefop: Prefop) -> None:
    notice = Notice(url="/notify?a=1", headers=(("Content-Type", JSON), ("Host", "example.com:8443"))).signed()
    assert outcome(prefop, notice) == ""
    assert outcome(prefop, notice, url="https://example.com:8443/notify?a=1") == ""
    assert outcome(prefop, notice, url="https://example.com/notify?a=1") == "SIGNATURE", "the url's host counts"
    without = notice.having(headers=tuple(h for h in notice.headers if h[0] != "Host"))
    status, message = verify(prefop, without)
    assert status == "ARGUMENT" and "Host" in message


def test_method_is_post_when_null(prefop: Prefop) -> None:
    assert outcome(prefop, Notice().signed(), method=None) == ""
    assert outcome(prefop, Notice(method="PUT").signed(), method=None) == "SIGNATURE"
    assert outcome(prefop, Notice(method="PUT").signed()) == ""


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"id=z0.1&code=0", b"{}", b"[]", b'{"error":"x"}', b'{"code":0', b'{"code":"0"}', b"\xff", b"\0"],
)
def test_authentic_but_no_task(prefop: Prefop, body: bytes) -> None:
    for notice in (Notice(body=body).signed(), Notice(body=body, headers=(("Content-Type", FORM),)).signed("QBox")):
        status, message = verify(prefop, notice)
        assert status == "JSON" and message, notice


def test_nothing_of_a_body_is_read_before_its_signature_is_right(prefop: Prefop) -> None:
    for body in (b"", b"not json", TASK, b"{" * 10_000):
        notice = Notice().signed().having(body=body)
        assert verify(prefop, notice) == verify(prefop, Notice().signed().having(body=TASK)), body


def test_body_with_nul(prefop: Prefop) -> None:
    """The length counts, not the first NUL."""
    body = TASK + b"\0hidden"
    notice = Notice(body=body).signed()
    assert outcome(prefop, notice) == "JSON"
    assert outcome(prefop, notice.having(body=TASK + b"\0Hidden")) == "SIGNATURE"
    assert outcome(prefop, notice.having(body=TASK)) == "SIGNATURE"


def test_workflow_notification(prefop: Prefop) -> None:
    body = {
        "id": "w1",
        "pipeline": "p",
        "notify": "https://example.com",
        "input": {"bucket": "b", "key": "k"},
        "status": "FINISHED",
        "success": True,
        "result": {"code": 0, "desc": "ok", "reqid": "r"},
        "ops": [{"id": "z0.1", "fop": {"code": 0}}],
    }
    status, message = verify(prefop, Notice(body=json.dumps(body).encode()).signed())
    assert status == "JSON" and "workflow" in message, message


def test_credentials(prefop: Prefop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notification's pair counts, then the client's, then the default client's."""
    notice = Notice().signed()
    own = {"access_key": notice.access_key, "secret_key": notice.secret_key}
    with prefop.client(flags=NO_ENVIRONMENT) as client:
        status, message = verify(prefop, notice, client)
        assert status == "CREDENTIALS" and "access_key" in message
        assert outcome(prefop, notice, client, **own) == ""
        client.set_credentials("another", "pair")
        assert outcome(prefop, notice, client) == "UNKNOWN_KEY"
        assert outcome(prefop, notice, client, **own) == ""
        client.set_credentials(notice.access_key, "another secret"[:7])
        assert outcome(prefop, notice, client) == "SIGNATURE"
        client.set_credentials(**own)
        assert outcome(prefop, notice, client) == ""
        client.set_credentials(None, None)
        assert outcome(prefop, notice, client) == "CREDENTIALS"
    with prefop.client(**own) as client:
        assert outcome(prefop, notice, client) == ""


def test_the_same_notification_again_and_from_many_threads(prefop: Prefop) -> None:
    good, forged = Notice(body=TASK).signed(), Notice(body=TASK).signed().having(body=b"{}")
    wrong = []
    with prefop.client(access_key=good.access_key, secret_key=good.secret_key) as client:

        def work() -> None:
            for _ in range(200):
                seen = outcome(prefop, good, client), outcome(prefop, forged, client)
                if seen != ("", "SIGNATURE"):
                    wrong.append(seen)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_wrong_arrays(prefop: Prefop) -> None:
    lines = (c_char_p * 2)(b"Content-Type: a", None)
    keys = {"url": b"http://a/", "access_key": b"a", "secret_key": b"b"}
    for members, piece in (
        ({"header_count": 1}, b"headers"),
        ({"headers": lines, "header_count": 2}, b"headers[1]"),
        ({"headers": lines, "header_count": 2**64 - 1}, b"header_count"),
        ({"body_length": 1}, b"body"),
        ({"body": b"x", "body_length": 2**64 - 1}, b"body"),
    ):
        task, error = POINTER(Task)(), Error()
        status = prefop.c.prefop_notification_verify(None, Notification(**keys, **members), task, error)
        assert prefop.status_name(status) == "PREFOP_ERROR_ARGUMENT", (members, error.message)
        assert piece in error.message, error.message


def test_large_body(prefop: Prefop) -> None:
    body = b'{"code":0,"x":"' + b"x" * 5_000_000 + b'"}'
    notice = Notice(body=body).signed()
    assert outcome(prefop, notice) == ""
    assert outcome(prefop, notice.having(body=body[:-3] + b'y"}')) == "SIGNATURE"


@pytest.mark.parametrize(
    "notice",
    [
        Notice(url="https://a.example/n\nX-Qiniu-B: 1"),
        Notice(url="https://a.example/n m"),
        Notice(method="POST /n"),
        Notice(method="POST\n"),
        Notice(headers=(("X-Qiniu-A", "1\nX-Qiniu-B: 2"),)),
        Notice(headers=(("X-Qiniu-A", "1\r\nX-Qiniu-B: 2"),)),
    ],
)
def test_no_part_may_pass_for_two(prefop: Prefop, notice: Notice) -> None:
    """A line end in the signed text would make two parts of one."""
    assert outcome(prefop, notice.signed()) == "ARGUMENT"


@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        ("https://a.example/cb?user=1", "https://a.example/cb%3Fuser=1"),
        ("https://a.example/cb", "https://a.example/cb%0AHost:%20b"),
    ],
)
def test_an_escape_does_not_move_a_part_into_the_path(prefop: Prefop, signed: str, sent: str) -> None:
    notice = Notice(url=signed, headers=(("Content-Type", FORM),)).signed()
    assert outcome(prefop, notice, url=sent) == "SIGNATURE"


def test_a_forged_body_does_not_pass_as_the_rest_of_a_signed_one(prefop: Prefop) -> None:
    """QBox signs path, line end, body: a line end in the path must not shift them."""
    forged = b'{"id":"forged","code":0}'
    honest = Notice(url="https://a.example/upload", headers=(("Content-Type", FORM),), body=b"x=1\n" + forged)
    honest = honest.signed("QBox")
    assert outcome(prefop, honest.having(url="https://a.example/upload%0Ax=1", body=forged)) == "SIGNATURE"


def test_what_a_stranger_may_ask_for_is_bounded(prefop: Prefop) -> None:
    few = tuple((f"X-Qiniu-{n:03}", "v") for n in range(64))
    assert outcome(prefop, Notice(headers=few).signed(), flags=ALLOW_UNSIGNED_BODY) == ""
    many = (*few, ("X-Qiniu-More", "v"))
    assert outcome(prefop, Notice(headers=many).signed()) == "ARGUMENT"
    long = (("X-Other", "v" * 65_536),)
    assert outcome(prefop, Notice(headers=long).signed()) == "ARGUMENT"
