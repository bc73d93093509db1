"""prefop.h alone: every C and C++ takes it, and every language sees the same."""

import ctypes
import json
import pathlib
import re
import shutil
import subprocess
from typing import Any

import prefop_binding
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = ROOT / "include/prefop.h"
WARNINGS = ["-pedantic", "-Wall", "-Wextra", "-Wpadded", "-Werror", "-fsyntax-only"]
C_STANDARDS = ["c99", "c11", "c17", "c2x"]
CXX_STANDARDS = ["c++98", "c++11", "c++20"]
MACROS = {
    "prefop_error": "PREFOP_ERROR_INIT",
    "prefop_client_options": "PREFOP_CLIENT_OPTIONS_INIT",
    "prefop_query_options": "PREFOP_QUERY_OPTIONS_INIT",
    "prefop_notification": "PREFOP_NOTIFICATION_INIT",
    "prefop_task": "PREFOP_TASK_INIT",
    "prefop_task_item": "PREFOP_TASK_ITEM_INIT",
}


def members(struct: type[ctypes.Structure]) -> list[str]:
    return [name for name, _ in struct._fields_]


def layout_of(struct: type[ctypes.Structure]) -> dict[str, int]:
    offsets = {name: getattr(struct, name).offset for name in members(struct)}
    return {"sizeof": ctypes.sizeof(struct)} | offsets


BINDING = {n: layout_of(s) for n, s in prefop_binding.STRUCTS.items()}


def ffi_text() -> str:
    text = HEADER.read_text()
    _, begun, rest = text.partition("/* ffi: begin */")
    declarations, ended, _ = rest.partition("/* ffi: end */")
    assert begun and ended, f"{HEADER} has no ffi marks"
    return declarations


def check(command: list[str], **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}{done.stdout}"
    return done.stdout


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("standard", C_STANDARDS + CXX_STANDARDS)
def test_compiles_alone(compiler: str, standard: str, tmp_path: pathlib.Path) -> None:
    """Included twice, and each macro used, with every warning an error."""
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    language = "c++" if "++" in standard else "c"
    uses = "".join(f"{s} {s}_value = {m};\n" for s, m in MACROS.items())
    source = tmp_path / "alone.c"
    source.write_text(f"#include <prefop.h>\n#include <prefop.h>\n{uses}")
    flags = [f"-std={standard}", "-x", language, *WARNINGS, f"-I{HEADER.parent}"]
    check([compiler, *flags, str(source)])


def test_struct_layouts_in_c(tmp_path: pathlib.Path) -> None:
    lines = []
    for name, struct in prefop_binding.STRUCTS.items():
        lines.append(f'  printf("{name} sizeof %zu\\n", sizeof({name}));')
        lines += [f'  printf("{name} {m} %zu\\n", offsetof({name}, {m}));' for m in members(struct)]
    printed = run_c("\n".join(lines), tmp_path)
    seen: dict[str, dict[str, int]] = {}
    for line in printed.splitlines():
        name, member, number = line.split()
        seen.setdefault(name, {})[member] = int(number)
    assert seen == BINDING


def run_c(statements: str, folder: pathlib.Path) -> str:
    """What a program prints that includes the header and does this."""
    source, program = folder / "program.c", folder / "program"
    includes = "#include <prefop.h>\n#include <stdio.h>\n#include <string.h>\n"
    source.write_text(f"{includes}int main(void) {{\n{statements}\n  return 0;\n}}\n")
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{HEADER.parent}"]
    check(["cc", *flags, str(source), "-o", str(program)])
    return check([str(program)])


@pytest.mark.parametrize("struct", MACROS)
def test_initialiser_is_cleared_memory_with_its_size(struct: str, tmp_path: pathlib.Path) -> None:
    """Also behind dirty memory: no padding may be left, so memcmp tells all."""
    item = "  b.error_index = -1;\n" if struct == "prefop_task_item" else ""
    statements = f"""\
  {struct} a = {MACROS[struct]};
  {struct} b;
  memset(&b, 0, sizeof b);
  b.struct_size = (uint32_t)sizeof b;
{item}  printf("%d", memcmp(&a, &b, sizeof a));"""
    assert run_c(statements, tmp_path) == "0"


def test_constants_are_those_of_the_enums(tmp_path: pathlib.Path) -> None:
    """Every status has a name of its own, and the binding's flags are right."""
    names = ["ALLOW_ANONYMOUS", "USE_HTTP", "NO_ENVIRONMENT", "NO_DISCOVERY", "NO_DATE"]
    prefixed = [(f"PREFOP_CLIENT_{n}", n) for n in names]
    prefixed += [(f"PREFOP_QUERY_{n}", n) for n in ("INTERRUPTIBLE", "UNTIL_FINISHED", "EACH_CHANGE")]
    prefixed.append(("PREFOP_NOTIFICATION_ALLOW_UNSIGNED_BODY", "ALLOW_UNSIGNED_BODY"))
    printed = run_c("\n".join(f'  printf("%d\\n", {c});' for c, _ in prefixed), tmp_path)
    values = [int(line) for line in printed.split()]
    assert values == [getattr(prefop_binding, n) for _, n in prefixed]


def test_statuses_have_their_names(library: pathlib.Path) -> None:
    prefop = prefop_binding.Prefop(library)
    enum = re.findall(r"\b(PREFOP_(?:OK|ERROR_[A-Z_]+)) = (-?\d+)", HEADER.read_text())
    assert len(enum) > 25
    for name, number in enum:
        assert prefop.status_name(int(number)) == name
    known = {int(number) for _, number in enum}
    for number in {*range(-300, 300), 2**31 - 1, -(2**31)} - known:
        assert prefop.status_name(number) == "unknown", number


def test_codes_have_their_names(library: pathlib.Path) -> None:
    prefop = prefop_binding.Prefop(library)
    names = ["succeeded", "waiting", "processing", "failed", "notify failed"]
    for code in [*range(-3, 9), 2**32, 2**32 + 1, 2**63 - 1, -(2**63)]:
        expected = names[code] if 0 <= code < len(names) else "unknown"
        assert prefop.c.prefop_code_name(code).decode() == expected, code


def test_luajit_reads_the_ffi_text_unchanged() -> None:
    script = """
local ffi = require("ffi")
local file = assert(io.open(arg[1]))
ffi.cdef(file:read("*a"):match("/%* ffi: begin %*/(.-)/%* ffi: end %*/"))
for i = 2, #arg do
  local struct, member = arg[i]:match("(.*)%.(.*)")
  print(member == "sizeof" and ffi.sizeof(struct) or ffi.offsetof(struct, member))
end"""
    places = [f"{s}.{m}" for s, layout in BINDING.items() for m in layout]
    command = ["luajit", "-", str(HEADER), *places]
    printed = check(command, input=script).split()
    expected = [number for layout in BINDING.values() for number in layout.values()]
    assert dict(zip(places, map(int, printed), strict=True)) == dict(zip(places, expected, strict=True))


def test_cffi_reads_the_ffi_text_unchanged(library: pathlib.Path) -> None:
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()
    ffi.cdef(ffi_text())
    seen = {
        name: {"sizeof": ffi.sizeof(name)} | {member: field.offset for member, field in ffi.typeof(name).fields}
        for name in BINDING
    }
    assert seen == BINDING
    c = ffi.dlopen(str(library))
    assert c.prefop_version_number() == 0x010000
    assert c.PREFOP_ERROR_UNSIGNED_BODY == -124


def test_cffi_parses_a_task(library: pathlib.Path) -> None:
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()
    ffi.cdef(ffi_text())
    c = ffi.dlopen(str(library))
    body = json.dumps({"id": "a", "code": 3, "items": [{"code": 3}]}).encode()
    task, error = ffi.new("prefop_task **"), ffi.new("prefop_error *")
    error.struct_size = ffi.sizeof("prefop_error")
    assert c.prefop_task_parse(body, len(body), task, error) == c.PREFOP_OK
    assert ffi.string(task[0].persistent_id) == b"a"
    assert task[0].items[0].code == c.PREFOP_CODE_FAILED
    c.prefop_task_free(task[0])


def test_php_reads_the_ffi_text_unchanged(library: pathlib.Path) -> None:
    script = """<?php
[, $header, $library] = $argv;
$text = explode('/* ffi: end */', explode('/* ffi: begin */', file_get_contents($header))[1])[0];
$prefop = FFI::cdef($text, $library);
$task = $prefop->new('prefop_task *');
$error = $prefop->new('prefop_error');
$error->struct_size = FFI::sizeof($error);
$json = '{"code":4,"id":"a","items":[{"code":3}]}';
$status = $prefop->prefop_task_parse($json, strlen($json), FFI::addr($task), FFI::addr($error));
echo $status, " ", $task->code, " ", FFI::string($task->persistent_id), " ", $task->items[0]->code, " ";
$prefop->prefop_task_free($task);
echo $prefop->prefop_task_parse('{', 1, FFI::addr($task), FFI::addr($error)), "\\n";
foreach (array_slice($argv, 3) as $struct) echo FFI::sizeof($prefop->new($struct)), "\\n";
"""
    command = ["php", "-d", "ffi.enable=1", "--", str(HEADER), str(library), *BINDING]
    lines = check(command, input=script).splitlines()
    assert lines[0] == "0 4 a 3 -120"
    assert lines[1:] == [str(layout["sizeof"]) for layout in BINDING.values()]
