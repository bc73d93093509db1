"""nginx on loopback, which answers every query with one task."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from programs import ROOT

sys.path.insert(0, str(ROOT / "Tests"))
from server.authority import Authority  # noqa: E402

# One process, so that it can be pinned to a core by its id.
_CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
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
    location = /status/get/prefop {{
      alias {folder}/task.json;
      types {{ application/json json; }}
      add_header X-Reqid bench0000000001;
      add_header X-Log BENCH;
    }}
  }}
}}
"""


class Nginx:
    """Runs until it is closed; `http` and `https` are its origins."""

    def __init__(self, task: bytes) -> None:
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
        configuration.write_text(
            _CONFIGURATION.format(
                folder=folder,
                http=http,
                https=https,
                chain=certificate.chain,
                key=certificate.key,
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
