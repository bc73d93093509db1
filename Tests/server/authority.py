"""A certificate authority for one run, and the certificates it should not give.

The keys live in a temporary folder and die with it; nothing is kept in the
repository that could expire or be mistaken for a real key.
"""

import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple, Self

_CONFIGURATION = """\
[ca]
default_ca = authority

[authority]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = 2
policy = any_name

[any_name]
commonName = supplied

[here]
subjectAltName = DNS:localhost, DNS:stub.test, IP:127.0.0.1, IP:::1, DNS:*.qiniuapi.com, DNS:*.qbox.me
extendedKeyUsage = serverAuth

[elsewhere]
subjectAltName = DNS:elsewhere.example, IP:127.0.0.2
extendedKeyUsage = serverAuth

[name]
subjectAltName = DNS:localhost
extendedKeyUsage = serverAuth

[addresses]
subjectAltName = IP:127.0.0.1, IP:::1
extendedKeyUsage = serverAuth

[req]
distinguished_name = empty
prompt = no

[empty]

[self]
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
basicConstraints = critical, CA:TRUE

[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""

_NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split()
_IN_THE_PAST = "-startdate 20200101000000Z -enddate 20200201000000Z".split()
_IN_THE_FUTURE = "-startdate 29990101000000Z -enddate 29990201000000Z".split()

CERTIFICATES = (
    "good",
    "expired",
    "not-yet-valid",
    "self-signed",
    "wrong-host",
    "name-only",
    "addresses-only",
)


class Certificate(NamedTuple):
    """Where a certificate and its key are, in PEM."""

    chain: Path
    key: Path


class Authority:
    """Makes certificates with the openssl command when they are asked for."""

    def __init__(self, name: str = "prefop stub authority") -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="prefop-stub-")
        self.folder = Path(self._temporary.name)
        self.certificate_file = self.folder / "ca.pem"
        """What a client has to trust."""
        try:
            (self.folder / "ca.cnf").write_text(_CONFIGURATION)
            (self.folder / "index.txt").touch()
            self._self_sign("ca", "root", name)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes every file."""
        self._temporary.cleanup()

    def certificate(self, kind: str) -> Certificate:
        """Makes one of CERTIFICATES.

        All are for localhost, 127.0.0.1 and ::1, but "wrong-host", "name-only"
        and "addresses-only"; "good" and "expired" also for stub.test and for the
        service's own names.
        """
        match kind:
            case "good":
                return self._issue(kind, "here")
            case "expired":
                return self._issue(kind, "here", *_IN_THE_PAST)
            case "not-yet-valid":
                return self._issue(kind, "here", *_IN_THE_FUTURE)
            case "wrong-host":
                return self._issue(kind, "elsewhere")
            case "name-only":
                return self._issue(kind, "name")
            case "addresses-only":
                return self._issue(kind, "addresses")
            case "self-signed":
                return self._self_sign(kind, "self", "localhost")
        raise ValueError(f"certificate {kind!r}, not one of {CERTIFICATES}")

    def _self_sign(self, name: str, extensions: str, subject: str) -> Certificate:
        made = self._files(name)
        self._openssl(
            *("req", "-x509", *_NEW_KEY, "-days", "2", "-config", "ca.cnf"),
            *("-extensions", extensions, "-subj", f"/CN={subject}"),
            *("-keyout", made.key, "-out", made.chain),
        )
        return made

    def _issue(self, name: str, extensions: str, *validity: str) -> Certificate:
        made = self._files(name)
        request = self.folder / f"{name}.csr"
        self._openssl(
            *("req", "-new", *_NEW_KEY, "-config", "ca.cnf", "-subj", "/CN=stub"),
            *("-keyout", made.key, "-out", request),
        )
        self._openssl(
            *("ca", "-batch", "-notext", "-config", "ca.cnf", *validity),
            *("-extensions", extensions, "-in", request, "-out", made.chain),
        )
        return made

    def _files(self, name: str) -> Certificate:
        return Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def _openssl(self, *arguments: str | Path) -> None:
        done = subprocess.run(
            ["openssl", *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"openssl {arguments[0]} failed:\n{done.stderr}")
