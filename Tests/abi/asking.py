"""One query of a stub server, and what became of it."""

from typing import Any

import pytest
from prefop_binding import Error, Prefop, PrefopError
from server import ACCESS_KEY, SECRET_KEY, StubServer

KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}


def ask(prefop: Prefop, server: StubServer, id: str = "echo.1", error: Error | None = None, **options: Any) -> Any:
    """The task.

    The host is the server's, over TLS if it has that, unless `api_hosts` names
    others; each gets one request, unless `max_attempts` allows more.
    """
    url = server.https_url or server.http_url
    defaults = {"api_hosts": url, "ca_file": server.ca_file, "max_attempts": 1, **KEYS}
    with prefop.client(**(defaults | options)) as client:
        return client.query(id, error)


def failure(
    prefop: Prefop, server: StubServer, id: str = "echo.1", secrets: tuple[str, ...] = (), **options: Any
) -> PrefopError:
    """The error, which must not show a secret."""
    with pytest.raises(PrefopError) as caught:
        ask(prefop, server, id, **options)
    for secret in (SECRET_KEY, *secrets):
        assert secret not in str(caught.value.fields), "a secret is shown"
    return caught.value
