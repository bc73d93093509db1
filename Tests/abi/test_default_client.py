"""The default client, each time in a process of its own: it cannot be freed."""

import os
import pathlib
import subprocess
import sys
import textwrap

import pytest
from proxy import Proxy
from server import StubServer

TESTS = pathlib.Path(__file__).resolve().parents[1]
PREAMBLE = """
import os, sys
sys.path[:0] = [sys.argv[2]]
from prefop_binding import *
prefop = Prefop(sys.argv[1])
KEYS = sys.argv[3:7]

def status(call, *arguments, **options):
    try:
        call(*arguments, **options)
        return "OK"
    except PrefopError as error:
        assert KEYS[1] not in error.message
        return f"{error.name.removeprefix('PREFOP_ERROR_')} {error.message}"

def set_credentials(access_key, secret_key):
    error = Error()
    keys = [as_bytes(access_key), as_bytes(secret_key)]
    prefop.check(prefop.c.prefop_client_set_credentials(None, *keys, error), error)
"""
# No network: the default host's name has no address behind a proxy that is none.
NOWHERE = {"https_proxy": "http://127.0.0.1:1"}


def run(library: pathlib.Path, script: str, **environment: str) -> list[str]:
    """The lines that a script prints."""
    keys = ["AK-of-the-stub-server", "SK-of-the-stub-server", "a", "b"]
    done = subprocess.run(
        [
            sys.executable,
            "-B",
            "-c",
            PREAMBLE + textwrap.dedent(script),
            str(library),
            str(TESTS / "clients/python"),
            *keys,
        ],
        env=os.environ | NOWHERE | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout.splitlines()


def first_words(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines]


def test_no_credentials_until_the_environment_has_them(library: pathlib.Path) -> None:
    lines = run(
        library,
        """
        print(status(prefop.query, "x"))
        os.environ["QINIU_ACCESS_KEY"], os.environ["QINIU_SECRET_KEY"] = KEYS[:2]
        print(status(prefop.query, "x"))
        """,
    )
    assert first_words(lines) == ["CREDENTIALS", "CONNECT"], lines


@pytest.mark.parametrize("missing", ["QINIU_ACCESS_KEY", "QINIU_SECRET_KEY"])
def test_a_failure_to_make_it_is_not_remembered(library: pathlib.Path, missing: str) -> None:
    """Half a pair in the environment, then a whole one."""
    other = {"QINIU_ACCESS_KEY", "QINIU_SECRET_KEY"} - {missing}
    lines = run(
        library,
        f"""
        print(status(prefop.query, "x"))
        print(status(set_credentials, "a", "b"))
        print(status(prefop.verify, url="http://a/"))
        os.environ["{missing}"] = KEYS[1]
        print(status(prefop.query, "x"))
        print(status(prefop.verify, url="http://a/"))
        print(status(set_credentials, "a", "b"))
        """,
        **{other.pop(): "SK-of-the-stub-server"},
    )
    words = first_words(lines)
    assert words == [*["CONFIGURATION"] * 3, "CONNECT", "UNSIGNED", "OK"], lines
    assert all(missing in line for line in lines[:3]), lines


def test_arguments_come_first(library: pathlib.Path) -> None:
    lines = run(
        library,
        """
        print(status(prefop.query, ""))
        print(status(set_credentials, "a", None))
        print(status(set_credentials, "", ""))
        prefop.c.prefop_client_free(None)
        print(status(set_credentials, None, None))
        print(status(prefop.query, "x"))
        """,
    )
    expected = ["ARGUMENT", "ARGUMENT", "ARGUMENT", "OK", "CREDENTIALS"]
    assert first_words(lines) == expected, lines


def test_credentials_set_before_the_first_query(library: pathlib.Path) -> None:
    lines = run(
        library,
        """
        set_credentials(*KEYS[:2])
        print(status(prefop.query, "x"))
        print(status(prefop.query, "x", access_key="a", secret_key="b"))
        """,
    )
    assert first_words(lines) == ["CONNECT", "CONNECT"], lines
    assert "127.0.0.1" in lines[0] or "api.qiniuapi.com" in lines[0]


def test_it_finds_hosts(library: pathlib.Path) -> None:
    """Through a proxy, which is asked for tunnels to them, and refuses."""

    with Proxy(refuse=503) as proxy:
        lines = run(
            library,
            """
            print(status(prefop.query, "z0.x", timeout_ms=3000))
            """,
            QINIU_ACCESS_KEY="a",
            QINIU_SECRET_KEY="b",
            https_proxy=proxy.address,
        )
        asked = [line.split(" ")[1].removesuffix(":443") for line in proxy.request_lines()]
    assert asked == [
        "api-z0.qiniuapi.com", "uc.qiniuapi.com", "kodo-config.qiniuapi.com", "uc.qbox.me", "api.qiniuapi.com",
        "api.qiniu.com",
    ], lines


def test_many_threads_make_one(library: pathlib.Path) -> None:
    lines = run(
        library,
        """
        import threading
        barrier, seen = threading.Barrier(8), []

        def work():
            barrier.wait()
            seen.append(status(prefop.query, "x").split()[0])

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(*seen)
        """,
        QINIU_ACCESS_KEY="a",
        QINIU_SECRET_KEY="b",
    )
    assert lines == [" ".join(["CONNECT"] * 8)]


def test_after_fork_a_client_works_in_the_child(library: pathlib.Path, server: StubServer) -> None:
    lines = run(
        library,
        f"""
        with prefop.client(api_hosts="{server.http_url}", access_key=KEYS[0], secret_key=KEYS[1]) as client:
            client.query("echo.parent")
            child = os.fork()
            if child == 0:
                os._exit(0 if client.query("echo.child")["code"] == 0 else 9)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            print(client.query("echo.parent.again")["persistent_id"])
        """,
    )
    assert lines == ["0", "echo.parent.again"]
    connections = {r.id: r.connection for r in server.requests}
    assert connections["echo.parent"] == connections["echo.parent.again"]
    assert connections["echo.child"] != connections["echo.parent"]
