"""Reading requests, as strictly as the nginx before the real service does."""

import re
from typing import NamedTuple

MAXIMUM_HEAD = 64 * 1024

_REQUEST_LINE = re.compile(r"([A-Z]+) ([!-~]+) (HTTP/1\.[01])")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*)")


class BadRequest(Exception):
    """Something no careful client sends; the message says what."""


class Request(NamedTuple):
    """The head of a request; there is no request here that may have a body."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str | None:
        """The first value of a header, its name in any case."""
        wanted = name.lower()
        for name, value in self.headers:
            if name.lower() == wanted:
                return value
        return None

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the question mark, still escaped."""
        return self.target.partition("?")[2]


def parse(head: bytes) -> Request:
    """Reads everything before the empty line.

    Raises BadRequest, also for what is lawful HTTP but never belongs to a GET
    of a status: a body, or a header that announces one.
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    request_line = _REQUEST_LINE.fullmatch(first)
    if not request_line:
        raise BadRequest("malformed request line")
    method, target, version = request_line.groups()
    headers = []
    hosts = 0
    for line in lines:
        field = _FIELD.fullmatch(line)
        if not field:
            raise BadRequest("malformed header")
        name, value = field.groups()
        headers.append((name, value.rstrip(" \t")))
        lowered = name.lower()
        if lowered == "host":
            hosts += 1
        elif lowered == "transfer-encoding":
            raise BadRequest("Transfer-Encoding")
        elif lowered == "content-length":
            raise BadRequest("Content-Length")
    if hosts != 1:
        raise BadRequest("not exactly one Host")
    return Request(method, target, version, tuple(headers))
