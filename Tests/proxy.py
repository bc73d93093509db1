"""A forward proxy for tests: absolute-form requests, and CONNECT."""

import base64
import re
import socket

from relay import Relay, pass_on
from server.authority import Certificate


class Proxy(Relay):
    """`requests` are the heads it got.

    `credentials`, "user:password", are demanded with 407 when given. `refuse`
    is a status to answer everything with, `fields` are header lines of that
    answer.
    """

    def __init__(
        self,
        credentials: str | None = None,
        refuse: int | None = None,
        fields: str = "",
        certificate: Certificate | None = None,
        origin: str | None = None,
    ) -> None:
        super().__init__(origin, certificate)
        self._expected = credentials and basic(credentials)
        self._refuse = refuse
        self._fields = fields
        self.requests: list[str] = []

    def request_lines(self) -> list[str]:
        return [request.partition("\r\n")[0] for request in self.requests]

    def serve(self, peer: socket.socket) -> None:
        while head := _head(peer):
            self.requests.append(head)
            method, target, _ = head.partition("\r\n")[0].split(" ")
            if refusal := self.refusal(head):
                _answer(peer, *refusal)
            elif method == "CONNECT":
                origin = self._reach(head)
                peer.sendall(b"HTTP/1.1 200 Connection established\r\nX-Reqid: the-proxy\r\n\r\n")
                pass_on(peer, origin)
                return
            else:
                self._forward(peer, head, target)
                return

    def refusal(self, head: str) -> tuple[int, str] | None:
        """The status and header lines to answer a request with that goes no further."""
        if self._expected and f"\r\nProxy-Authorization: {self._expected}\r\n" not in head:
            return 407, "Proxy-Authenticate: Basic realm=stub\r\n"
        return (self._refuse, self._fields) if self._refuse else None

    def _reach(self, head: str) -> socket.socket:
        host, _, port = destination(head).rpartition(":")
        return self.connect(host.strip("[]"), int(port))

    def _forward(self, peer: socket.socket, head: str, target: str) -> None:
        origin = self._reach(head)
        path = target.partition("//")[2].partition("/")[2]
        lines = head.split("\r\n")[1:]
        kept = [line for line in lines if not line.lower().startswith("proxy-")]
        rest = "\r\n".join(["Connection: close", *kept])
        origin.sendall(f"GET /{path} HTTP/1.1\r\n{rest}".encode("latin-1"))
        while data := origin.recv(1 << 16):
            peer.sendall(data)


def destination(head: str) -> str:
    """Whom a request is for, as it says: "name:port"."""
    method, target, _ = head.partition("\r\n")[0].split(" ")
    if method == "CONNECT":
        return target
    authority = target.partition("//")[2].partition("/")[0]
    return authority if re.search(r":\d+$", authority) else f"{authority}:80"


def basic(credentials: str) -> str:
    """The value of a header that gives "user:password"."""
    return "Basic " + base64.b64encode(credentials.encode()).decode()


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
