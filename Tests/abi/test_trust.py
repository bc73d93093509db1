"""Whom a client trusts: ca_file, SSL_CERT_FILE, SSL_CERT_DIR, the system."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from prefop_binding import Prefop, PrefopError
from server import ACCESS_KEY, SECRET_KEY, StubServer

PROGRAM = """
import sys
sys.path[:0] = [sys.argv[1]]
from prefop_binding import Prefop, PrefopError
try:
    with Prefop(sys.argv[2]).client(
        api_hosts=sys.argv[3], access_key=sys.argv[4], secret_key=sys.argv[5], flags=int(sys.argv[6])
    ) as client:
        print(client.query("echo.1")["persistent_id"])
except PrefopError as error:
    print(error.name)
"""
NO_ENVIRONMENT = 4


def ask(library: pathlib.Path, server: StubServer, flags: int = 0, **environment: str) -> str:
    """The environment is read in a process of its own."""
    binding = pathlib.Path(__file__).resolve().parents[1] / "clients" / "python"
    arguments = [binding, library, server.https_url, ACCESS_KEY, SECRET_KEY, flags]
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_ssl_cert_file(library: pathlib.Path, tls_server: StubServer) -> None:
    ca_file = str(tls_server.ca_file)
    assert ask(library, tls_server, SSL_CERT_FILE=ca_file) == "echo.1"
    assert ask(library, tls_server) == "PREFOP_ERROR_TLS"
    assert ask(library, tls_server, NO_ENVIRONMENT, SSL_CERT_FILE=ca_file) == "PREFOP_ERROR_TLS"


def test_ssl_cert_dir(library: pathlib.Path, tls_server: StubServer, tmp_path: pathlib.Path) -> None:
    shutil.copy(str(tls_server.ca_file), tmp_path / "ca.pem")
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    assert ask(library, tls_server, SSL_CERT_DIR=str(tmp_path)) == "echo.1"


def test_a_given_file_is_all_that_is_trusted(
    library: pathlib.Path,
    prefop: Prefop,
    tls_server: StubServer,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the environment nor libcurl's own folder adds to it."""
    with StubServer(tls=True) as other:
        wrong = tmp_path / "other.pem"
        shutil.copy(str(other.ca_file), wrong)
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server.ca_file))
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    with prefop.client(api_hosts=tls_server.https_url, ca_file=str(wrong), **keys) as client:
        with pytest.raises(PrefopError) as caught:
            client.query("echo.1")
    assert caught.value.name == "PREFOP_ERROR_TLS"
    assert tls_server.total == 0
