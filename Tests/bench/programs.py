"""Compiles the programs that are measured, against a copy of the library.

A copy, so that a build meanwhile does not change what is measured.
"""

import os
import shutil
import subprocess
from pathlib import Path

# The bare program would go through a proxy that the environment names.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Programs:
    """Built once into a folder; the attributes are their paths."""

    def __init__(self, library: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.library = folder / "libprefop.so"
        self.library.unlink(missing_ok=True)
        shutil.copy(library, self.library)
        soname = folder / "libprefop.so.1"
        soname.unlink(missing_ok=True)
        soname.symlink_to(self.library.name)
        self.sequential = self._program("cc", "sequential.c", "-lcurl")
        self.steady = self._program("cc", "steady.c", "-lcurl")
        self.many = self._program("cc", "many.c", "-lcurl")
        self.volume = self._program("cc", "volume.c", "-lcurl")
        self.flight = self._program("cc", "flight.c", "-lcurl")
        self.threads = self._program("cc", "threads.c", "-lcurl", "-lpthread")
        self.waiting = self._program("cc", "waiting.c", "-lcurl")
        self.cancel = self._program("cc", "cancel.c", "-lcurl")
        self.json = self._program("g++", "json.cpp")
        self.allocations = self._compile(
            "cc", "allocations.c", "allocations.so", "-shared", "-fPIC"
        )
        self.slow_names = self._compile(
            "cc", "../abi/slow_names.c", "slow_names.so", "-shared", "-fPIC"
        )

        self.fast = self._compile("cc", "../server/fast.c", "fast")

    def _program(self, compiler: str, source: str, *libraries: str) -> Path:
        return self._compile(
            compiler,
            source,
            Path(source).stem,
            str(self.library),
            f"-Wl,-rpath,{self._folder}",
            *libraries,
        )

    def _compile(self, compiler: str, source: str, name: str, *flags: str) -> Path:
        made = self._folder / name
        output(
            *(compiler, "-O2", "-Wall", "-Wextra", "-Werror"),
            *("-isystem", str(ROOT / "include"), str(HERE / source), "-o", str(made)),
            *flags,
        )
        return made


def output(*command: str | Path, **options: object) -> str:
    """What a command prints; RuntimeError with its complaints if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=_ENVIRONMENT,
        **options,  # type: ignore[call-overload]
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr
