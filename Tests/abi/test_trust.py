"""Whom a client trusts: ca_file, SSL_CERT_FILE, SSL_CERT_DIR, the system; and whom it does not."""

import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apart import ask_apart, preload
from asking import KEYS, ask, failure
from prefop_binding import NO_ENVIRONMENT, Error, Prefop, PrefopError
from relay import Relay
from server import StubServer
from server.authority import Authority

SYSTEM_PLACES = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
]
TRUSTED, UNTRUSTED = "PREFOP_OK", "PREFOP_ERROR_TLS"


@pytest.fixture(scope="module")
def wrong_authority() -> Iterator[pathlib.Path]:
    """The certificate of an authority that vouches for nobody here."""
    with Authority("another authority") as other:
        yield other.certificate_file


@pytest.fixture
def status(library: pathlib.Path, tls_server: StubServer) -> Callable[..., str]:
    """The status of a query of a process with these variables in its environment."""

    def status(flags: int = 0, **environment: str) -> str:
        name: str = ask_apart(library, environment, api_hosts=tls_server.https_url, flags=flags)["name"]
        return name

    return status


def folder(path: pathlib.Path, *certificates: str | pathlib.Path | None) -> str:
    """A folder of certificates by hash."""
    path.mkdir()
    for number, certificate in enumerate(certificates):
        shutil.copy(str(certificate), path / f"{number}.pem")
    subprocess.run(["openssl", "rehash", str(path)], check=True)
    return str(path)


# Where the authorities are looked for.


def test_ssl_cert_file(status: Callable[..., str], tls_server: StubServer) -> None:
    ca_file = str(tls_server.ca_file)
    assert status(SSL_CERT_FILE=ca_file) == TRUSTED
    assert status() == UNTRUSTED
    assert status(NO_ENVIRONMENT, SSL_CERT_FILE=ca_file) == UNTRUSTED


def test_ssl_cert_dir(status: Callable[..., str], tls_server: StubServer, tmp_path: pathlib.Path) -> None:
    named = folder(tmp_path / "certificates", tls_server.ca_file)
    assert status(SSL_CERT_DIR=named) == TRUSTED
    assert status(SSL_CERT_DIR=f"/nowhere:{named}") == TRUSTED
    assert status(SSL_CERT_DIR="/nowhere") == UNTRUSTED
    assert status(NO_ENVIRONMENT, SSL_CERT_DIR=named) == UNTRUSTED


def test_file_and_folder_together(
    status: Callable[..., str], tls_server: StubServer, wrong_authority: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    right, wrong = str(tls_server.ca_file), str(wrong_authority)
    right_folder, wrong_folder = folder(tmp_path / "right", right), folder(tmp_path / "wrong", wrong)
    assert status(SSL_CERT_FILE=right, SSL_CERT_DIR=wrong_folder) == TRUSTED
    assert status(SSL_CERT_FILE=wrong, SSL_CERT_DIR=right_folder) == TRUSTED
    assert status(SSL_CERT_FILE=wrong, SSL_CERT_DIR=wrong_folder) == UNTRUSTED
    assert status(SSL_CERT_FILE="", SSL_CERT_DIR=right_folder) == TRUSTED
    assert status(SSL_CERT_FILE=right, SSL_CERT_DIR="") == TRUSTED


def test_the_environment_replaces_the_system_s(
    library: pathlib.Path, tls_server: StubServer, wrong_authority: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    places = preload("places.c", tmp_path, "-ldl") | {"PLACES": str(tmp_path)}
    put(tmp_path, SYSTEM_PLACES[0], tls_server.ca_file)
    empty = folder(tmp_path / "empty")
    for variables, expected in (
        ({}, TRUSTED),
        ({"SSL_CERT_FILE": ""}, TRUSTED),
        ({"SSL_CERT_FILE": str(wrong_authority)}, UNTRUSTED),
        ({"SSL_CERT_DIR": empty}, UNTRUSTED),
    ):
        told = ask_apart(library, places | variables, api_hosts=tls_server.https_url)
        assert told["name"] == expected, (variables, told)


def test_a_given_file_is_all_that_is_trusted(
    prefop: Prefop, tls_server: StubServer, wrong_authority: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the environment nor libcurl's own folder adds to it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server.ca_file))
    assert failure(prefop, tls_server, ca_file=str(wrong_authority)).name == UNTRUSTED
    assert tls_server.total == 0


def test_the_environment_is_read_when_the_client_is_made(
    prefop: Prefop, tls_server: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"api_hosts": tls_server.https_url, "access_key": "a", "secret_key": "b"}
    with prefop.client(max_attempts=1, **options) as before:
        monkeypatch.setenv("SSL_CERT_FILE", str(tls_server.ca_file))
        with prefop.client(max_attempts=1, **options) as after:
            monkeypatch.delenv("SSL_CERT_FILE")
            for client, expected in ((before, UNTRUSTED), (after, "PREFOP_ERROR_UNAUTHORIZED")):
                error = Error()
                with pytest.raises(PrefopError):
                    client.query("echo.1", error)
                assert prefop.status_name(error.status) == expected


def put(root: pathlib.Path, place: str, certificate: str | None) -> None:
    target = root / place.lstrip("/")
    target.parent.mkdir(parents=True)
    shutil.copy(str(certificate), target)


@pytest.mark.parametrize("place", SYSTEM_PLACES)
def test_places_of_the_system(
    library: pathlib.Path, tls_server: StubServer, tmp_path: pathlib.Path, place: str
) -> None:
    places = preload("places.c", tmp_path, "-ldl") | {"PLACES": str(tmp_path)}
    put(tmp_path, place, tls_server.ca_file)
    told = ask_apart(library, places, api_hosts=tls_server.https_url)
    assert told["name"] == TRUSTED, told


def test_no_authorities_anywhere(library: pathlib.Path, tls_server: StubServer, tmp_path: pathlib.Path) -> None:
    places = preload("places.c", tmp_path, "-ldl") | {"PLACES": str(tmp_path)}
    told = ask_apart(library, places, api_hosts=tls_server.https_url)
    assert told["name"] == UNTRUSTED and tls_server.total == 0
    for name in ("ca_file", *SYSTEM_PLACES):
        assert name in told["message"], told["message"]
    told = ask_apart(library, places, api_hosts=tls_server.https_url, ca_file=tls_server.ca_file)
    assert told["name"] == TRUSTED, "the places do not matter when ca_file is given"


# Files that hold no certificate.

UNREADABLE = {"empty": "", "words": "not a certificate", "cut": "-----BEGIN CERTIFICATE-----\nMIIB\n"}


@pytest.mark.parametrize("kind", [*UNREADABLE, "folder"])
@pytest.mark.parametrize("variable", [None, "SSL_CERT_FILE"])
def test_file_without_certificates(
    prefop: Prefop,
    tls_server: StubServer,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
    kind: str,
) -> None:
    """Nothing is trusted then, rather than everything or the system's; the file is named."""
    path = tmp_path / "authorities.pem"
    if kind == "folder":
        path.mkdir()
    else:
        path.write_text(UNREADABLE[kind])
    if variable:
        monkeypatch.setenv(variable, str(path))
    error = failure(prefop, tls_server, ca_file=None if variable else str(path), max_attempts=4)
    assert (error.name, error.attempts, error.retryable) == (UNTRUSTED, 1, 0), error.fields
    assert str(path) in error.message, error.message
    assert tls_server.total == 0


def test_file_that_is_not_there(
    prefop: Prefop, tls_server: StubServer, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "none.pem")
    error = failure(prefop, tls_server, ca_file=path)
    assert error.name == "PREFOP_ERROR_CONFIGURATION" and error.message.startswith("ca_file "), error.fields
    error = failure(prefop, tls_server, ca_file="/nowhere/ca.pem")
    assert "/nowhere/ca.pem" in error.message, error.message
    monkeypatch.setenv("SSL_CERT_FILE", path)
    error = failure(prefop, tls_server, ca_file=None)
    assert error.name == UNTRUSTED and path in error.message, error.fields


# Certificates to refuse.

@pytest.mark.parametrize("place", ["ca_file", "SSL_CERT_FILE"])
def test_the_name_of_a_file_does_not_hide_the_reason(
    prefop: Prefop, tls_server: StubServer, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """It is as long as a name can be; its end tells more than its beginning."""
    path = tmp_path
    while len(str(path)) < 1000:
        path /= "文" * 60
        path.mkdir()
    path /= "the-end.pem"
    path.write_text("not a certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    error = failure(prefop, tls_server, ca_file=str(path) if place == "ca_file" else None)
    assert error.name == UNTRUSTED, error.fields
    assert error.message.startswith(f"{error.host}: no certificate can be read from ..."), error.message
    assert error.message.endswith("文/the-end.pem"), error.message
    error = failure(prefop, tls_server, ca_file=f"{path}.not-there")
    assert error.name == "PREFOP_ERROR_CONFIGURATION", error.fields
    assert error.message.startswith("ca_file cannot be read: ..."), error.message
    assert error.message.endswith("文/the-end.pem.not-there"), error.message


REASONS = {
    ("expired", "localhost"): "expired",
    ("expired", "127.0.0.1"): "expired",
    ("not-yet-valid", "localhost"): "not yet valid",
    ("self-signed", "localhost"): ("self-signed", "self signed"),
    ("wrong-host", "localhost"): "'localhost'",
    ("wrong-host", "127.0.0.1"): "'127.0.0.1'",
    ("name-only", "127.0.0.1"): "'127.0.0.1'",
    ("addresses-only", "localhost"): "'localhost'",
}


def url(server: StubServer, host: str) -> str:
    return f"https://{host}:{str(server.https_url).rpartition(':')[2]}"


def assert_untrusted(error: Any, reasons: str | tuple[str, ...], curl_code: int) -> None:
    """Final for the host; later calls fare no better."""
    assert (error.name, error.curl_code) == (UNTRUSTED, curl_code), error.fields
    assert (error.attempts, error.retryable, error.http_status) == (1, 0, 0), error.fields
    reasons = (reasons,) if isinstance(reasons, str) else reasons
    assert any(reason in error.message for reason in reasons), error.message
    assert error.message.startswith(f"{error.host}: "), error.message


@pytest.mark.parametrize(("kind", "host"), REASONS)
def test_certificates_to_refuse(prefop: Prefop, server: StubServer, kind: str, host: str) -> None:
    with StubServer(tls=True, certificate=kind) as wrong:
        error = failure(prefop, wrong, api_hosts=url(wrong, host), max_attempts=4)
        assert_untrusted(error, REASONS[kind, host], 60)
        # A host in front that is expired or hijacked must not stop a query.
        told = Error()
        hosts = f"{url(wrong, host)},{server.http_url}"
        assert ask(prefop, wrong, error=told, api_hosts=hosts)["code"] == 0
        assert told.attempts == 2
        assert wrong.total == 0, "something was sent to it"


def test_unknown_authority(prefop: Prefop, tls_server: StubServer, wrong_authority: pathlib.Path) -> None:
    error = failure(prefop, tls_server, ca_file=str(wrong_authority), max_attempts=4)
    assert_untrusted(error, "unable to get local issuer certificate", 60)
    assert tls_server.total == 0


ACCEPTED = [
    *(("good", "localhost"), ("good", "127.0.0.1")),
    *(("name-only", "localhost"), ("addresses-only", "127.0.0.1")),
]


@pytest.mark.parametrize(("kind", "host"), ACCEPTED)
def test_names_and_addresses(prefop: Prefop, kind: str, host: str) -> None:
    with StubServer(tls=True, certificate=kind) as right:
        assert ask(prefop, right, api_hosts=url(right, host))["code"] == 0


# Versions of TLS.


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(
    library: pathlib.Path, prefop: Prefop, server: StubServer, tmp_path: pathlib.Path, version: ssl.TLSVersion
) -> None:
    with StubServer(tls=True, tls_version=version) as old:
        error = failure(prefop, old, max_attempts=4)
        assert_untrusted(error, "protocol version", 35)
        # By the library itself, even where the system would let them pass.
        weak = tmp_path / "openssl.cnf"
        weak.write_text(
            "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = weak\n"
            "[weak]\nMinProtocol = TLSv1\nCipherString = DEFAULT:@SECLEVEL=0\n"
        )
        told = ask_apart(library, {"OPENSSL_CONF": str(weak)}, api_hosts=old.https_url, ca_file=old.ca_file)
        assert told["name"] == UNTRUSTED and "protocol version" in told["message"], told
        assert ask(prefop, old, api_hosts=f"{old.https_url},{server.http_url}")["code"] == 0
        assert old.total == 0


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_that_are_taken(prefop: Prefop, version: ssl.TLSVersion) -> None:
    with StubServer(tls=True, tls_version=version) as server:
        assert ask(prefop, server)["code"] == 0


# Several hosts.


@pytest.mark.parametrize("kind", ["expired", "wrong-host", "self-signed"])
@pytest.mark.parametrize("behind", ["refuses", "has no address", "hangs"])
def test_what_is_told_when_none_works(prefop: Prefop, kind: str, behind: str) -> None:
    """The certificate: it will not mend itself, and what failed behind it may be passing."""
    with StubServer(tls=True, certificate=kind) as wrong, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        if behind == "hangs":
            other.listen()
        second = "not-there.invalid" if behind == "has no address" else f"127.0.0.1:{other.getsockname()[1]}"
        times = {"attempt_timeout_ms": 500 if behind == "hangs" else 0}
        error = failure(prefop, wrong, api_hosts=f"{wrong.https_url},http://{second}", **times)
        assert (error.name, error.attempts) == (UNTRUSTED, 2), error.fields
        reasons = REASONS[kind, "localhost"]
        assert any(reason in error.message for reason in ((reasons,) if isinstance(reasons, str) else reasons))
        assert str(wrong.https_url).partition("//")[2] in error.message, "it does not say whose certificate"
        assert error.retryable == 1, "the other host may do better"


def test_nothing_passes_when_no_host_is_trusted(prefop: Prefop) -> None:
    with StubServer(tls=True, certificate="expired") as one, StubServer(tls=True, certificate="wrong-host") as other:
        error = failure(prefop, one, api_hosts=f"{one.https_url},{other.https_url}")
        assert (error.name, error.attempts, error.retryable) == (UNTRUSTED, 2, 0), error.fields


def test_a_wait_goes_on_with_a_host_that_is_well_again(prefop: Prefop, server: StubServer) -> None:
    server.fault = "flaky.2.status.503"
    with StubServer(tls=True, certificate="expired") as wrong:
        hosts = f"{wrong.https_url},{server.http_url}"
        with prefop.client(api_hosts=hosts, ca_file=wrong.ca_file, max_attempts=1, **KEYS) as client:
            status, task, error = client.wait("echo.1", poll_min_ms=1)
    assert status == TRUSTED, error
    assert task and task["persistent_id"] == "echo.1"


@pytest.mark.parametrize(("id", "expected"), [("status.612", "NOT_FOUND"), ("status.401", "UNAUTHORIZED")])
def test_an_answer_behind_an_untrusted_host_is_told(
    prefop: Prefop, server: StubServer, id: str, expected: str
) -> None:
    with StubServer(tls=True, certificate="expired") as wrong:
        error = failure(prefop, wrong, id, api_hosts=f"{wrong.https_url},{server.http_url}")
    assert (error.name, error.attempts) == (f"PREFOP_ERROR_{expected}", 2), error.fields


# Handshakes that do not end.


class Breaking(Relay):
    """Hangs up when a client greets it."""

    def __init__(self, end: str) -> None:
        super().__init__()
        self._end = end

    def serve(self, peer: socket.socket) -> None:
        peer.recv(1 << 16)
        if self._end == "reset":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()


@pytest.mark.parametrize("end", ["close", "reset"])
def test_connection_that_breaks_in_the_handshake(prefop: Prefop, server: StubServer, end: str) -> None:
    """That is no word on trust: it may pass, as that of any connection."""
    with Breaking(end) as host:
        error = failure(prefop, server, api_hosts=f"https://{host.address}")
        assert error.name in ("PREFOP_ERROR_TRANSFER", "PREFOP_ERROR_CONNECT"), error.fields
        assert error.retryable == 1
        both = f"https://{host.address},{server.http_url}"
        assert ask(prefop, server, api_hosts=both)["code"] == 0
