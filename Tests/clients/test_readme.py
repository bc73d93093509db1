"""The README's programs do what it says, and its tables are those of the header."""

import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from proxy import Proxy
from server import StubServer, credentials

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
HEADER = (ROOT / "include/prefop.h").read_text()
INSTALLED_HEADER = "/usr/local/include/prefop.h"
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def proxy(server: StubServer) -> Iterator[str]:
    """A forward proxy that takes every host for the stub.

    The README's programs ask the real service's host: over it they come here.
    """
    with Proxy(origin=server.http_url.partition("//")[2]) as proxy:
        yield f"http://{proxy.address}"


@pytest.fixture(scope="module")
def folder(
    library: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
    """A folder in which the dynamic linker finds the library."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "libprefop.so.1").symlink_to(library)
    return folder


@pytest.fixture
def environment(folder: pathlib.Path, proxy: str) -> dict[str, str]:
    return os.environ | {
        "QINIU_ACCESS_KEY": credentials.ACCESS_KEY,
        "QINIU_SECRET_KEY": credentials.SECRET_KEY,
        "DISABLE_QINIU_SECURE_PROTOCOL": "true",
        "http_proxy": proxy,
        "LD_LIBRARY_PATH": str(folder),
    }


@pytest.fixture(scope="module")
def c_program(folder: pathlib.Path) -> str:
    (folder / "status.c").write_text(blocks("c")[0])
    program = folder / "status"
    command = ["cc", *WARNINGS, f"-I{ROOT / 'include'}", str(folder / "status.c")]
    command += ["-o", str(program), str(folder / "libprefop.so.1")]
    subprocess.run(command, check=True)
    return str(program)


@pytest.fixture(scope="module")
def python_program(folder: pathlib.Path) -> str:
    pytest.importorskip("cffi")
    text = blocks("python")[0]
    assert INSTALLED_HEADER in text
    header = str(ROOT / "include/prefop.h")
    (folder / "status.py").write_text(text.replace(INSTALLED_HEADER, header))
    return str(folder / "status.py")


def run(*command: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def test_c(c_program: str, environment: dict[str, str], server: StubServer) -> None:
    done = run(c_program, "z0.finished", env=environment)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "succeeded: The fop was completed successfully\n" in done.stdout, done
    assert "输出/转码.mp4" in done.stdout, done
    assert server.requests[-1].header("host") == "api-z0.qiniuapi.com"
    assert server.requests[-1].verdict == "verified"
    partly = run(c_program, "z0.partly", env=environment)
    assert partly.returncode == 1 and "failed E6102" in partly.stdout, partly
    unknown = run(c_program, "no-such-task", env=environment)
    assert unknown.returncode == 2, unknown
    assert server.requests[-1].reqid in unknown.stderr, unknown


def test_python(
    python_program: str, environment: dict[str, str], server: StubServer
) -> None:
    done = run(sys.executable, python_program, "z0.finished", env=environment)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "\nsucceeded\n" in done.stdout and "avinfo succeeded" in done.stdout, done
    assert server.requests[-1].verdict == "verified"
    partly = run(sys.executable, python_program, "z0.partly", env=environment)
    assert "\nnot succeeded\n" in partly.stdout, partly
    unknown = run(sys.executable, python_program, "no-such-task", env=environment)
    assert unknown.returncode == 1 and "no such task" in unknown.stderr, unknown


@pytest.mark.parametrize("number", range(len(blocks("c"))))
def test_c_compiles(number: int, tmp_path: pathlib.Path) -> None:
    (tmp_path / "block.c").write_text(blocks("c")[number])
    command = ["cc", *WARNINGS, f"-I{ROOT / 'include'}", "-fsyntax-only"]
    subprocess.run([*command, str(tmp_path / "block.c")], check=True)


def test_statuses_are_those_of_the_header() -> None:
    told = re.findall(r"^\| `(PREFOP_\w+)` \| (-?\d+) \|", README, re.MULTILINE)
    declared = re.findall(r"^  (PREFOP_(?:OK|ERROR_\w+)) = (-?\d+)", HEADER, re.MULTILINE)
    assert told == declared


def test_variables_are_those_of_the_header() -> None:
    section = README.partition("## Credentials")[2].partition("\n## ")[0]
    told = set(re.findall(r"`(\w*(?:QINIU|proxy|PROXY)\w*)`", section))
    declared = HEADER.partition("this reads, once:")[2].partition("A variable")[0]
    assert told == set(re.findall(r"\b\w*(?:QINIU|proxy|PROXY)\w*\b", declared)) - {"proxy"}


def test_links_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text()
        for target in re.findall(r"\]\(([^)#]+)", text):
            if "://" not in target:
                assert (ROOT / target).exists(), f"{name} links to {target}"
        for path in re.findall(r"`((?:Sources|Tests|examples|include)/[\w./-]*)`", text):
            assert (ROOT / path).exists(), f"{name} names {path}"
