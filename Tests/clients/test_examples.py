"""The example programs, each as its reader would run it, against the stub."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from server import StubServer, credentials, signature, tasks

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
LANGUAGES = ("c", "python", "luajit", "ruby")
PATH = "/notify?from=qiniu"
URL = f"https://example.com{PATH}"
JSON = f"Content-Type: {signature.JSON}"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def compiled(name: str, library: pathlib.Path, folder: pathlib.Path, *packages: str) -> str:
    """The C example as its user compiles it, with no pkg-config for the library."""
    program = folder / name
    source = EXAMPLES / f"c/{name}.c"
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    command += [f"-I{ROOT / 'include'}", str(source), "-o", str(program)]
    if packages:
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", *packages], stdout=subprocess.PIPE, check=True)
        command += flags.stdout.decode().split()
    subprocess.run(
        [*command, str(library), f"-Wl,-rpath,{library.parent}"], check=True
    )
    return str(program)


def environment(library: pathlib.Path, **variables: str) -> dict[str, str]:
    """What a program needs to run, with the stub's keys unless told otherwise."""
    keys = {
        "QINIU_ACCESS_KEY": credentials.ACCESS_KEY,
        "QINIU_SECRET_KEY": credentials.SECRET_KEY,
    }
    ours = {"PREFOP_LIBRARY": str(library), "PREFOP_HEADER": str(ROOT / "include/prefop.h")}
    return os.environ | keys | ours | variables


@pytest.fixture(scope="module", params=LANGUAGES)
def status(
    request: pytest.FixtureRequest,
    library: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """Runs the status example of a language."""
    match request.param:
        case "c":
            folder = tmp_path_factory.mktemp("status")
            command = [compiled("status", library, folder)]
        case "python":
            command = [sys.executable, "-B", str(EXAMPLES / "python/status.py")]
        case "luajit":
            command = ["luajit", str(EXAMPLES / "luajit/status.lua")]
        case "ruby":
            command = ["ruby", "-w", str(EXAMPLES / "ruby/status.rb")]

    def run(*ids: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*command, *ids],
            env=environment(library, **variables),
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def shown(run: "subprocess.CompletedProcess[str]") -> str:
    return f"ended with {run.returncode}, printed\n{run.stdout}\nand\n{run.stderr}"


OUTCOMES = [
    # id, exit status, finished, succeeded, failed item
    ("z0.finished", 0, "yes", "yes, every item", None),
    ("z0.undelivered", 0, "yes", "yes, every item", None),
    ("z0.running", 1, "no", "no", None),
    ("z0.waiting", 1, "no", "no", None),
    ("z0.failed", 1, "yes", "no", "1"),
    ("z0.partly", 1, "yes", "no", "1"),
]


@pytest.mark.parametrize(
    ("id", "code", "finished", "succeeded", "failed"),
    OUTCOMES,
    ids=[o[0] for o in OUTCOMES],
)
def test_task(
    status: Run,
    server: StubServer,
    id: str,
    code: int,
    finished: str,
    succeeded: str,
    failed: str | None,
) -> None:
    run = status(id, PREFOP_API_HOSTS=server.http_url)
    assert run.returncode == code, shown(run)
    assert run.stderr == "", shown(run)
    for name, answer in (("finished", finished), ("succeeded", succeeded)):
        assert re.search(rf"^  {name} +{answer}$", run.stdout, re.MULTILINE), shown(run)
    item = re.search(r"^  failed item +(\d+)$", run.stdout, re.MULTILINE)
    assert (item and item[1]) == failed, shown(run)
    assert server.requests[-1].verdict == "verified"


@pytest.mark.parametrize("name", tasks.BY_NAME)
def test_every_field_is_shown(status: Run, server: StubServer, name: str) -> None:
    """Each text and number of the JSON that says something is in the output."""
    id = f"z0.{name}"
    run = status(id, PREFOP_API_HOSTS=server.http_url)
    answer = json.loads(tasks.BY_NAME[name](id))
    values = [v for k, v in answer.items() if k not in ("id", "items") and v not in ("", 0)]
    for item in answer["items"]:
        values += [v for k, v in item.items() if k != "keys" and v not in ("", 0)]
        values += item.get("keys", [])
    for value in values:
        if isinstance(value, int):
            continue  # Worded differently by each program.
        text = value
        if not isinstance(value, str):  # The stub answers compact JSON.
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        assert f" {text}\n" in run.stdout, f"{text!r} is missing: {shown(run)}"


def test_several_tasks_end_with_the_worst(status: Run, server: StubServer) -> None:
    hosts = {"PREFOP_API_HOSTS": server.http_url}
    run = status("z0.finished", "z0.failed", "z0.finished.2", **hosts)
    assert run.returncode == 1, shown(run)
    assert run.stdout.count("\ntask ") == 2, shown(run)
    run = status("no-such-task", "z0.failed", "z0.finished", **hosts)
    assert run.returncode == 2, shown(run)
    assert run.stdout.count("task z0.") == 2, shown(run)


def test_over_tls(status: Run, tls_server: StubServer) -> None:
    variables = {"PREFOP_API_HOSTS": str(tls_server.https_url)}
    untrusted = status("z0.finished", **variables)
    assert untrusted.returncode == 2, shown(untrusted)
    assert "certificate" in untrusted.stderr, shown(untrusted)
    run = status("z0.finished", PREFOP_CA_FILE=str(tls_server.ca_file), **variables)
    assert run.returncode == 0, shown(run)


def test_unknown_task(status: Run, server: StubServer) -> None:
    run = status("no-such-task", PREFOP_API_HOSTS=server.http_url)
    assert run.returncode == 2, shown(run)
    assert run.stdout == "", shown(run)
    for piece in ("no-such-task: ", "HTTP 612", server.requests[-1].reqid):
        assert piece in run.stderr, shown(run)
    assert "try again" not in run.stderr, shown(run)


def test_wrong_secret(status: Run, server: StubServer) -> None:
    run = status(
        "z0.finished", PREFOP_API_HOSTS=server.http_url, QINIU_SECRET_KEY="wrong-secret"
    )
    assert run.returncode == 2, shown(run)
    assert "HTTP 401" in run.stderr, shown(run)
    assert server.requests[-1].reqid in run.stderr, shown(run)
    assert "wrong-secret" not in run.stderr + run.stdout, shown(run)


def test_no_keys(status: Run, server: StubServer) -> None:
    run = status(
        "z0.finished",
        PREFOP_API_HOSTS=server.http_url,
        QINIU_ACCESS_KEY="",
        QINIU_SECRET_KEY="",
    )
    assert run.returncode == 2, shown(run)
    assert "QINIU_ACCESS_KEY" in run.stderr, shown(run)
    assert server.requests == []


def test_refused_host(status: Run, closed_port: str) -> None:
    run = status("z0.finished", PREFOP_API_HOSTS=closed_port)
    assert run.returncode == 2, shown(run)
    assert closed_port.partition("//")[2] in run.stderr, shown(run)
    assert "try again" in run.stderr, shown(run)


def test_wrong_host(status: Run) -> None:
    run = status("z0.finished", PREFOP_API_HOSTS="not a host")
    assert run.returncode == 2, shown(run)
    assert "api_hosts" in run.stderr, shown(run)


def test_usage(status: Run) -> None:
    run = status()
    assert run.returncode == 2, shown(run)
    assert "PERSISTENT-ID" in run.stderr or "z0." in run.stderr, shown(run)


@pytest.mark.parametrize("status", ["python", "luajit", "ruby"], indirect=True)
def test_no_library(status: Run) -> None:
    run = status("z0.finished", PREFOP_LIBRARY="/nowhere/libprefop.so.1")
    assert run.returncode == 2, shown(run)
    assert "/nowhere/libprefop.so.1" in run.stderr, shown(run)


def test_ctrl_c_ends_a_query(library: pathlib.Path, server: StubServer) -> None:
    """In Python, whose own handler runs only when the call has returned."""
    with subprocess.Popen(
        [sys.executable, "-B", str(EXAMPLES / "python/status.py"), "fault.hang"],
        env=environment(library, PREFOP_API_HOSTS=server.http_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert server.wait_for(lambda: server.total == 1)
            # One may come in the moment before the program waits, so until it is heeded.
            while process.poll() is None:
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=2)
            out, err = process.communicate()
        finally:
            process.kill()
    assert (process.returncode, out, err) == (130, "", ""), (process.returncode, out, err)
    assert server.total == 1, "the query went on"


# Waiting


@pytest.fixture(scope="module")
def wait(library: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs the C example for waiting."""
    program = compiled("wait", library, tmp_path_factory.mktemp("wait"))

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [program, *arguments],
            env=environment(library, **variables),
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_wait(wait: Run, server: StubServer) -> None:
    hosts = {"PREFOP_API_HOSTS": server.http_url}
    run = wait("flaky.1.sample.1.wait", **hosts)
    assert (run.returncode, run.stderr) == (0, ""), shown(run)
    assert run.stdout.startswith("task flaky.1.sample.1.wait: succeeded\n"), shown(run)
    assert server.total == 2

    run = wait("z0.failed", **hosts)
    assert run.returncode == 1 and "failed E6009" in run.stdout, shown(run)

    run = wait("z0.running", "1", **hosts)
    assert run.returncode == 3, shown(run)
    assert "task z0.running: processing\n" in run.stdout, shown(run)
    assert "not finished within 1000 ms" in run.stderr, shown(run)

    run = wait("status.400", **hosts)
    assert (run.returncode, run.stdout) == (2, "") and "HTTP 400" in run.stderr, shown(run)
    run = wait()
    assert run.returncode == 2 and "usage" in run.stderr, shown(run)


# Queues


@pytest.fixture(scope="module", params=["poll", "libuv", "glib", "asyncio", "ruby", "luv"])
def many(
    request: pytest.FixtureRequest, library: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Runs an example of a queue in an event loop."""
    folder = tmp_path_factory.mktemp("queue")
    match request.param:
        case "poll":
            command = [compiled("queue", library, folder)]
        case "libuv":
            command = [compiled("queue_libuv", library, folder, "libuv")]
        case "glib":
            command = [compiled("queue_glib", library, folder, "glib-2.0")]
        case "asyncio":
            command = [sys.executable, "-B", str(EXAMPLES / "python/queue_asyncio.py")]
        case "ruby":
            command = ["ruby", "-w", str(EXAMPLES / "ruby/queue.rb")]
        case "luv":
            command = ["luajit", str(EXAMPLES / "luajit/queue_luv.lua")]

    def run(*ids: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*command, *(ids if request.param != "poll" else ())],
            env=environment(library, **variables),
            input="".join(f"{id}\n" for id in ids),
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_many_tasks(many: Run, tls_server: StubServer) -> None:
    hosts = {"PREFOP_API_HOSTS": str(tls_server.https_url), "PREFOP_CA_FILE": str(tls_server.ca_file)}
    ids = [f"echo.{number}" for number in range(300)] + ["z0.running", "fault.slow.200"]
    run = many(*ids, **hosts)
    assert (run.returncode, run.stderr) == (0, ""), shown(run)
    words = {id: "succeeded" for id in ids} | {"z0.running": "processing"}
    assert dict(line.split(": ") for line in run.stdout.splitlines()) == words, shown(run)


def test_many_tasks_of_which_some_fail(many: Run, server: StubServer) -> None:
    run = many("no-such-task", "echo.1", "status.401", PREFOP_API_HOSTS=server.http_url)
    assert run.returncode == 1, shown(run)
    assert run.stdout == "echo.1: succeeded\n", shown(run)
    for id, word in (("no-such-task", "612"), ("status.401", "401")):
        assert re.search(rf"^{id}: .*HTTP {word}", run.stderr, re.MULTILINE), shown(run)


def test_many_tasks_of_which_none_is_accepted(many: Run, server: StubServer) -> None:
    """The loop ends although nothing ever happens."""
    run = many("", PREFOP_API_HOSTS=server.http_url)
    assert (run.returncode, run.stdout) == (1, ""), shown(run)
    assert "persistent_id is empty" in run.stderr, shown(run)
    assert server.total == 0


def test_many_tasks_without_a_host(many: Run) -> None:
    run = many("echo.1", PREFOP_API_HOSTS="not a host")
    assert (run.returncode, run.stdout) == (2, ""), shown(run)
    assert "api_hosts" in run.stderr, shown(run)


def test_none_of_many_tasks(many: Run, server: StubServer) -> None:
    run = many(PREFOP_API_HOSTS=server.http_url)
    assert (run.returncode, run.stdout) == (2, ""), shown(run)


def test_asyncio_goes_on_meanwhile(library: pathlib.Path, server: StubServer) -> None:
    """Other tasks of the loop run, and a cancelled await cancels its query alone."""
    program = """
import asyncio, os
import queue_asyncio as example

async def main():
    async with example.Queue(api_hosts=os.environb[b"PREFOP_API_HOSTS"]) as queue:
        hanging = asyncio.create_task(queue.ask("fault.hang"))
        slow = asyncio.create_task(queue.ask("fault.slow.300"))
        ticks = 0
        while not slow.done():
            await asyncio.sleep(0.001)
            ticks += 1
        assert ticks > 10, ticks
        hanging.cancel()
        try:
            await hanging
            raise SystemExit("it was not cancelled")
        except asyncio.CancelledError:
            pass
        assert example.ffi.string((await queue.ask("echo.1")).persistent_id) == b"echo.1"
        assert not queue._futures
        left = asyncio.create_task(queue.ask("fault.hang"))
        await asyncio.sleep(0)
    # The queue is gone, and with it all that was asked.
    done, _ = await asyncio.wait([left], timeout=30)
    assert done and left.cancelled(), left
    try:
        await queue.ask("echo.1")
        raise SystemExit("there is no queue any more")
    except example.PrefopError:
        pass

asyncio.run(main())
"""
    run = subprocess.run(
        [sys.executable, "-B", "-c", program],
        env=environment(library, PYTHONPATH=str(EXAMPLES / "python"), PREFOP_API_HOSTS=server.http_url),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", ""), shown(run)


# Notifications


def authorization(
    body: bytes, secret: str = credentials.SECRET_KEY, host: str = "example.com"
) -> str:
    """What Qiniu would sign a notification to URL with."""
    headers = [("Content-Type", signature.JSON)]
    return signature.qiniu_authorization(credentials.ACCESS_KEY, secret, "POST", PATH, host, headers, body)


@pytest.fixture(scope="module")
def verify(library: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs the C example for notifications."""
    program = compiled("notification", library, tmp_path_factory.mktemp("notification"))

    def run(body: bytes, *arguments: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [program, *arguments],
            input=body,
            env=environment(library),
            capture_output=True,
            timeout=60,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


def test_c_notification(verify: Run) -> None:
    body = tasks.failed("z0.told")
    signed = f"Authorization: {authorization(body)}"
    run = verify(body, URL, JSON, signed)
    assert run.returncode == 0, shown(run)
    assert run.stdout == "authentic: task z0.told, code 3, failed\n", shown(run)

    run = verify(body + b" ", URL, JSON, signed)
    assert run.returncode == 1, shown(run)
    assert run.stdout == "" and "signature is wrong" in run.stderr, shown(run)

    run = verify(body, URL, JSON)
    assert run.returncode == 1, shown(run)
    assert "no Authorization" in run.stderr, shown(run)

    run = verify(b"", URL, JSON, f"Authorization: {authorization(b'')}")
    assert run.returncode == 2, shown(run)
    assert "PREFOP_ERROR_JSON" in run.stderr, shown(run)

    run = verify(b"x" * (1 << 20), URL, JSON)
    assert run.returncode == 2 and "usage" in run.stderr, shown(run)
    run = verify(b"")
    assert run.returncode == 2 and "usage" in run.stderr, shown(run)


@pytest.fixture
def receiver(library: pathlib.Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The Python example for notifications, listening, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-B", str(EXAMPLES / "python/notification.py"), "0"],
        env=environment(library),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        yield process, line.strip().rpartition("/")[2]
    finally:
        process.kill()
        process.communicate()


def test_python_notification(receiver: tuple["subprocess.Popen[str]", str]) -> None:
    process, address = receiver

    def post(body: bytes, **headers: str) -> int:
        connection = http.client.HTTPConnection(address, timeout=30)
        fields = {"Host": "example.com", "Content-Type": "application/json"}
        connection.request("POST", PATH, body, fields | headers)
        return connection.getresponse().status

    body = tasks.finished("z0.told")
    assert post(body) == 403
    assert post(body, Authorization=authorization(body, "another secret")) == 403
    assert post(body, Authorization=authorization(body, host="example.org")) == 403
    assert post(b"{}", Authorization=authorization(b"{}")) == 400
    assert post(body, Authorization=authorization(body)) == 200
    assert process.stdout
    assert process.stdout.readline() == "task z0.told ended with code 0\n"


# The demo


def test_demo(library: pathlib.Path) -> None:
    run = subprocess.run(
        ["sh", str(EXAMPLES / "demo.sh"), str(library)],
        env=os.environ | {"https_proxy": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, shown(run)
    assert len(re.findall(r"^=== ", run.stdout, re.MULTILINE)) == 8, shown(run)
