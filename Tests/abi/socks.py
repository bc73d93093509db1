"""A SOCKS proxy for tests: versions 4, 4a (a name with 4) and 5."""

import contextlib
import ipaddress
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from relay import Relay, pass_on

NO_METHOD, PASSWORD_METHOD, NO_ACCEPTABLE = 0, 2, 0xFF
NAME, IPV4, IPV6 = 3, 1, 4
GRANTED = {4: 90, 5: 0}


@dataclass
class Request:
    """What a client asked for; `target` is a name or an address."""

    version: int
    target: str
    port: int
    user: str
    password: str


class Socks(Relay):
    """`requests` are those it got, `offers` the methods each client of 5 offered.

    `credentials`, "user:password", are demanded of clients of version 5 when
    given. `replies` are codes to refuse the first requests with.
    """

    def __init__(
        self, credentials: str | None = None, replies: Iterable[int] = (), origin: str | None = None
    ) -> None:
        super().__init__(origin)
        self._expected = credentials
        self._replies = iter(replies)
        self.requests: list[Request] = []
        self.offers: list[set[int]] = []

    def serve(self, peer: socket.socket) -> None:
        version = _take(peer, 1)[0]
        request = self._request4(peer) if version == 4 else self._request5(peer)
        if not request:
            return
        self.requests.append(request)
        code = next(self._replies, GRANTED[version])
        origin = None
        if code == GRANTED[version]:
            origin = self.connect(request.target, request.port)
        peer.sendall(struct.pack("!BBHI", 0, code, 0, 0) if version == 4 else bytes([5, code, 0, IPV4] + [0] * 6))
        if origin:
            pass_on(peer, origin)
        else:
            # Closing with bytes unread would send a RST that overtakes the reply.
            peer.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                while peer.recv(1 << 16):
                    pass

    def _request4(self, peer: socket.socket) -> Request:
        _, port, address = struct.unpack("!BH4s", _take(peer, 7))
        user = _take_text(peer)
        is_name = address[:3] == bytes(3) and address[3] != 0
        target = _take_text(peer) if is_name else socket.inet_ntoa(address)
        return Request(4, target, port, user, "")

    def _request5(self, peer: socket.socket) -> Request | None:
        offered = set(_take(peer, _take(peer, 1)[0]))
        self.offers.append(offered)
        method = PASSWORD_METHOD if self._expected else NO_METHOD
        if method not in offered:
            peer.sendall(bytes([5, NO_ACCEPTABLE]))
            return None
        peer.sendall(bytes([5, method]))
        user = password = ""
        if method == PASSWORD_METHOD:
            _take(peer, 1)
            user = _take(peer, _take(peer, 1)[0]).decode()
            password = _take(peer, _take(peer, 1)[0]).decode()
            is_right = f"{user}:{password}" == self._expected
            peer.sendall(bytes([1, 0 if is_right else 1]))
            if not is_right:
                return None
        kind = _take(peer, 4)[3]
        if kind == NAME:
            target = _take(peer, _take(peer, 1)[0]).decode()
        else:
            target = str(ipaddress.ip_address(_take(peer, 4 if kind == IPV4 else 16)))
        (port,) = struct.unpack("!H", _take(peer, 2))
        return Request(5, target, port, user, password)


def _take(peer: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            raise ConnectionError("the client left")
        data += more
    return data


def _take_text(peer: socket.socket) -> str:
    """Text that ends with a NUL."""
    text = b""
    while (byte := _take(peer, 1)) != b"\0":
        text += byte
    return text.decode()
