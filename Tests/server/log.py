"""What the server was asked: requests and connections, for tests to look at."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from .request import Request


class Kind(StrEnum):
    """What was asked for."""

    TASK = "task"
    REGIONS = "regions"
    """All regions, of the bucket service."""
    BUCKET = "bucket"
    """The regions of a bucket, of the bucket service."""
    OTHER = "other"


class Record(NamedTuple):
    """One request. Tokens do not get this far, only whose they were."""

    connection: int
    """Serial number of the connection, which tells reuse even of a port."""
    port: int
    """The peer's port."""
    is_resumed: bool
    """The connection went on with a TLS session of an earlier one."""
    kind: Kind
    method: str
    target: str
    id: str | None
    """The task's id, unescaped; None on another path."""
    headers: tuple[tuple[str, str], ...]
    """As received, but Authorization is cut to the scheme and access key."""
    access_key: str | None
    verdict: str
    reqid: str
    """The X-Reqid of the answer, whether or not it was sent."""

    def header(self, name: str) -> str | None:
        """The first value of a header, its name in any case."""
        wanted = name.lower()
        return next((v for n, v in self.headers if n.lower() == wanted), None)

    def parameter(self, name: str) -> str | None:
        """The first value of a parameter of the target's query, unescaped."""
        query = self.target.partition("?")[2]
        return parse_qs(query, keep_blank_values=True).get(name, [None])[0]


@dataclass
class Connections:
    """How many connections there were; `clear` forgets all but the open ones."""

    accepted: int = 0
    open: int = 0
    peak: int = 0
    handshakes_failed: int = 0


class Log:
    """Requests and counters, kept under one lock.

    Only the last `limit` requests are kept, since a benchmark asks millions of
    times; `total` goes on counting.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._changed = threading.Condition()
        self._records: deque[Record] = deque(maxlen=limit)
        self._total = 0
        self._connections = Connections()

    @property
    def records(self) -> list[Record]:
        """A copy, oldest first."""
        with self._changed:
            return list(self._records)

    @property
    def total(self) -> int:
        """How many requests came, including those no longer kept."""
        with self._changed:
            return self._total

    @property
    def connections(self) -> Connections:
        """A copy."""
        with self._changed:
            return replace(self._connections)

    def add(self, record: Record) -> None:
        with self._changed:
            self._records.append(record)
            self._total += 1
            self._changed.notify_all()

    def connection_opened(self) -> None:
        with self._changed:
            counts = self._connections
            counts.accepted += 1
            counts.open += 1
            counts.peak = max(counts.peak, counts.open)
            self._changed.notify_all()

    def connection_closed(self) -> None:
        with self._changed:
            self._connections.open -= 1
            self._changed.notify_all()

    def handshake_failed(self) -> None:
        with self._changed:
            self._connections.handshakes_failed += 1
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._records.clear()
            self._total = 0
            still = self._connections.open
            self._connections = Connections(open=still, peak=still)
            self._changed.notify_all()

    def wait_for(self, predicate: Callable[[], bool], timeout: float) -> bool:
        """Waits until `predicate` holds, asking it again after every change."""
        with self._changed:
            return self._changed.wait_for(predicate, timeout)

    def as_json(self) -> dict[str, Any]:
        """What `GET /_requests` shows."""
        with self._changed:
            return {
                "total": self._total,
                "connections": asdict(self._connections),
                "requests": [record._asdict() for record in self._records],
            }


def without_signature(request: Request) -> tuple[tuple[str, str], ...]:
    """The request's headers, of every Authorization only what is no secret."""
    return tuple(
        (name, _public_part(value) if name.lower() == "authorization" else value)
        for name, value in request.headers
    )


def access_key(request: Request) -> str | None:
    """The access key of the first Authorization, if that has one."""
    authorization = request.header("authorization")
    if authorization is None:
        return None
    return _public_part(authorization).partition(" ")[2] or None


def _public_part(authorization: str) -> str:
    """The scheme, and the access key where the scheme is known to have one."""
    scheme, _, token = authorization.partition(" ")
    key, colon, _ = token.partition(":")
    return f"{scheme} {key}" if colon and scheme in ("Qiniu", "QBox") else scheme
