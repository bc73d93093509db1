"""What every test needs: the library under test, stub servers, a C compiler."""

import os
import pathlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests"))
sys.path.insert(0, str(ROOT / "Tests" / "clients" / "python"))

from server import StubServer  # noqa: E402

# Nothing of the machine's own settings may reach a test.
FOREIGN = ("QINIU_", "DISABLE_QINIU_", "SSL_CERT_", "OPENSSL_CONF", "SSLKEYLOGFILE")
for name in list(os.environ):
    if name.startswith(FOREIGN) or name.lower().endswith("_proxy"):
        del os.environ[name]


@pytest.fixture(scope="session")
def library() -> pathlib.Path:
    """The shared library under test; PREFOP_LIBRARY names another build of it."""
    return pathlib.Path(os.environ.get("PREFOP_LIBRARY", ROOT / ".build/release/libprefop.so")).resolve()


@pytest.fixture(scope="session")
def session_server() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture
def server(session_server: StubServer) -> StubServer:
    """A stub API server over plain HTTP, as new."""
    session_server.reset()
    return session_server


@pytest.fixture(scope="session")
def session_tls_server() -> Iterator[StubServer]:
    with StubServer(tls=True) as server:
        yield server


@pytest.fixture
def tls_server(session_tls_server: StubServer) -> StubServer:
    """A stub API server over TLS, with a certificate of a private CA."""
    session_tls_server.reset()
    return session_tls_server


@pytest.fixture
def closed_port() -> Iterator[str]:
    """A host that refuses: the port is bound, but nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture(scope="session")
def compile_c(library: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., pathlib.Path]:
    """Compiles a C file of Tests against the header and links it with the library."""
    folder = tmp_path_factory.mktemp("c")

    def compile(source: str, *flags: str, compiler: str = "cc", link: bool = True) -> pathlib.Path:
        program = folder / pathlib.Path(source).stem
        command = [
            compiler, "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}",
            str(ROOT / "Tests" / source), "-o", str(program), *flags,
        ]
        if link:
            command += [str(library), f"-Wl,-rpath,{library.parent}", "-lpthread"]
        subprocess.run(command, check=True)
        return program

    return compile
