"""A stub of Qiniu's status API that verifies, misbehaves and keeps a log.

`StubServer` runs inside a test; `python3 Tests/server -- COMMAND` runs a
program of any language against one. What it answers is decided by the id asked
for: script.py has the list. A test can also set what a whole server does, and
what the bucket service in it answers.
"""

from .answer import Answer
from .credentials import (
    ACCESS_KEY,
    SECOND_ACCESS_KEY,
    SECOND_SECRET_KEY,
    SECRET_KEY,
)
from .log import Connections, Kind, Record
from .regions import Region
from .server import PORT_FAULTS, StubServer

__all__ = [
    "ACCESS_KEY",
    "SECRET_KEY",
    "SECOND_ACCESS_KEY",
    "SECOND_SECRET_KEY",
    "PORT_FAULTS",
    "Answer",
    "Connections",
    "Kind",
    "Record",
    "Region",
    "StubServer",
]
