"""The server: listening sockets, threads, and an end that leaves nothing."""

import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Self

from .authority import Authority
from .connection import Connection
from .credentials import ACCESS_KEY, SECRET_KEY
from .log import Connections, Kind, Log, Record
from .ports import Port
from .regions import Regions
from .script import Fault
from .service import Service

PORT_FAULTS = ("port.refused", "port.black-hole", "port.reset", "port.silent")
"""What can become of a connection before there is a request."""


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
        fault: Fault | None = None,
        log_limit: int = 10_000,
    ) -> None:
        self._service = Service(Log(log_limit))
        self._log = self._service.log
        self._tls = tls
        self._certificate = certificate
        self._tls_version = tls_version
        self._family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self._ports: list[Port] = []
        self._port_fault: str | None = None
        self._connections: set[Connection] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._serials = itertools.count(1)
        self._held = ExitStack()
        self.http_url = ""
        self.https_url: str | None = None
        """None unless made with `tls`."""
        self.ca_file: str | None = None
        """The authority to trust; None unless made with `tls`."""
        self.fault = fault

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
            self._open_ports()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Cuts every connection and waits for every thread; harmless if repeated."""
        self._close_ports()
        self._held.close()

    @property
    def fault(self) -> Fault | None:
        """What becomes of every request, whatever it asks for; None: what its id
        says.

        An answer; or a form that script.py lists below status or fault, flaky
        ones too (the first n requests of the server, then what is right); or one
        of these, which also cuts every connection there is:

            port.refused     nobody listens
            port.black-hole  nothing answers who connects
            port.reset       connections are accepted and reset at once
            port.silent      connections are accepted, and nothing is said, not
                             even in TLS
        """
        return self._port_fault or self._service.fault

    @fault.setter
    def fault(self, form: Fault | None) -> None:
        of_port = form if isinstance(form, str) and form in PORT_FAULTS else None
        if form is not None and of_port is None:
            self._service.script.check_fault(form)
        self._service.fault = None if of_port else form
        if of_port != self._port_fault:
            self._close_ports()
            self._port_fault = of_port
            self._open_ports()

    @property
    def bucket_service_fault(self) -> Fault | None:
        """The same for GET /regions and GET /v4/query only, before `fault`; but
        it cannot be one of a port."""
        return self._service.bucket_service_fault

    @bucket_service_fault.setter
    def bucket_service_fault(self, form: Fault | None) -> None:
        if form is not None:
            self._service.script.check_fault(form)
        self._service.bucket_service_fault = form

    @property
    def regions(self) -> Regions | None:
        """What GET /regions answers; None: 404."""
        return self._service.bucket_service.regions

    @regions.setter
    def regions(self, regions: Regions | None) -> None:
        self._service.bucket_service.regions = regions

    @property
    def bucket_regions(self) -> Mapping[str, Regions] | None:
        """What GET /v4/query answers for each bucket; None: 404."""
        return self._service.bucket_service.bucket_regions

    @bucket_regions.setter
    def bucket_regions(self, regions: Mapping[str, Regions] | None) -> None:
        self._service.bucket_service.bucket_regions = regions

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

    def requests_for(self, kind: Kind) -> list[Record]:
        """Those of `requests` that asked for this."""
        return [record for record in self.requests if record.kind is kind]

    @property
    def connections(self) -> Connections:
        """The counters of connections as they are now."""
        return self._log.connections

    def clear(self) -> None:
        """Forgets requests, counters and the tries of flaky ids."""
        self._service.clear()

    def reset(self) -> None:
        """The same, and is as a new server: regions and faults are forgotten."""
        self.fault = None
        self._service.reset()

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
        """Takes a free port, which is returned; nobody listens on it yet."""
        port = Port(self._family, partial(self._accepted, context))
        self._held.callback(port.close)
        self._ports.append(port)
        return port.number

    def _accepted(self, context: ssl.SSLContext | None, peer: socket.socket) -> None:
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
            return
        with self._lock:
            self._connections.add(connection)
        self._log.connection_opened()
        self._start_thread(partial(self._run, connection, self._port_fault))

    def _run(self, connection: Connection, fault: str | None) -> None:
        try:
            match fault:
                case "port.reset":
                    connection.reset()
                case "port.silent":
                    connection.be_silent()
                case _:
                    connection.run()
        except OSError:
            self._log.handshake_failed()
        finally:
            with self._lock:
                self._connections.discard(connection)
            self._log.connection_closed()

    def _open_ports(self) -> None:
        for port in self._ports:
            match self._port_fault:
                case "port.refused":
                    pass
                case "port.black-hole":
                    port.swallow()
                case _:
                    port.listen()

    def _close_ports(self) -> None:
        """Has nobody listen, cuts every connection and waits for every thread."""
        for port in self._ports:
            port.refuse()
        with self._lock:
            for connection in self._connections:
                connection.stop()
        while True:
            with self._lock:
                thread = next(iter(self._threads), None)
            if thread is None:
                return
            thread.join()
            self._threads.discard(thread)

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
