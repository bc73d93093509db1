"""fast.c as a process: the server for very many queries."""

import subprocess
from pathlib import Path
from typing import Self

SOURCE = Path(__file__).with_suffix(".c")


def build(folder: Path) -> Path:
    """Compiles it."""
    program = folder / "fast"
    flags = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")
    subprocess.run(["cc", *flags, str(SOURCE), "-o", str(program)], check=True)
    return program


class FastServer:
    """Runs until it is closed; `http` is its origin, and `answers` what it answered with then."""

    def __init__(self, program: Path, *mode: object) -> None:
        self.answers: dict[str, int] = {}
        self._process = subprocess.Popen(
            [program, *map(str, mode)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        port = self._process.stdout.readline().strip()
        if not port:
            self._process.communicate()
            raise RuntimeError(f"{program} {mode} does not start")
        self.http = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The end of its input ends it."""
        printed, _ = self._process.communicate()
        for line in printed.splitlines():
            name, count = line.split()
            self.answers[name] = int(count)
