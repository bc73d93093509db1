"""The examples of a queue in an event loop, each beside a ticker in the same loop.

How long does the example keep the loop from all else? Each program takes ids as its example
does, and a millisecond's ticker writes down when the loop let it run.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HEADER = ROOT / "include/prefop.h"

NAMES = ("poll", "libuv", "glib", "asyncio", "async", "luv")
PACKAGES = {"poll": (), "libuv": ("libuv",), "glib": ("glib-2.0",)}


class Ticks(NamedTuple):
    """What a ticker tells; times in milliseconds. See c/ticker.h."""

    count: int
    latest: float
    beyond: int
    """How many came more than 20 ms late."""
    longest_held: float
    """Processor time between two ticks."""
    held: float
    """Processor time from the first tick to the last."""


def command(name: str, library: Path, folder: Path) -> list[str]:
    """The program of a loop; one in C is compiled into the folder."""
    match name:
        case "asyncio":
            return [sys.executable, "-B", str(HERE / "python/asyncio_loop.py")]
        case "async":
            return ["ruby", str(HERE / "ruby/async_loop.rb")]
        case "luv":
            return ["luajit", str(HERE / "luajit/luv_loop.lua")]
    program = folder / f"{name}_loop"
    compiler = ["cc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{HEADER.parent}"]
    compiler += [str(HERE / f"c/{name}_loop.c"), "-o", str(program), str(library), f"-Wl,-rpath,{library.parent}"]
    if PACKAGES[name]:
        compiler += _output("pkg-config", "--cflags", "--libs", *PACKAGES[name]).split()
    _output(*compiler)
    return [str(program)]


def run(name: str, command: list[str], library: Path, ids: list[str], **variables: str) -> tuple[list[str], Ticks]:
    """What the example printed, and what the ticker told."""
    done = subprocess.run(
        [*command, *(ids if name != "poll" else ())],
        env=os.environ
        | {"PREFOP_LIBRARY": str(library), "PREFOP_HEADER": str(HEADER), "no_proxy": "*"}
        | variables,
        input="".join(f"{id}\n" for id in ids),
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stderr}")
    count, latest, beyond, longest, held = done.stderr.splitlines()[-1].split()
    return done.stdout.splitlines(), Ticks(int(count), float(latest), int(beyond), float(longest), float(held))


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stderr}")
    return done.stdout
