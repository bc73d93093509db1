"""Client options and key pairs: which are taken, and how the others are refused."""

from typing import Any

import pytest
from prefop_binding import NO_ENVIRONMENT, USE_HTTP, Prefop, PrefopError

SECRET = "a-secret-that-must-not-be-shown"
KEYS = {"access_key": "an-access-key", "secret_key": SECRET}
LONG_LABELS = ".".join(["a" * 63] * 3 + ["b" * 61])


def refusal(prefop: Prefop, **options: Any) -> PrefopError:
    with pytest.raises(PrefopError) as caught:
        prefop.client(**options).close()
    message = caught.value.message
    assert SECRET not in message, f"a secret is in {message!r}"
    assert message and message.isprintable(), repr(message)
    assert caught.value.retryable == 0
    return caught.value


@pytest.mark.parametrize(
    "hosts",
    [
        "api.qiniuapi.com",
        "api.qiniuapi.com:8443",
        "http://api.qiniuapi.com",
        "https://api.qiniuapi.com:443",
        "https://api.qiniuapi.com/",
        "API.QiniuAPI.com",
        "HTTP://Api.Example",
        "localhost",
        "127.0.0.1:1",
        "127.0.0.1:65535",
        "[::1]",
        "[::1]:80",
        "https://[2001:db8::1]:8443/",
        "a_b.example",
        "xn--fiqs8s.example",
        "a.example,b.example",
        "a.example , http://b.example:81 ,https://c.example",
        ",".join(f"h{n}.example" for n in range(32)),
        LONG_LABELS,
        None,
    ],
)
def test_hosts_taken(prefop: Prefop, hosts: str | None) -> None:
    prefop.client(api_hosts=hosts).close()


@pytest.mark.parametrize(
    "hosts",
    [
        "",
        " ",
        ",",
        "a.example,",
        ",a.example",
        "a.example,,b.example",
        "a.example, ,b.example",
        "https://",
        "http:///",
        "https://:80",
        ":80",
        "a.example:",
        "a.example:0",
        "a.example:65536",
        "a.example:99999999999999999999",
        "a.example:abc",
        "a.example:80a",
        "a.example:+80",
        "a.example:-1",
        "a.example:8 0",
        "a.example:80:80",
        "a.example/path",
        "https://a.example/path",
        "https://a.example//",
        "https://a.example?x=1",
        "a.example?x",
        "a.example#x",
        ".",
        "..",
        ".a.example",
        "a..example",
        "https://../",
        "a b.example",
        "a\tb.example",
        "a\r\nHost: b",
        "a.example\x7f",
        "视频.example",
        "a.example%00",
        f"user:{SECRET}@a.example",
        f"https://user:{SECRET}@a.example",
        f"http://{SECRET}@a.example:80",
        "ftp://a.example",
        "file:///etc/passwd",
        "httpss://a.example",
        "http//a.example",
        "::1",
        "[::1",
        "[]",
        "[]:80",
        "[::1]80",
        "[::1]:",
        "[::1]:0",
        "[gg::1]",
        "[1.2.3.4]",
        "[1:2:3:4:5:6:7:8:9]",
        "a" * 254,
        ",".join(f"h{n}.example" for n in range(33)),
    ],
)
def test_hosts_refused(prefop: Prefop, hosts: str) -> None:
    error = refusal(prefop, api_hosts=hosts)
    assert error.name == "PREFOP_ERROR_CONFIGURATION", error
    assert "api_hosts" in error.message, error


@pytest.mark.parametrize(
    ("hosts", "flags", "host", "scheme"),
    [
        ("LOCALHOST:1", USE_HTTP, "localhost:1", "http"),
        ("http://127.0.0.1:1/", 0, "127.0.0.1:1", "http"),
        ("HTTPS://127.0.0.1:1", USE_HTTP, "127.0.0.1:1", "https"),
    ],
)
def test_host_in_error(prefop: Prefop, hosts: str, flags: int, host: str, scheme: str) -> None:
    """error.host is what is sent as Host: lower case, the port as given."""
    options = {**KEYS, "max_attempts": 1, "api_hosts": hosts, "flags": flags}
    with prefop.client(**options) as client, pytest.raises(PrefopError) as caught:
        client.query("x")
    assert caught.value.name == "PREFOP_ERROR_CONNECT", caught.value
    assert caught.value.host == host


@pytest.mark.parametrize(
    ("member", "values"),
    [
        ("max_response_bytes", [-1, -(2**63), 2**30 + 1, 2**63 - 1]),
        ("max_attempts", [-1, -(2**31), 101, 2**31 - 1]),
        ("max_in_flight", [-1, -(2**31), 10_001, 2**31 - 1]),
        ("user_agent", ["x" * 129, "a\nb", "a\r\nX: y", "a\tb", "ä", "\x7f"]),
        ("ca_file", [""]),
    ],
)
def test_values_refused(prefop: Prefop, member: str, values: list[Any]) -> None:
    for value in values:
        error = refusal(prefop, **{member: value})
        assert error.name == "PREFOP_ERROR_CONFIGURATION", (value, error)
        assert member in error.message, (value, error)
        if isinstance(value, int):
            assert f"{member} is {value}: " in error.message, (value, error)


@pytest.mark.parametrize(
    ("member", "values"),
    [
        ("max_response_bytes", [0, 1, 2**30]),
        ("max_attempts", [0, 1, 100]),
        ("user_agent", ["", "x" * 128, "my-tool/1.0 (~!)"]),
        ("timeout_ms", [0, 1, -1, -(2**63), 2**63 - 1]),
        ("attempt_timeout_ms", [0, 1, -1, -(2**63), 2**63 - 1]),
        ("connect_timeout_ms", [0, 1, -1, -(2**63), 2**63 - 1]),
        ("proxy", ["", "127.0.0.1:1", "http://u:p@127.0.0.1:1"]),
    ],
)
def test_values_taken(prefop: Prefop, member: str, values: list[Any]) -> None:
    for value in values:
        prefop.client(**{member: value}).close()


@pytest.mark.parametrize("timeout", [-1, -(2**63), 2**63 - 1])
def test_no_timeout(prefop: Prefop, server: Any, timeout: int) -> None:
    """Negative is none, and the largest number does not overflow into none left."""
    members = ("timeout_ms", "attempt_timeout_ms", "connect_timeout_ms")
    options = dict.fromkeys(members, timeout)
    environment = server.environment
    with prefop.client(
        api_hosts=server.http_url,
        access_key=environment["QINIU_ACCESS_KEY"],
        secret_key=environment["QINIU_SECRET_KEY"],
        **options,
    ) as client:
        assert client.query("echo.1", timeout_ms=timeout)["persistent_id"] == "echo.1"


# Key pairs.

BAD_KEYS = ["", "qz x", "qz\nx", "qz\r\nX: y", "qz\tx", "qzä", "qz\x7f", "qz" * 129]


def halves() -> list[Any]:
    return [({"access_key": "a"}, "secret_key"), ({"secret_key": SECRET}, "access_key")]


@pytest.mark.parametrize(("given", "missing"), halves())
def test_half_a_pair(prefop: Prefop, given: dict[str, str], missing: str) -> None:
    """The half that is missing is named, wherever the other is given."""
    error = refusal(prefop, **given)
    assert error.name == "PREFOP_ERROR_CONFIGURATION", error
    assert missing in error.message
    with prefop.client(**KEYS) as client:
        for call in (
            lambda: client.query("x", **given),
            lambda: prefop.verify(client=client, url="http://a/", **given),
            lambda: client.set_credentials(given.get("access_key"), given.get("secret_key")),
        ):
            with pytest.raises(PrefopError) as caught:
                call()
            assert caught.value.name == "PREFOP_ERROR_ARGUMENT", caught.value
            assert missing in caught.value.message, caught.value
            assert SECRET not in caught.value.message


def at(which: str, key: str) -> dict[str, str]:
    return {"access_key": "a", "secret_key": SECRET} | {which: key}


@pytest.mark.parametrize("which", ["access_key", "secret_key"])
@pytest.mark.parametrize("key", BAD_KEYS)
def test_bad_keys(prefop: Prefop, which: str, key: str) -> None:
    pair = at(which, key)
    error = refusal(prefop, **pair)
    assert error.name == "PREFOP_ERROR_CONFIGURATION" and which in error.message
    with prefop.client(**KEYS) as client:
        for call in (
            lambda: client.query("x", **pair),
            lambda: prefop.verify(client=client, url="http://a/", **pair),
            lambda: client.set_credentials(pair["access_key"], pair["secret_key"]),
        ):
            with pytest.raises(PrefopError) as caught:
                call()
            assert caught.value.name == "PREFOP_ERROR_ARGUMENT", caught.value
            assert which in caught.value.message
            assert SECRET not in caught.value.message
            if which == "secret_key":
                assert "qz" not in caught.value.message, "part of the secret shows"


@pytest.mark.parametrize("key", ["x", "x" * 256, "!~"])
def test_good_keys(prefop: Prefop, key: str) -> None:
    with prefop.client(access_key=key, secret_key=key) as client:
        client.set_credentials(key, key)
        client.set_credentials(None, None)


@pytest.mark.parametrize("key", ["a:b", ":", ":a", "a:"])
def test_a_colon_ends_an_access_key(prefop: Prefop, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """What it is sent in, "key:signature", could not be taken apart; a secret key is not sent."""
    pair = at("access_key", key)
    error = refusal(prefop, **pair)
    assert error.name == "PREFOP_ERROR_CONFIGURATION", error.fields
    assert error.message.startswith('options.access_key has a ":" in it'), error.message
    with prefop.client(access_key="a", secret_key=key) as client:
        for call in (
            lambda: client.query("x", **pair),
            lambda: prefop.verify(client=client, url="http://a/", **pair),
            lambda: client.set_credentials(pair["access_key"], pair["secret_key"]),
        ):
            with pytest.raises(PrefopError) as caught:
                call()
            assert caught.value.name == "PREFOP_ERROR_ARGUMENT", caught.value
            assert 'access_key has a ":" in it' in caught.value.message
    monkeypatch.setenv("QINIU_ACCESS_KEY", key)
    monkeypatch.setenv("QINIU_SECRET_KEY", SECRET)
    error = refusal(prefop)
    assert error.name == "PREFOP_ERROR_CONFIGURATION", error.fields
    assert error.message.startswith('QINIU_ACCESS_KEY has a ":" in it'), error.message


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("QINIU_ACCESS_KEY", "QINIU_SECRET_KEY"),
        ("QINIU_SECRET_KEY", "QINIU_ACCESS_KEY"),
    ],
)
def test_half_a_pair_in_the_environment(
    prefop: Prefop, monkeypatch: pytest.MonkeyPatch, given: str, missing: str, empty: str | None
) -> None:
    monkeypatch.setenv(given, SECRET)
    if empty is not None:
        monkeypatch.setenv(missing, empty)
    error = refusal(prefop)
    assert error.name == "PREFOP_ERROR_CONFIGURATION" and missing in error.message
    prefop.client(flags=NO_ENVIRONMENT).close()
    prefop.client(**KEYS).close()


@pytest.mark.parametrize("name", ["QINIU_ACCESS_KEY", "QINIU_SECRET_KEY"])
@pytest.mark.parametrize("key", BAD_KEYS[1:])
def test_bad_keys_in_the_environment(prefop: Prefop, monkeypatch: pytest.MonkeyPatch, name: str, key: str) -> None:
    monkeypatch.setenv("QINIU_ACCESS_KEY", "a")
    monkeypatch.setenv("QINIU_SECRET_KEY", SECRET)
    monkeypatch.setenv(name, key)
    error = refusal(prefop)
    assert error.name == "PREFOP_ERROR_CONFIGURATION" and name in error.message


def test_no_secret_of_a_proxy_is_shown(prefop: Prefop) -> None:
    """Whatever libcurl says of a proxy that it does not take."""
    proxies = [
        f"ftp://user:{SECRET}@127.0.0.1:1",
        f"http://user:{SECRET}@127.0.0.1:1",
        f"http://user:{SECRET}@[::1:1",
        f"http://user:{SECRET}@127.0.0.1:notaport",
        f"http://user:{SECRET}@not-there.invalid:1",
        f"gopher://user:{SECRET}@127.0.0.1",
        f"socks5://user:{SECRET}@127.0.0.1:1",
    ]
    for proxy in proxies:
        options = {**KEYS, "api_hosts": "http://a.example", "proxy": proxy}
        try:
            with prefop.client(**options, max_attempts=1) as client:
                client.query("x")
        except PrefopError as error:
            assert SECRET not in error.message, f"{proxy}: {error.message}"
            assert "a-sec" not in str(error.fields), f"{proxy}: {error.fields}"
            assert error.name in (
                "PREFOP_ERROR_CONFIGURATION",
                "PREFOP_ERROR_CONNECT",
                "PREFOP_ERROR_RESOLVE",
                "PREFOP_ERROR_SYSTEM",
            ), f"{proxy}: {error}"
        else:
            pytest.fail(f"{proxy} was used")
