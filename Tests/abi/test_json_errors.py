"""What an error of JSON says: where, which member, what stood there, what should."""

import pathlib
import subprocess
from collections.abc import Callable

import pytest
from prefop_binding import Prefop, PrefopError

# document, byte offset, member, what was expected, what stood there
CASES = [
    ("", 0, "", "object", "nothing"),
    ("x", 0, "", "object", '"x"'),
    ("  [1]", 2, "", "object", '"[1]"'),
    ('{"code":0} x', 11, "", "nothing after", '"x"'),
    ('{"code":0', 9, "", "',' or '}'", "end of the text"),
    ('{"code":0,', 10, "", "name", "end of the text"),
    ('{"code":0,}', 10, "", "name", '"}"'),
    ("{code:0}", 1, "", "name", '"code:0}"'),
    ('{"code" 0}', 8, "", "':'", '"0}"'),
    ('{"code":"0"}', 8, "code", "integer", '""0"}"'),
    ('{"code":1.5}', 8, "code", "integer", '"1.5}"'),
    ('{"code":1e3}', 8, "code", "integer", '"1e3}"'),
    ('{"code":01}', 8, "code", "integer", '"01}"'),
    ('{"code": -}', 9, "code", "integer", '"-}"'),
    ('{"code":true}', 8, "code", "integer", '"true}"'),
    ('{"code":9223372036854775808}', 8, "code", "64 bits", '"9223372036854775808}"'),
    ('{"code":0,"type":[]}', 17, "type", "integer", '"[]}"'),
    ('{"code":0,"id":5}', 15, "id", "text", '"5}"'),
    ('{"code":0,"id":"a}', 15, "id", "closing quote", '""a}"'),
    ('{"code":0,"id":"a\nb"}', 17, "id", "control", "b"),
    ('{"code":0,"id":"a\\x"}', 17, "id", "escape", "\\x"),
    ('{"code":0,"id":"a\\u12g4"}', 17, "id", "escape", "\\u12g4"),
    ('{"code":0,"id":"a\\ud800"}', 17, "id", "surrogate", "\\ud800"),
    ('{"code":0,"id":"a\\u0000"}', 17, "id", "without NUL", "\\u0000"),
    ('{"code":0,"reqid":tru}', 18, "reqid", "text", '"tru}"'),
    ('{"code":0,"x":tru}', 14, "x", "value", '"tru}"'),
    ('{"code":0,"x":[1,]}', 17, "x", "value", '"]}"'),
    ('{"code":0,"x":{"y":[}}', 20, "x", "value", '"}}"'),
    ('{"code":0,"x":[1 2]}', 17, "x", "',' or ']'", '"2]}"'),
    ('{"code":0,"items":{}}', 18, "items", "array", '"{}}"'),
    ('{"code":0,"items":[1]}', 19, "items[0]", "object", '"1]}"'),
    ('{"code":0,"items":[{"code":0},[]]}', 30, "items[1]", "object", '"[]]}"'),
    ('{"code":0,"items":[{"code":0} {}]}', 30, "items[0]", "',' or ']'", '"{}]}"'),
    ('{"code":0,"items":[{"code":0},', 30, "items[1]", "object", "end of the text"),
    ('{"code":0,"items":[{"code":0},{"code":1},{"code":"x"}]}', 49, "items[2].code", "integer", '""x"}]}"'),
    ('{"code":0,"items":[{"code":0,"hash":{}}]}', 36, "items[0].hash", "text", '"{}}]}"'),
    ('{"code":0,"items":[{"code":0,"keys":["a",1]}]}', 41, "items[0].keys", "text", '"1]}]}"'),
    ('{"code":0,"items":[{"code":0,"result":[01]}]}', 40, "items[0].result", "]", '"1]}]}"'),
    ('{"code":0,"items":[{"code":0}],"pipeline":7}', 42, "pipeline", "text", '"7}"'),
    ("{}", 0, "", 'member "code"', '"{}"'),
    ('{"code":0,"items":[{"cmd":"a"}]}', 19, "items[0]", 'member "code"', '"{"cmd":"a"}]}"'),
]


def refusal(prefop: Prefop, document: str | bytes) -> str:
    with pytest.raises(PrefopError) as caught:
        prefop.parse(document)
    assert caught.value.name == "PREFOP_ERROR_JSON", caught.value
    return caught.value.message


@pytest.mark.parametrize(("document", "offset", "member", "expected", "found"), CASES, ids=[c[0] for c in CASES])
def test_message(prefop: Prefop, document: str, offset: int, member: str, expected: str, found: str) -> None:
    message = refusal(prefop, document)
    shown = f"{document!r}: {message!r}"
    where, colon, _ = message.partition(": ")
    assert (where if colon and "expected" not in where else "") == member, shown
    assert expected in message, shown
    assert found in message, shown
    if document:
        assert message.endswith(f"at byte {offset}"), shown


def test_message_of_an_item(prefop: Prefop) -> None:
    with pytest.raises(PrefopError) as caught:
        prefop.parse_item('{"code":0,"errorIndex":"x"}')
    message = caught.value.message
    assert message.startswith("errorIndex: expected an integer"), message
    assert message.endswith("at byte 23"), message


def test_offsets_are_bytes(prefop: Prefop) -> None:
    message = refusal(prefop, '{"id":"中文😀","code":x}')
    assert message.endswith("at byte 26"), message


def test_long_and_ugly_text_in_a_message(prefop: Prefop) -> None:
    """It is cut and made printable, and the offset is still there."""
    for text in (b"x" * 100_000, b"\x01\x02\x1b[31m" * 50, b"\xff\xfe" * 500, "中".encode() * 500):
        message = refusal(prefop, b'{"code":' + text + b"}")
        assert len(message.encode()) < 300, message
        assert not any(c < " " or c == "\x7f" for c in message), repr(message)
        assert message.endswith("at byte 8"), message
    name = b"n" * 5_000
    message = refusal(prefop, b'{"code":0,"' + name + b'":?}')
    assert message.endswith(f"at byte {len(name) + 13}"), message


def test_workflow_notification(prefop: Prefop) -> None:
    body = '{"id":"a","status":"FINISHED","success":true,"result":{"code":0},"ops":[{"id":"b"}]}'
    assert "workflow" in refusal(prefop, body)
    assert "workflow" not in refusal(prefop, '{"id":"a"}')
    assert prefop.parse('{"code":0,"ops":[]}')["code"] == 0


def test_deep_nesting_needs_no_stack(compile_c: Callable[..., pathlib.Path]) -> None:
    """100,000 open brackets, on a thread with 128 KB of stack."""
    program = compile_c("abi/small_stack.c")
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}"
