"""A forward proxy that notes whom the library asks, and leads each where a test says."""

import socket
from typing import NamedTuple

from proxy import Proxy, destination


class Asked(NamedTuple):
    """One request to the proxy."""

    host: str
    """Whom it is for: "name:port"."""
    is_tunnel: bool
    head: str

    @property
    def shows_authorization(self) -> bool:
        """Whether the proxy sees what is for the host alone."""
        lines = self.head.lower().split("\r\n")
        return any(line.startswith(("authorization:", "x-qiniu-")) for line in lines)


class Gateway(Proxy):
    """`leads` has the loopback port for each "name:port" that there is; of any
    other the proxy says 502.
    """

    def __init__(self, leads: dict[str, int]) -> None:
        super().__init__()
        self.leads = leads

    @property
    def asked(self) -> list[Asked]:
        """The requests."""
        return [Asked(destination(head), head.startswith("CONNECT "), head) for head in self.requests]

    @property
    def hosts(self) -> set[str]:
        """Who was asked for."""
        return {each.host for each in self.asked}

    def refusal(self, head: str) -> tuple[int, str] | None:
        return None if destination(head) in self.leads else (502, "")

    def connect(self, host: str, port: int) -> socket.socket:
        return super().connect("127.0.0.1", self.leads[f"{host}:{port}"])
