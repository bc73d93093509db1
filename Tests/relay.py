"""What every proxy of the tests is: a listener on loopback that passes bytes on."""

import contextlib
import selectors
import socket
import ssl
import threading
from typing import Self

from server.authority import Certificate
from server.ports import Port


class Relay:
    """Serves until the end of the `with`; a subclass says what a peer is told.

    With `origin`, "host:port", that is where every connection goes, whatever
    was asked for. With a `certificate` it speaks TLS to its clients.
    """

    def __init__(self, origin: str | None = None, certificate: Certificate | None = None) -> None:
        self._origin = origin
        self._context = certificate and _context(certificate)
        self._listening = Port(socket.AF_INET, self._accepted)
        self.port = self._listening.number
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._listening.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        for each in self._sockets:
            stop(each)
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()

    def serve(self, peer: socket.socket) -> None:
        """Serves one connection, which is ended when this returns."""
        raise NotImplementedError

    def connect(self, host: str, port: int) -> socket.socket:
        if self._origin:
            host, _, number = self._origin.rpartition(":")
            port = int(number)
        origin = socket.create_connection((host, port))
        self._sockets.append(origin)
        return origin

    def _accepted(self, peer: socket.socket) -> None:
        self._sockets.append(peer)
        thread = threading.Thread(target=self._serve, args=(peer,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._context:
                peer = self._context.wrap_socket(peer, server_side=True, do_handshake_on_connect=False)
                self._sockets.append(peer)
                peer.do_handshake()
            self.serve(peer)
        stop(peer)


def _context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context


def pass_on(peer: socket.socket, origin: socket.socket) -> None:
    """Passes bytes both ways until either side ends.

    In one thread, because two must not use one TLS connection at once.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(peer, selectors.EVENT_READ, origin)
        selector.register(origin, selectors.EVENT_READ, peer)
        while True:
            for key, _ in selector.select():
                source, sink = key.fileobj, key.data
                while True:
                    data = source.recv(1 << 16)  # type: ignore[union-attr]
                    if not data:
                        stop(origin)
                        return
                    sink.sendall(data)
                    # What TLS has deciphered already makes no socket ready.
                    if not (isinstance(source, ssl.SSLSocket) and source.pending()):
                        break


def stop(each: socket.socket) -> None:
    """Ends a connection that another thread may be waiting in.

    SSLSocket.shutdown would take the TLS state away from under that thread.
    """
    with contextlib.suppress(OSError):
        socket.socket.shutdown(each, socket.SHUT_RDWR)
