"""A forward proxy that notes whom the library asks, and leads each where a test says."""

import contextlib
import select
import socket
import threading
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from server.ports import Port

_RECEIVE = 1 << 16


class Asked(NamedTuple):
    """One request to the proxy."""

    host: str
    """Whom it is for: "name:port"."""
    is_tunnel: bool
    head: str

    @property
    def shows_authorization(self) -> bool:
        """Whether the proxy sees what is for the host alone."""
        lines = self.head.lower().split("\r\n")
        return any(line.startswith(("authorization:", "x-qiniu-")) for line in lines)


class Gateway:
    """Serves until the end of the `with`; `asked` are the requests.

    `leads` has the loopback port for each "name:port" that there is; of any other
    the proxy says 502.
    """

    def __init__(self, leads: dict[str, int]) -> None:
        self.asked: list[Asked] = []
        self.leads = leads
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._port = Port(socket.AF_INET, self._accepted)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port.number}"

    @property
    def hosts(self) -> set[str]:
        """Who was asked for."""
        return {each.host for each in self.asked}

    def __enter__(self) -> Self:
        self._port.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._port.close()
        for each in self._sockets:
            _end(each)
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()

    def _accepted(self, peer: socket.socket) -> None:
        self._sockets.append(peer)
        thread = threading.Thread(target=self._serve, args=(peer,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if head := _head(peer):
                self._lead(peer, head)
        _end(peer)

    def _lead(self, peer: socket.socket, head: str) -> None:
        method, target, _ = head.partition("\r\n")[0].split(" ")
        is_tunnel = method == "CONNECT"
        host = target if is_tunnel else _authority(target)
        self.asked.append(Asked(host, is_tunnel, head))
        if host not in self.leads:
            peer.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        origin = socket.socket()
        self._sockets.append(origin)
        origin.connect(("127.0.0.1", self.leads[host]))
        if is_tunnel:
            peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = "/" + target.partition("//")[2].partition("/")[2]
            rest = head.partition("\r\n")[2]
            origin.sendall(f"{method} {path} HTTP/1.1\r\nConnection: close\r\n{rest}".encode("latin-1"))
        _pass_on(peer, origin)


def _authority(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc if parts.port else f"{parts.netloc}:80"


def _head(peer: socket.socket) -> str:
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        more = peer.recv(_RECEIVE)
        if not more:
            return ""
        data += more
    return data.decode("latin-1")


def _pass_on(peer: socket.socket, origin: socket.socket) -> None:
    """Passes bytes both ways until either side ends."""
    others = {peer.fileno(): (peer, origin), origin.fileno(): (origin, peer)}
    ready = select.poll()
    for descriptor in others:
        ready.register(descriptor, select.POLLIN)
    while True:
        for descriptor, _ in ready.poll():
            source, sink = others[descriptor]
            data = source.recv(_RECEIVE)
            if not data:
                _end(origin)
                return
            sink.sendall(data)


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
