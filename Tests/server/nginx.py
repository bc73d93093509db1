"""nginx on loopback, over HTTP/1.1 and over TLS with HTTP/2.

It answers every query with one task, or passes it on to a stub server.
"""

import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from .authority import Authority

# One process, so that it can be pinned to a core by its id.
_CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  log_format requests '$server_protocol $connection $status $request_uri';
  access_log {log};
  keepalive_requests {requests};
  keepalive_timeout 3600;
  client_body_temp_path {folder}/client;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{http};
    listen 127.0.0.1:{https} ssl http2;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    {location}
  }}
}}
"""

_ONE_TASK = """\
location = /status/get/prefop {{
      alias {folder}/task.json;
      types {{ application/json json; }}
      add_header X-Reqid nginx0000000001;
      add_header X-Log NGINX;
    }}"""

_PASS_ON = """\
location / {{
      proxy_pass {upstream};
      proxy_http_version 1.1;
      # What the client signed.
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
    }}"""


class Nginx:
    """Runs until it is closed; `http` and `https` are its origins.

    Either `task` is every answer's body, or `upstream` is the origin of a stub
    server that is asked. With `logs`, `requests` tells what came. After
    `requests_each` requests a connection is ended, over HTTP/2 with GOAWAY.
    """

    def __init__(
        self,
        task: bytes = b"",
        upstream: str | None = None,
        logs: bool = False,
        requests_each: int = 1_000_000_000,
    ) -> None:
        self._upstream = upstream
        self._requests_each = requests_each
        self._logs = logs
        self._temporary = tempfile.TemporaryDirectory(prefix="prefop-bench-")
        self._authority = Authority()
        self._process: subprocess.Popen[bytes] | None = None
        self.ca_file = self._authority.certificate_file
        try:
            Path(self._temporary.name, "task.json").write_bytes(task)
            self._start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()
        self._authority.close()
        self._temporary.cleanup()

    def requests(self, count: int) -> list[list[str]]:
        """Protocol, connection's number, status and target of each request.

        Waits for `count` of them: nginx writes one down after its answer.
        """
        log = Path(self._temporary.name, "access.log")
        end = time.monotonic() + 10
        while True:
            lines = log.read_text().splitlines()
            if len(lines) >= count or time.monotonic() > end:
                return [line.split(" ", 3) for line in lines]
            time.sleep(0.01)

    def pin(self, cores: set[int]) -> None:
        """Lets it run on these cores only."""
        assert self._process
        os.sched_setaffinity(self._process.pid, cores)

    def _start(self) -> None:
        # Another program may take a port between its choice and its use.
        for _ in range(5):
            http, https = _free_ports(2)
            if self._listens(http, https):
                self.http = f"http://127.0.0.1:{http}"
                self.https = f"https://127.0.0.1:{https}"
                return
        log = Path(self._temporary.name, "error.log")
        raise RuntimeError(f"nginx does not start:\n{log.read_text()}")

    def _listens(self, http: int, https: int) -> bool:
        folder = Path(self._temporary.name)
        certificate = self._authority.certificate("good")
        configuration = folder / "nginx.conf"
        location = _PASS_ON if self._upstream else _ONE_TASK
        configuration.write_text(
            _CONFIGURATION.format(
                folder=folder,
                requests=self._requests_each,
                http=http,
                https=https,
                chain=certificate.chain,
                key=certificate.key,
                log=f"{folder}/access.log requests" if self._logs else "off",
                location=location.format(folder=folder, upstream=self._upstream),
            )
        )
        self._process = subprocess.Popen(
            [_nginx(), "-p", folder, "-c", configuration, "-e", folder / "error.log"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while self._process.poll() is None:
            try:
                for port in (http, https):
                    socket.create_connection(("127.0.0.1", port)).close()
                return True
            except ConnectionRefusedError:
                time.sleep(0.01)
        return False


def _nginx() -> str:
    """Debian keeps it in a folder that is not on everybody's PATH."""
    return "/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else "nginx"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports
