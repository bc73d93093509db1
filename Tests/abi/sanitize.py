"""Runs the hard tests with the library under ThreadSanitizer and AddressSanitizer.

    python Tests/abi/sanitize.py [--scratch FOLDER] [thread|address …]

The library is the release one, Embedded Swift and all, built with
-sanitize=thread or =address into FOLDER/tsan or /asan (.build). Its sanitizer's
functions are in the programs, which the toolchain's own clang compiles. A
report of any kind, leaks too, is printed and so fails a run, since the programs
print nothing when all is well.

libcurl and OpenSSL are as the system has them, without instrumentation. UBSan has
nothing to say: the C of the library is one static definition and one-line calls.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "Tests"), str(HERE)]

from running import (  # noqa: E402
    FINDING_FORKS,
    FORK_SCENARIOS,
    GUEST_SCENARIOS,
    QUEUE_SCENARIOS,
    TRANSPORTS,
    failing_and_well,
    run_quietly,
    tell_of_itself,
)
from server import StubServer  # noqa: E402

SANITIZERS = {"thread": "tsan", "address": "asan"}

# A handler of the sanitizer's own would look like one that the library installed.
NO_HANDLERS = "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigfpe=0:handle_sigill=0"

OPTIONS = {
    # A child of a process with threads goes on, as the test of forks has it.
    "thread": f"exitcode=66:die_after_fork=0:{NO_HANDLERS}",
    "address": f"exitcode=66:detect_leaks=1:detect_stack_use_after_return=1:{NO_HANDLERS}",
}

# A child leaves its parent's libcurl handles where they are, because libcurl
# could only end their connections: they, and what OpenSSL hangs on them, are lost
# in a child that then ends by exit. Only these runs may lose anything.
LOST_IN_A_CHILD = ("libcurl.so", "libssl.so", "libcrypto.so")

RUNS = [
    *(("threads", (name, count), "http") for name, count in (("first", 40), ("shared", 3000), ("exec", 10))),
    ("threads", ("finding", 4000), "http"),
    *(("forks", (name,), transport) for name in (*FORK_SCENARIOS, "busy") for transport in TRANSPORTS),
    *(("forks", (name, "finding"), transport) for name in (*FINDING_FORKS, "busy") for transport in TRANSPORTS),
    *(("queue", (name,), transport) for name in QUEUE_SCENARIOS for transport in TRANSPORTS),
    *(("guest", (name,), transport) for name in GUEST_SCENARIOS for transport in TRANSPORTS),
]


def build_library(sanitizer: str, scratch: Path) -> Path:
    """The library with the sanitizer in it, which is proven and not believed."""
    folder = scratch / SANITIZERS[sanitizer]
    # The sanitizer's functions are the program's: undefined in the library.
    undefined = ["-Xlinker", "-z", "-Xlinker", "undefs"]
    command = ["swift", "build", "-c", "release", "--product", "prefop", "--disable-local-rpath"]
    command += ["--scratch-path", str(folder), "-Xswiftc", f"-sanitize={sanitizer}", *undefined]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    library = folder / "release/libprefop.so"
    soname = library.with_name("libprefop.so.1")
    soname.unlink(missing_ok=True)
    soname.symlink_to(library.name)
    symbols = subprocess.run(["nm", "-D", library], check=True, capture_output=True, text=True).stdout
    for function in {"thread": ("__tsan_read8", "__tsan_write8"), "address": ("__asan_report_load8",)}[
        sanitizer
    ]:
        if function not in symbols:
            raise SystemExit(
                f"{library} does not call {function}: it was built without -sanitize={sanitizer}"
            )
    return library


def clang() -> str:
    """The C compiler of the Swift toolchain, whose sanitizers are the library's."""
    swift = shutil.which("swift")
    if swift is None:
        raise SystemExit("swift is not in PATH")
    return str(Path(swift).resolve().with_name("clang"))


def compile_program(source: Path, program: Path, sanitizer: str, library: Path) -> Path:
    command = [
        clang(),
        "-std=gnu11",
        "-g",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-fsanitize={sanitizer}",
        "-fuse-ld=lld",
    ]
    command += [f"-I{ROOT / 'include'}", str(source), "-o", str(program)]
    command += [str(library), f"-Wl,-rpath,{library.parent}", "-lcrypto", "-lpthread"]
    if sanitizer == "thread":
        # This toolchain's ThreadSanitizer knows libdispatch, and so needs it.
        folder = Path(clang()).parent.parent / "lib/swift/linux"
        command += [f"-L{folder}", f"-Wl,-rpath,{folder}", "-ldispatch", "-lBlocksRuntime"]
    subprocess.run(command, check=True)
    return program


def hosts_to_find(
    server: StubServer, name: str, arguments: tuple[object, ...], transport: str
) -> contextlib.AbstractContextManager[object]:
    """Has the server tell of hosts, while the `with` lasts, if the run looks for them."""
    server.reset()
    if "finding" in arguments:
        if name == "threads":
            return failing_and_well(server)
        tell_of_itself(server, transport)
    return contextlib.nullcontext()


def run_scenarios(program: Path, server: StubServer, environment: dict[str, str]) -> None:
    """The functional table of Tests/clients: what the C driver says to standard
    error is the sanitizer's."""
    scenarios = json.loads((ROOT / "Tests/clients/scenarios.json").read_text())
    arguments = []
    for scenario in scenarios:
        arguments += [f"--{name}={value}" for name, value in scenario.get("options", {}).items()]
        arguments.append(scenario["id"])
    process = subprocess.run(
        [str(program), *arguments],
        env=os.environ | server.environment | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0 and process.stderr == "", process.stderr
    assert len(process.stdout.splitlines()) == len(scenarios), process.stdout


def check(sanitizer: str, scratch: Path) -> int:
    """Runs everything; the number of runs that failed."""
    library = build_library(sanitizer, scratch)
    failures = 0
    with tempfile.TemporaryDirectory() as folder, StubServer(tls=True) as server:
        lost = Path(folder, "lost")
        lost.write_text("".join(f"leak:{library}\n" for library in LOST_IN_A_CHILD))
        environment = {
            "TSAN_OPTIONS": OPTIONS[sanitizer],
            "ASAN_OPTIONS": OPTIONS[sanitizer],
            "ASAN_SYMBOLIZER_PATH": str(Path(clang()).with_name("llvm-symbolizer")),
        }
        programs = {
            name: compile_program(HERE / f"{name}.c", Path(folder, name), sanitizer, library)
            for name in ("threads", "forks", "queue", "guest")
        }
        driver = compile_program(
            ROOT / "Tests/clients/c/driver.c", Path(folder, "driver"), sanitizer, library
        )
        for name, arguments, transport in RUNS:
            what = f"{sanitizer}: {name} {' '.join(map(str, arguments))} {transport}"
            try:
                scenario, *more = arguments
                given = arguments if name == "threads" else (scenario, transport, *more)
                leaks = (
                    {"LSAN_OPTIONS": f"suppressions={lost}:print_suppressions=0"}
                    if scenario == "exit"
                    else {}
                )
                with hosts_to_find(server, name, arguments, transport):
                    run_quietly(programs[name], *given, server=server, **environment, **leaks)
                print(f"{what}: well")
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failures += 1
                print(f"{what}: FAILED\n{error}")
        try:
            run_scenarios(driver, server, environment)
            print(f"{sanitizer}: scenarios: well")
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failures += 1
            print(f"{sanitizer}: scenarios: FAILED\n{error}")
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scratch", type=Path, default=ROOT / ".build", metavar="FOLDER")
    parser.add_argument("sanitizers", nargs="*", metavar="thread|address")
    arguments = parser.parse_args()
    failures = [check(sanitizer, arguments.scratch) for sanitizer in arguments.sanitizers or SANITIZERS]
    return 1 if sum(failures) else 0


if __name__ == "__main__":
    sys.exit(main())
