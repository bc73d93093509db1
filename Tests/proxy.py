"""A forward proxy for tests: absolute-form requests, and CONNECT."""

import base64
import contextlib
import socket
import threading
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """Serves until the end of the `with`; `requests` are the heads it got.

    `credentials`, "user:password", are demanded with 407 when given. `refuse`
    is a status to answer everything with. `origin`, "host:port", gets what is
    to be forwarded, whatever host was asked for.
    """

    def __init__(
        self, credentials: str | None = None, refuse: int | None = None, origin: str | None = None
    ) -> None:
        self._expected = credentials and base64.b64encode(credentials.encode()).decode()
        self._refuse = refuse
        self._origin = origin
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[str] = []
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def request_lines(self) -> list[str]:
        return [request.partition("\r\n")[0] for request in self.requests]

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self._sockets.append(peer)
                self._start(self._serve, peer)

    def _serve(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while head := _head(peer):
                self.requests.append(head)
                method, target, _ = head.partition("\r\n")[0].split(" ")
                if self._expected and f"Basic {self._expected}" not in head:
                    _answer(peer, 407, "Proxy-Authenticate: Basic realm=stub\r\n")
                elif self._refuse:
                    _answer(peer, self._refuse)
                elif method == "CONNECT":
                    host, _, port = target.rpartition(":")
                    self._tunnel(peer, host.strip("[]"), int(port))
                    return
                else:
                    self._forward(peer, head, target)
        with contextlib.suppress(OSError):
            peer.shutdown(socket.SHUT_RDWR)

    def _connect(self, host: str, port: int) -> socket.socket:
        origin = socket.create_connection((host, port))
        self._sockets.append(origin)
        return origin

    def _tunnel(self, peer: socket.socket, host: str, port: int) -> None:
        origin = self._connect(host, port)
        peer.sendall(b"HTTP/1.1 200 Connection established\r\nX-Reqid: the-proxy\r\n\r\n")
        self._start(_pump, origin, peer)
        _pump(peer, origin)

    def _forward(self, peer: socket.socket, head: str, target: str) -> None:
        url = urlsplit(f"//{self._origin}" if self._origin else target)
        origin = self._connect(url.hostname or "", url.port or 80)
        path = target.partition("//")[2].partition("/")[2]
        lines = head.split("\r\n")[1:]
        kept = [line for line in lines if not line.lower().startswith("proxy-")]
        rest = "\r\n".join(["Connection: close", *kept])
        origin.sendall(f"GET /{path} HTTP/1.1\r\n{rest}".encode("latin-1"))
        while data := origin.recv(1 << 16):
            peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)


def _head(peer: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(1 << 16)
        if not more:
            return ""
        data += more
    return data.decode("latin-1")


def _answer(peer: socket.socket, status: int, fields: str = "") -> None:
    head = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nX-Reqid: the-proxy\r\n{fields}\r\n"
    peer.sendall(head.encode())


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
