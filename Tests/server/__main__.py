"""Runs a command against the stub server, or serves until told to stop.

python3 Tests/server [--tls] [--certificate KIND] [--ipv6] [-- COMMAND ARG…]
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from types import FrameType

if not __package__:  # Run as a folder, which Python then takes for the path.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from server.authority import CERTIFICATES
from server.server import StubServer

GRACE_SECONDS = 5
"""How long a command has to end after the signal that told it to."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command:
    """A program in a session of its own, so that no part of it outlives us."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            arguments, env=os.environ | environment, start_new_session=True
        )

    def wait(self) -> int:
        """Waits for the program and ends what it left behind; its exit status.

        The program is reaped last: until then nobody else can have its number.
        """
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        self.signal(signal.SIGKILL)
        status = self._process.wait()
        return status if status >= 0 else 128 - status

    def signal(self, number: int) -> None:
        """Signals the program and everything it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def run(arguments: list[str], environment: dict[str, str]) -> int:
    """Runs a command, passing on the signals that ask us to stop."""
    commands: list[Command] = []
    asked: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        asked.append(number)
        for command in commands:
            command.signal(number)
        signal.alarm(GRACE_SECONDS)

    def kill(_number: int, _: FrameType | None) -> None:
        for command in commands:
            command.signal(signal.SIGKILL)

    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    signal.signal(signal.SIGALRM, kill)
    try:
        commands.append(Command(arguments, environment))
    except OSError as error:
        print(f"{arguments[0]}: {error.strerror}", file=sys.stderr)
        return 127 if isinstance(error, FileNotFoundError) else 126
    for early in asked:  # Those that came before there was a command.
        commands[0].signal(early)
    try:
        return commands[0].wait()
    finally:
        commands.clear()
        signal.alarm(0)


def serve(environment: dict[str, str]) -> int:
    """Shows how to reach the server, then waits for a signal."""
    stopped = threading.Event()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: stopped.set())
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
    stopped.wait()
    return 0


def unwind(number: int, _: FrameType | None) -> None:
    """Gives up, undisturbed by further signals, while nothing runs yet."""
    for other in STOP_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def main(arguments: list[str]) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python3 Tests/server",
        usage="%(prog)s [--tls] [--certificate KIND] [--ipv6] [-- COMMAND ARG...]",
        description="A stub of Qiniu's status API on free loopback ports.",
    )
    parser.add_argument("--tls", action="store_true", help="serve HTTPS as well")
    parser.add_argument(
        "--certificate",
        choices=CERTIFICATES,
        help="which certificate HTTPS shows (implies --tls)",
    )
    parser.add_argument("--ipv6", action="store_true", help="listen on ::1 instead")
    own, command = arguments, []
    if "--" in arguments:
        position = arguments.index("--")
        own, command = arguments[:position], arguments[position + 1 :]
    options = parser.parse_args(own)

    for number in STOP_SIGNALS:
        signal.signal(number, unwind)
    with StubServer(
        tls=options.tls or options.certificate is not None,
        certificate=options.certificate or "good",
        ipv6=options.ipv6,
    ) as server:
        if command:
            return run(command, server.environment)
        return serve(server.environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
