"""Qiniu's signatures, and what verifying a notification must say."""

import json
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import unquote_to_bytes

from server.signature import FORM, JSON, token


@dataclass(frozen=True)
class Notice:
    """A notification, its headers as pairs in their order."""

    url: str = "https://example.com/notify?a=1"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", JSON),)
    body: bytes = b'{"id":"z0.1","code":0}'
    method: str = "POST"
    access_key: str = "an-access-key"
    secret_key: str = field(default="the-secret-of-the-test", repr=False)

    def having(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((v.strip() for n, v in self.headers if n.lower() == wanted), None)

    def with_header(self, name: str, value: str) -> Self:
        return replace(self, headers=(*self.headers, (name, value)))

    @property
    def lines(self) -> list[str]:
        return [f"{name}: {value}" for name, value in self.headers]

    def _parts(self) -> tuple[str, str, str]:
        """Host, path, query."""
        rest = self.url.partition("#")[0]
        host = self.header("host") or ""
        if "://" in rest:
            rest = rest.partition("://")[2]
            end = min((rest + "/").index("/"), (rest + "?").index("?"))
            host, rest = rest[:end].rpartition("@")[2], rest[end:]
        path, _, query = rest.partition("?")
        return host, path or "/", query

    def qiniu_text(self, *, with_body: bool | None = None, decode: bool = False) -> bytes:
        host, path, query = self._parts()
        kind = self.header("content-type")
        lines = [
            self.method.encode() + b" " + _target(path, query, decode),
            f"Host: {host}".encode(),
            f"Content-Type: {FORM if kind is None else kind}".encode(),
        ]
        fields: dict[str, str] = {}
        for name, value in self.headers:
            canonical = "-".join(part.capitalize() for part in name.strip().split("-"))
            if canonical.startswith("X-Qiniu-") and len(canonical) > 8:
                fields.setdefault(canonical, value.strip())
        lines += [f"{n}: {fields[n]}".encode() for n in sorted(fields)]
        covered = self.is_covered("Qiniu") if with_body is None else with_body
        return b"\n".join(lines) + b"\n\n" + (self.body if covered else b"")

    def qbox_text(self, *, decode: bool = False) -> bytes:
        _, path, query = self._parts()
        body = self.body if self.is_covered("QBox") else b""
        return _target(path, query, decode) + b"\n" + body

    def is_covered(self, scheme: str) -> bool:
        kind = self.header("content-type")
        return kind in (None, FORM) or (scheme == "Qiniu" and kind == JSON)

    def signed(self, scheme: str = "Qiniu", **how: Any) -> Self:
        """The same with the right Authorization."""
        text = self.qiniu_text(**how) if scheme == "Qiniu" else self.qbox_text(**how)
        value = f"{scheme} {token(self.access_key, self.secret_key, text)}"
        return self.with_header("Authorization", value)

    def expected(self) -> str:
        """The status that verifying must give, flags unset; "" for success."""
        authorization = self.header("authorization")
        scheme, _, given = (authorization or "").partition(" ")
        if scheme not in ("Qiniu", "QBox"):
            return "UNSIGNED"
        owner, colon, _ = given.strip().partition(":")
        if colon and owner != self.access_key:
            return "UNKNOWN_KEY"
        for decode in (False, True):
            covered = self._coverage(scheme, given.strip(), decode)
            if covered is not None:
                return ("" if is_task(self.body) else "JSON") if covered else "UNSIGNED_BODY"
        return "SIGNATURE"

    def _coverage(self, scheme: str, given: str, decode: bool) -> bool | None:
        covered = self.is_covered(scheme)
        texts = [(self.qbox_text(decode=decode), covered)]
        if scheme == "Qiniu":
            texts = [
                (self.qiniu_text(decode=decode), covered),
                (self.qiniu_text(decode=decode, with_body=True), True),
            ]
        for text, with_body in texts:
            if token(self.access_key, self.secret_key, text) == given:
                return with_body or not self.body
        return None


def _target(path: str, query: str, decode: bool) -> bytes:
    raw = unquote_to_bytes(path) if decode else path.encode()
    return raw + (f"?{query}".encode() if query else b"")


def is_task(body: bytes) -> bool:
    try:
        return "code" in json.loads(body)
    except (ValueError, TypeError):
        return False
