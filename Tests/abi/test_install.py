"""make install: what it puts where, and that programs build against it."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

INSTALLED = {
    "include/prefop.h",
    "lib/libprefop.so",
    "lib/libprefop.so.1",
    "lib/libprefop.so.1.0.0",
    "lib/libprefop.so.1.0.0.debug",
    "lib/pkgconfig/prefop.pc",
    "lib/cmake/prefop/prefop-config.cmake",
    "lib/cmake/prefop/prefop-config-version.cmake",
}

PROGRAM = """\
#include <prefop.h>
#include <stdio.h>
int main(void) {
  printf("%s %s\\n", PREFOP_VERSION, prefop_version());
  return prefop_version_number() != PREFOP_VERSION_NUMBER;
}
"""


def run(*command: object, **environment: str) -> str:
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=os.environ | environment
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    return result.stdout


def make(target: str, prefix: pathlib.Path, *variables: str) -> None:
    run("make", "-s", "-C", ROOT, target, f"PREFIX={prefix}", *variables)


def files(folder: pathlib.Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or path.is_file()
    }


@pytest.fixture
def prefix(tmp_path: pathlib.Path) -> pathlib.Path:
    make("install", tmp_path / "prefix")
    return tmp_path / "prefix"


def test_install_and_uninstall(prefix: pathlib.Path) -> None:
    assert files(prefix) == INSTALLED
    (prefix / "lib/libother.so").touch()
    make("uninstall", prefix)
    assert files(prefix) == {"lib/libother.so"}


def test_destdir(tmp_path: pathlib.Path) -> None:
    make("install", pathlib.Path("/usr"), f"DESTDIR={tmp_path}")
    assert files(tmp_path / "usr") == INSTALLED
    assert "prefix=/usr\n" in (tmp_path / "usr/lib/pkgconfig/prefop.pc").read_text()


def test_links_and_symbols(prefix: pathlib.Path) -> None:
    assert os.readlink(prefix / "lib/libprefop.so") == "libprefop.so.1"
    assert os.readlink(prefix / "lib/libprefop.so.1") == "libprefop.so.1.0.0"
    sections = run("readelf", "-SW", prefix / "lib/libprefop.so.1.0.0")
    assert ".symtab" not in sections and ".debug_info" not in sections
    assert ".gnu_debuglink" in sections
    assert ".debug_info" in run("readelf", "-SW", prefix / "lib/libprefop.so.1.0.0.debug")


def build_with_pkg_config(library_folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "program.c").write_text(PROGRAM)
    path = str(library_folder / "pkgconfig")
    flags = run("pkg-config", "--cflags", "--libs", "prefop", PKG_CONFIG_PATH=path).split()
    run("cc", tmp_path / "program.c", "-o", tmp_path / "program", *flags, f"-Wl,-rpath,{library_folder}")
    assert run(tmp_path / "program") == "1.0.0 1.0.0\n"


def build_with_cmake(tmp_path: pathlib.Path, *definitions: str) -> None:
    (tmp_path / "program.c").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(program C)\n"
        "find_package(prefop 1.0 REQUIRED)\nadd_executable(program program.c)\n"
        "target_link_libraries(program PRIVATE prefop::prefop)\n"
    )
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", *definitions)
    run("cmake", "--build", tmp_path / "build")
    assert run(tmp_path / "build/program") == "1.0.0 1.0.0\n"


def test_pkg_config(prefix: pathlib.Path, tmp_path: pathlib.Path) -> None:
    build_with_pkg_config(prefix / "lib", tmp_path)


def test_cmake(prefix: pathlib.Path, tmp_path: pathlib.Path) -> None:
    build_with_cmake(tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}")


@pytest.mark.parametrize("inside", [True, False], ids=["below-prefix", "elsewhere"])
def test_folders_of_their_own(tmp_path: pathlib.Path, inside: bool) -> None:
    """As a distribution with a folder for each architecture has them."""
    prefix, base = tmp_path / "prefix", tmp_path / ("prefix" if inside else "elsewhere")
    folders = [f"LIBDIR={base / 'lib/x86_64-linux-gnu'}", f"INCLUDEDIR={base / 'include/qiniu'}"]
    make("install", prefix, *folders)
    expected = {
        name.replace("lib/", "lib/x86_64-linux-gnu/", 1).replace("include/", "include/qiniu/", 1) for name in INSTALLED
    }
    assert files(base) == expected
    build_with_pkg_config(base / "lib/x86_64-linux-gnu", tmp_path)
    build_with_cmake(tmp_path, f"-Dprefop_DIR={base / 'lib/x86_64-linux-gnu/cmake/prefop'}")
    make("uninstall", prefix, *folders)
    assert files(base) == set()


def test_moved_as_a_whole(prefix: pathlib.Path, tmp_path: pathlib.Path) -> None:
    moved = prefix.rename(tmp_path / "moved")
    build_with_cmake(tmp_path, f"-DCMAKE_PREFIX_PATH={moved}")


def test_cmake_refuses_another_major_version(prefix: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(program NONE)\nfind_package(prefop 2.0 REQUIRED)\n"
    )
    result = subprocess.run(
        ["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"],
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0 and "1.0.0" in result.stderr, result.stderr
