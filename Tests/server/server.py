"""The server: listening sockets, threads, and an end that leaves nothing."""

import itertools
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Self

from .authority import Authority
from .connection import Connection
from .credentials import ACCESS_KEY, SECRET_KEY
from .log import Connections, Log, Record
from .service import Service

_BACKLOG = 1024


class StubServer:
    """A status API on free loopback ports, over HTTP and, if wanted, HTTPS.

        with StubServer(tls=True) as server:
            ask(server.https_url, "echo.1", trusting=server.ca_file)
            assert server.requests[-1].verdict == "verified"

    `certificate` is one of those that an Authority makes; `tls_version` is the
    only one that it speaks, however old.

    Whatever it holds (sockets, threads, a temporary folder) is gone when the
    block ends, whatever its clients are doing.
    """

    def __init__(
        self,
        *,
        tls: bool = False,
        certificate: str = "good",
        tls_version: ssl.TLSVersion | None = None,
        ipv6: bool = False,
        log_limit: int = 10_000,
    ) -> None:
        self._tls = tls
        self._certificate = certificate
        self._tls_version = tls_version
        self._family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self._log = Log(log_limit)
        self._service = Service(self._log)
        self._connections: set[Connection] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._stopping = False
        self._serials = itertools.count(1)
        self._held = ExitStack()
        self.http_url = ""
        self.https_url: str | None = None
        """None unless made with `tls`."""
        self.ca_file: str | None = None
        """The authority to trust; None unless made with `tls`."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Listens and serves; returns itself. A server starts only once."""
        try:
            port = self._listen(None)
            address = "[::1]" if self._family == socket.AF_INET6 else "127.0.0.1"
            self.http_url = f"http://{address}:{port}"
            if self._tls:
                authority = self._held.enter_context(Authority())
                port = self._listen(self._tls_context(authority))
                name = "[::1]" if self._family == socket.AF_INET6 else "localhost"
                self.https_url = f"https://{name}:{port}"
                self.ca_file = str(authority.certificate_file)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Cuts every connection and waits for every thread; harmless if repeated."""
        with self._lock:
            self._stopping = True
            for connection in self._connections:
                connection.stop()
        self._held.close()
        while True:
            with self._lock:
                thread = next(iter(self._threads), None)
            if thread is None:
                return
            thread.join()
            self._threads.discard(thread)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that tell a program in any language about this server."""
        variables = {"PREFOP_TEST_HTTP": self.http_url}
        if self.https_url and self.ca_file:
            variables["PREFOP_TEST_HTTPS"] = self.https_url
            variables["PREFOP_TEST_CA"] = self.ca_file
        variables["QINIU_ACCESS_KEY"] = ACCESS_KEY
        variables["QINIU_SECRET_KEY"] = SECRET_KEY
        return variables

    @property
    def requests(self) -> list[Record]:
        """The requests so far, oldest first, without those to /_requests."""
        return self._log.records

    @property
    def total(self) -> int:
        """How many requests there were; `requests` keeps the last `log_limit`."""
        return self._log.total

    @property
    def connections(self) -> Connections:
        """The counters of connections as they are now."""
        return self._log.connections

    def clear(self) -> None:
        """Forgets requests, counters and the tries of flaky ids."""
        self._service.clear()

    def wait_for(self, predicate: Callable[[], bool], timeout: float = 10) -> bool:
        """Waits until `predicate`, asked at every change of the log, holds."""
        return self._log.wait_for(predicate, timeout)

    def _tls_context(self, authority: Authority) -> ssl.SSLContext:
        certificate = authority.certificate(self._certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        context.set_alpn_protocols(["http/1.1"])
        if self._tls_version:
            if self._tls_version < ssl.TLSVersion.TLSv1_2:
                # Their signatures are too weak for what OpenSSL 3 lets pass.
                context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = self._tls_version
            context.maximum_version = self._tls_version
        return context

    def _listen(self, context: ssl.SSLContext | None) -> int:
        """Starts accepting on a free port, which is returned."""
        loopback = "::1" if self._family == socket.AF_INET6 else "127.0.0.1"
        listener = socket.create_server(
            (loopback, 0), family=self._family, backlog=_BACKLOG
        )
        self._held.callback(_stop_listening, listener)
        self._start_thread(partial(self._accept, listener, context))
        port: int = listener.getsockname()[1]
        return port

    def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            try:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if context:
                    peer = context.wrap_socket(
                        peer, server_side=True, do_handshake_on_connect=False
                    )
                connection = Connection(
                    peer, next(self._serials), self._service.serve, self._service.refuse
                )
            except OSError:
                peer.close()
                continue
            with self._lock:
                if self._stopping:
                    peer.close()
                    return
                self._connections.add(connection)
            self._log.connection_opened()
            self._start_thread(partial(self._run, connection))

    def _run(self, connection: Connection) -> None:
        try:
            connection.run()
        except OSError:
            self._log.handshake_failed()
        finally:
            with self._lock:
                self._connections.discard(connection)
            self._log.connection_closed()

    def _start_thread(self, work: Callable[[], None]) -> None:
        """Daemons, so that a test that forgets to stop us can still end."""

        def work_and_leave() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=work_and_leave, daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()


def _stop_listening(listener: socket.socket) -> None:
    """Wakes the thread in accept, which closing alone would not."""
    try:
        listener.shutdown(socket.SHUT_RDWR)
    finally:
        listener.close()
