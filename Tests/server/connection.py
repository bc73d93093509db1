"""One accepted connection: bytes in, exchanges out.

Raw sockets, because an HTTP library would not let the faults be committed.
"""

import select
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from .answer import Answer, Content, new_reqid
from .request import MAXIMUM_HEAD, BadRequest, Request, parse

_RECEIVE = 64 * 1024
_LINGER_SECONDS = 1.0
_NOTHING = Content(lambda: b"{}", lambda: b"{}")
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Over(Exception):
    """The connection has nothing more to say or nobody to say it to."""


class Exchange:
    """One request and the means to answer it, well or badly.

    A script calls `answer`, or `send` for bytes of its own, any number of
    times. The connection stays open unless this is its `last` exchange, or
    `close` or `reset` cut it off; these do not return, and neither does `pause`
    once the peer has gone.
    """

    def __init__(self, connection: "Connection", request: Request) -> None:
        self._connection = connection
        self.request = request
        self.reqid = new_reqid()
        self.id = ""
        """The task asked for, once the service has unescaped it."""
        self.content = _NOTHING
        """What a right answer says, once the service has read the request."""
        option = request.header("connection") or ""
        self.last = request.version != "HTTP/1.1" or option.lower() == "close"
        """Whether the connection ends, properly, after this exchange."""

    @property
    def connection(self) -> int:
        """The serial number of the connection."""
        return self._connection.serial

    @property
    def port(self) -> int:
        """The peer's port."""
        return self._connection.port

    @property
    def is_resumed(self) -> bool:
        """Whether the connection goes on with a TLS session of an earlier one."""
        return self._connection.is_resumed

    @property
    def origin(self) -> str:
        """Scheme and authority of this server as the peer knows it."""
        scheme = "https" if self._connection.is_tls else "http"
        return f"{scheme}://{self.request.header('host')}"

    def answer(self, answer: Answer) -> None:
        """Sends a whole answer in one piece."""
        self.send(answer.encode(self.reqid))

    def send(self, data: bytes) -> None:
        """Sends exactly these bytes."""
        self._connection.socket.sendall(data)

    def pause(self, seconds: float | None) -> None:
        """Waits, for ever if None, but no longer than the peer does."""
        watch = select.poll()
        watch.register(self._connection.socket, select.POLLRDHUP)
        if watch.poll(None if seconds is None else seconds * 1000):
            raise Over

    def close(self) -> NoReturn:
        """Cuts the connection off with a FIN, under TLS without a word."""
        raise Over

    def reset(self) -> NoReturn:
        """Cuts the connection off with a RST."""
        self._connection.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
        )
        raise Over


class Connection:
    """Reads requests off a socket and has each of them served."""

    def __init__(
        self,
        socket: socket.socket,
        serial: int,
        serve: Callable[[Exchange], None],
        refuse: Callable[[Exchange, str], None],
    ) -> None:
        self.socket = socket
        self.serial = serial
        self.port: int = socket.getpeername()[1]
        self._serve = serve
        self._refuse = refuse
        self._received = b""

    @property
    def is_tls(self) -> bool:
        return isinstance(self.socket, ssl.SSLSocket)

    @property
    def is_resumed(self) -> bool:
        """Whether it goes on with a TLS session of an earlier one."""
        return isinstance(self.socket, ssl.SSLSocket) and bool(self.socket.session_reused)

    def reset(self) -> None:
        """Ends the connection with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.socket.close()

    def be_silent(self) -> None:
        """Takes what comes, without a word, until the connection ends."""
        watch = select.poll()
        watch.register(self.socket, select.POLLRDHUP)
        watch.poll()
        self.socket.close()

    def run(self) -> None:
        """Serves until either side ends the connection.

        Raises OSError if the two do not even get through a TLS handshake.
        """
        try:
            if isinstance(self.socket, ssl.SSLSocket):
                self.socket.do_handshake()
            try:
                while self._exchange():
                    pass
                self._say_goodbye()
            except (Over, OSError):
                pass
        finally:
            self.socket.close()

    def stop(self) -> None:
        """Makes `run` return, from another thread.

        SSLSocket.shutdown would take the TLS state away from under `run`.
        """
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def _exchange(self) -> bool:
        """Serves one request; tells whether there may be another."""
        try:
            head = self._receive_head()
            if head is None:
                return False
            exchange = Exchange(self, parse(head))
        except BadRequest as error:
            nothing = Request("", "", "", ())
            self._refuse(Exchange(self, nothing), str(error))
            return False
        self._serve(exchange)
        return not exchange.last

    def _receive_head(self) -> bytes | None:
        """The bytes before the next empty line; None at the end of the stream."""
        while True:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if end:
                self._received = rest
                return head
            if len(self._received) > MAXIMUM_HEAD:
                raise BadRequest("head too large")
            more = self.socket.recv(_RECEIVE)
            if not more:
                return None
            self._received += more

    def _say_goodbye(self) -> None:
        """Ends our side first and waits a little for the peer to end its own.

        Closing with bytes unread would send a RST, which may overtake the
        answer that was to be the last.
        """
        if isinstance(self.socket, ssl.SSLSocket):
            self.socket.setblocking(False)
            with suppress(OSError, ValueError):
                self.socket.unwrap()
        socket.socket.shutdown(self.socket, socket.SHUT_WR)
        self.socket.settimeout(_LINGER_SECONDS)
        while socket.socket.recv(self.socket, _RECEIVE):
            pass
