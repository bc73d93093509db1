"""One table of answers, asked for from several languages, over HTTP and TLS.

scenarios.json says for each id of the stub server what must come of it:

    status       the status's name, or a list of those that are right
    task         whose JSON the task is: a name in server.tasks.BY_NAME, "echo",
                 "padded", or "sample"
    message      pieces of error.message
    retry_after_ms  the least and the most; of a date a second more, because the
                    second that time() tells may lag behind by a tick
    others       members of prefop_error, exactly

`options` are those of the client.
"""

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from expectation import expected_task
from prefop_binding import Prefop
from server import StubServer, tasks

HERE = pathlib.Path(__file__).resolve().parent
HEADER = HERE.parent.parent / "include/prefop.h"
SCENARIOS = json.loads((HERE / "scenarios.json").read_text())
DRIVERS = ("c", "luajit", "python", "ruby")


class Run(NamedTuple):
    """What a driver printed, by id, and what the server saw of it."""

    answers: dict[str, Any]
    records: list[Any]
    host: str


def driver_command(name: str, library: pathlib.Path, compile_c: Callable[..., pathlib.Path]) -> list[str]:
    match name:
        case "c":
            return [str(compile_c("clients/c/driver.c"))]
        case "luajit":
            script = HERE / "luajit/driver.lua"
            return ["luajit", str(script), str(library), str(HEADER)]
        case "ruby":
            return ["ruby", "-w", str(HERE / "ruby/driver.rb"), str(library), str(HEADER)]
    return [sys.executable, "-B", str(HERE / "python/driver.py"), str(library)]


@pytest.fixture(scope="module", params=DRIVERS)
def command(
    request: pytest.FixtureRequest,
    library: pathlib.Path,
    compile_c: Callable[..., pathlib.Path],
) -> list[str]:
    return driver_command(request.param, library, compile_c)


@pytest.fixture(scope="module", params=["http", "tls"])
def run(
    request: pytest.FixtureRequest,
    command: list[str],
    session_server: StubServer,
    session_tls_server: StubServer,
) -> Run:
    """All scenarios by one driver over one transport."""
    server = session_server if request.param == "http" else session_tls_server
    server.clear()
    arguments = []
    for scenario in SCENARIOS:
        options = scenario.get("options", {})
        arguments += [f"--{name}={value}" for name, value in options.items()]
        arguments.append(scenario["id"])
    process = subprocess.run(
        [*command, *arguments],
        env=os.environ | server.environment,
        capture_output=True,
        timeout=120,
    )
    what = f"{command[0]} ended with {process.returncode}: {process.stderr.decode()}"
    assert process.returncode == 0, what
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    assert [line["id"] for line in lines] == [s["id"] for s in SCENARIOS]
    url = server.http_url if request.param == "http" else server.https_url
    host = url.partition("//")[2]
    return Run({line["id"]: line for line in lines}, server.requests, host)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[s["id"] for s in SCENARIOS])
def test_scenario(scenario: dict[str, Any], run: Run, library: pathlib.Path) -> None:
    id = scenario["id"]
    answer = run.answers[id]
    error, task = answer["error"], answer["task"]
    shown = f"{id}: expected {scenario}, came {answer if len(str(answer)) < 5000 else error}"
    status = Prefop(library).status_name(error["status"])
    allowed = scenario["status"]
    assert status in ([allowed] if isinstance(allowed, str) else allowed), shown
    for name in ("http_status", "curl_code", "attempts", "retryable"):
        if name in scenario:
            assert error[name] == scenario[name], f"{name}: {shown}"
    low, high = scenario.get("retry_after_ms", [0, 0])
    assert low <= error["retry_after_ms"] <= high, shown
    for piece in scenario.get("message", []):
        assert piece in error["message"], f"{piece!r} is not in the message: {shown}"
    if error["attempts"] > 0:
        assert error["host"] == run.host, shown
    if status == "PREFOP_OK":
        assert error["message"] == "", shown
        if "task" in scenario:
            assert task == expected_task(body(scenario)), shown
    else:
        assert task is None, shown
        assert error["message"] and error["message"].isprintable(), shown
        assert "SK-of-the-stub-server" not in error["message"], shown


def body(scenario: dict[str, Any]) -> bytes:
    """The JSON that the stub answers."""
    id, kind = scenario["id"], scenario["task"]
    match kind:
        case "echo":
            return tasks.echo(id)
        case "padded":
            return tasks.padded(id, int(id.rpartition(".")[2]))
        case "sample":
            return tasks.samples()[int(id.rpartition(".")[2])].body
    return tasks.BY_NAME[kind](id)


def test_every_request_was_right(run: Run) -> None:
    wrong = [r for r in run.records if r.verdict != "verified"]
    assert wrong == [], "requests that the server did not verify"


def test_no_redirect_was_followed(run: Run) -> None:
    assert [r.target for r in run.records if "/stolen" in r.target] == []
    ids = {r.id for r in run.records}
    assert {s["id"] for s in SCENARIOS} <= ids, "ids never asked for"


def test_request_ids(run: Run) -> None:
    """error.request_id is the X-Reqid of the last answer to that id."""
    bare = (".bare", "fault.xlog", "fault.hijacked", "fault.html-bare", "fault.half-head")
    for scenario in SCENARIOS:
        id = scenario["id"]
        error = run.answers[id]["error"]
        if error["http_status"] == 0 or id == "fault.duplicate-reqid":
            continue
        last = [r.reqid for r in run.records if r.id == id][-1]
        sent = error["status"] == 0 or not any(part in id for part in bare)
        sent = sent and id != "fault.xlog"
        expected = last if sent else ""
        assert error["request_id"] == expected, f"{id}: came {error}"


def test_error_after_success_tells_of_the_answer(run: Run) -> None:
    """The header: "of the last answer", "X-Reqid of the last answer"."""
    error = run.answers["echo.1"]["error"]
    last = next(r.reqid for r in run.records if r.id == "echo.1")
    came = (error["http_status"], error["request_id"])
    assert came == (200, last), f"after a success: {error}"


def test_of_two_request_ids_the_first_counts(run: Run) -> None:
    """As in the Go SDK: what a proxy appends is not the service's."""
    id = "fault.duplicate-reqid"
    first = next(r.reqid for r in run.records if r.id == id)
    assert run.answers[id]["error"]["request_id"] == first
