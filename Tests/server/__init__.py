"""A stub of Qiniu's status API that verifies, misbehaves and keeps a log.

`StubServer` runs inside a test; `python3 Tests/server -- COMMAND` runs a
program of any language against one. What it answers is decided by the id asked
for: script.py has the list.
"""

from .credentials import (
    ACCESS_KEY,
    SECOND_ACCESS_KEY,
    SECOND_SECRET_KEY,
    SECRET_KEY,
)
from .log import Connections, Record
from .server import StubServer

__all__ = [
    "ACCESS_KEY",
    "SECRET_KEY",
    "SECOND_ACCESS_KEY",
    "SECOND_SECRET_KEY",
    "Connections",
    "Record",
    "StubServer",
]
