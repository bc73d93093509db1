"""HTTP answers as bytes."""

import itertools
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple, Self

JSON = "application/json"
HTML = "text/html"
TEXT = "text/plain; charset=utf-8"

_REASONS = {status.value: status.phrase for status in HTTPStatus} | {
    573: "Too Many Requests",
    579: "Callback Failed",
    599: "Server Error",
    612: "No Such Entry",
}
_BODILESS = (204, 304)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; headers left to its owner are those a script may want odd."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    reqid: bool = True
    """Whether X-Reqid is sent."""
    xlog: bool = True
    """Whether X-Log is sent."""
    length: int | None = None
    """The Content-Length to state, if not the true one."""

    @classmethod
    def error(cls, status: int, message: str) -> Self:
        """An error the way Qiniu words it."""
        return cls(status, compact({"error": message}))

    def having(self, *headers: tuple[str, str]) -> Self:
        """The same answer with further headers."""
        return replace(self, headers=self.headers + headers)

    def head(self, reqid: str, framing: tuple[str, str] | None = None) -> bytes:
        """The status line and headers, the empty line included.

        `framing` is the header that tells where the body ends, by default a
        Content-Length.
        """
        lines = [
            f"HTTP/1.1 {self.status} {_REASONS.get(self.status, '')}",
            "Server: stub",
            f"Date: {http_date(int(time.time()))}",
        ]
        if self.status not in _BODILESS:
            length = len(self.body) if self.length is None else self.length
            name, value = framing or ("Content-Length", str(length))
            lines.append(f"Content-Type: {self.content_type}")
            lines.append(f"{name}: {value}")
        if self.reqid:
            lines.append(f"X-Reqid: {reqid}")
        if self.xlog:
            lines.append("X-Log: STUB")
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def encode(self, reqid: str) -> bytes:
        """The whole answer."""
        body = b"" if self.status in _BODILESS else self.body
        return self.head(reqid) + body


class Content(NamedTuple):
    """What a right answer says; faults make their wrong ones of it."""

    whole: Callable[[], bytes]
    """JSON, an object."""
    short: Callable[[], bytes]
    """The same or a shorter one, for those who take their time."""


def padded(content: bytes, size: int) -> bytes:
    """A JSON object of `size` bytes, the surplus in an unknown member."""
    start, end = content[:-1] + b',"padding":"', b'"}'
    return start + b"x" * max(0, size - len(start) - len(end)) + end


def compact(value: Any) -> bytes:
    """JSON without spaces, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@lru_cache(maxsize=16)
def http_date(second: int) -> str:
    """An HTTP-date; one is asked for per answer and changes once a second."""
    return formatdate(second, usegmt=True)


_run = os.urandom(4).hex()
_serial = itertools.count(1)


def new_reqid() -> str:
    """A request id no other answer has, not even of another server's run."""
    return f"stub{_run}{next(_serial):08x}"
