"""A port, and what becomes of those who connect to it."""

import select
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack

_BACKLOG = 1024
_FILLERS = 8
_PROBE_MS = 100


class Port:
    """A loopback port, held until `close` whether or not anybody listens on it.

    Nobody else can get its number, so that a host can go and come back.
    """

    def __init__(
        self, family: socket.AddressFamily, accepted: Callable[[socket.socket], None]
    ) -> None:
        self._family = family
        self._accepted = accepted
        self._open = ExitStack()
        """What listens, to be undone."""
        self._holder = self._socket(0)
        self.number: int = self._holder.getsockname()[1]

    def listen(self) -> None:
        """Has every connection accepted."""
        self.refuse()
        listener = self._open.enter_context(self._socket(self.number))
        listener.listen(_BACKLOG)
        accepting = threading.Thread(
            target=self._accept, args=(listener,), daemon=True
        )
        accepting.start()
        self._open.callback(accepting.join)
        # Wakes the thread in accept, which closing alone would not.
        self._open.callback(listener.shutdown, socket.SHUT_RDWR)

    def refuse(self) -> None:
        """Has nobody listen: whoever connects is refused."""
        self._open.close()

    def swallow(self) -> None:
        """Has nothing answer: whoever connects waits.

        The kernel drops what would connect to a listener whose queue is full.
        """
        self.refuse()
        listener = self._open.enter_context(self._socket(self.number))
        listener.listen(0)
        for _ in range(_FILLERS):
            filler = self._open.enter_context(socket.socket(self._family))
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            connected = select.poll()
            connected.register(filler, select.POLLOUT)
            if not connected.poll(_PROBE_MS):
                return
        raise RuntimeError(f"{_FILLERS} connections fit into a queue of none")

    def close(self) -> None:
        """Gives the port up."""
        self.refuse()
        self._holder.close()

    def _socket(self, port: int) -> socket.socket:
        """A socket bound to a port that others of ours may be bound to as well."""
        made = socket.socket(self._family)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            loopback = "::1" if self._family == socket.AF_INET6 else "127.0.0.1"
            made.bind((loopback, port))
        except BaseException:
            made.close()
            raise
        return made

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            self._accepted(peer)
