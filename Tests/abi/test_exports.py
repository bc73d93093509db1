"""What the shared library offers and what it needs, as the linker sees it."""

import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
from prefop_binding import FUNCTIONS, Prefop

ROOT = pathlib.Path(__file__).resolve().parents[2]
NEEDED = {"libcurl.so.4", "libcrypto.so.3", "libc.so.6", "ld-linux-x86-64.so.2"}
NEEDED |= {"ld-linux-aarch64.so.1"}
OLDEST_GLIBC = (2, 17)
SIZE_LIMIT = 230_000
NOT_WANTED = {
    *("swift_once", "swift_retain", "putchar", "posix_memalign", "arc4random_buf"),
    *("swift_release", "swift_allocObject", "printf", "puts"),
}


def output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def stripped(library: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    copy = tmp_path_factory.mktemp("stripped") / "libprefop.so.1"
    shutil.copy(library, copy)
    output("strip", "--strip-unneeded", str(copy))
    return copy


def dynamic_symbols(library: pathlib.Path, kind: str) -> set[str]:
    lines = output("nm", "-D", kind, str(library)).splitlines()
    return {line.split()[-1] for line in lines}


def header_functions() -> set[str]:
    text = (ROOT / "include/prefop.h").read_text()
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return set(re.findall(r"\b(prefop_\w+)\(", bare))


def map_functions() -> set[str]:
    (path,) = (ROOT / "Sources").rglob("prefop.map")
    text = path.read_text()
    assert re.search(r"local:\s*\*;", text), "the map lets everything through"
    return set(re.findall(r"\b(prefop_\w+);", text))


def test_exports_are_the_header_and_the_map(library: pathlib.Path) -> None:
    defined = dynamic_symbols(library, "--defined-only")
    names = {name.partition("@")[0] for name in defined} - {"PREFOP_1.0"}
    assert names == header_functions()
    assert names == map_functions()
    assert names == set(FUNCTIONS), "the Python binding is another one"


def test_exports_have_a_version(library: pathlib.Path) -> None:
    defined = dynamic_symbols(library, "--defined-only") - {"PREFOP_1.0"}
    assert {n for n in defined if not n.endswith("@@PREFOP_1.0")} == set()


def dynamic_section(library: pathlib.Path) -> list[tuple[str, str]]:
    printed = output("readelf", "-dW", str(library))
    return re.findall(r"\((\w+)\)\s+(.*)", printed)


def test_needs_only_curl_crypto_and_c(library: pathlib.Path) -> None:
    needed = {v.partition("[")[2].rstrip("]") for k, v in dynamic_section(library) if k == "NEEDED"}
    assert needed <= NEEDED, f"more than {NEEDED}"
    assert {"libcurl.so.4", "libcrypto.so.3", "libc.so.6"} <= needed


def test_name_and_no_path(library: pathlib.Path) -> None:
    section = dynamic_section(library)
    sonames = [value for key, value in section if key == "SONAME"]
    assert sonames == ["Library soname: [libprefop.so.1]"]
    assert [k for k, _ in section if k in ("RPATH", "RUNPATH", "TEXTREL")] == []


def test_stays_mapped_and_is_bound_at_once(library: pathlib.Path) -> None:
    flags = " ".join(v for k, v in dynamic_section(library) if k.startswith("FLAGS"))
    assert "NODELETE" in flags and "NOW" in flags, flags


def glibc_versions(library: pathlib.Path) -> dict[tuple[int, ...], str]:
    """The newest version of glibc that each is needed of, with a symbol of it."""
    needed = dynamic_symbols(library, "--undefined-only")
    found = {}
    for name in needed:
        symbol, _, version = name.partition("@GLIBC_")
        if version and version[0].isdigit():
            found[tuple(map(int, version.split(".")))] = symbol
    return found


def test_runs_with_an_old_glibc(library: pathlib.Path, record_property: Callable[[str, object], None]) -> None:
    for line in output("ldd", str(library)).splitlines():
        match = re.search(r"(libcurl|libcrypto)\S* => (\S+)", line)
        if match:
            newest = max(glibc_versions(pathlib.Path(match[2])))
            record_property(match[1], ".".join(map(str, newest)))
    too_new = {v: s for v, s in glibc_versions(library).items() if v > OLDEST_GLIBC}
    assert too_new == {}, f"symbols newer than glibc {OLDEST_GLIBC}"


def test_size(stripped: pathlib.Path) -> None:
    size = stripped.stat().st_size
    assert size <= SIZE_LIMIT, f"{size} bytes stripped: at most {SIZE_LIMIT}"


def test_no_swift_runtime(library: pathlib.Path, stripped: pathlib.Path) -> None:
    undefined = dynamic_symbols(stripped, "--undefined-only")
    names = {name.partition("@")[0] for name in undefined}
    assert names & NOT_WANTED == set()
    assert {n for n in names if n.startswith(("swift_", "_swift", "$s"))} == set()
    everything = output("nm", "--undefined-only", str(library))
    assert {line.split()[-1].partition("@")[0] for line in everything.splitlines()} & NOT_WANTED == set()
    texts = set(output("strings", str(stripped)).split())
    assert texts & NOT_WANTED == set()


def test_no_executable_stack_nor_writable_code(library: pathlib.Path) -> None:
    headers = output("readelf", "-lW", str(library))
    stack = re.search(r"GNU_STACK\s.*\s(R\w*)\s+(?:0x)?\d+$", headers, re.MULTILINE)
    assert stack and stack[1] == "RW", headers
    loads = re.findall(r"LOAD\s.*\s(R[ W][ E])\s+0x", headers)
    assert loads and "RWE" not in loads, headers
    assert "GNU_RELRO" in headers


def test_version(library: pathlib.Path) -> None:
    header = (ROOT / "include/prefop.h").read_text()
    text = re.search(r'#define PREFOP_VERSION "(.*)"', header)
    number = re.search(r"#define PREFOP_VERSION_NUMBER (\w+)", header)
    assert text and number
    c = Prefop(library).c
    assert c.prefop_version().decode() == text[1]
    assert c.prefop_version_number() == int(number[1], 0)
    major, minor, patch = map(int, text[1].split("."))
    assert int(number[1], 0) == major << 16 | minor << 8 | patch
    makefile = (ROOT / "Makefile").read_text()
    assert f"VERSION := {text[1]}" in makefile
    info = c.prefop_build_info().decode()
    assert info.isprintable() and text[1] in info
