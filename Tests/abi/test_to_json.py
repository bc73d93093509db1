"""Writing JSON: as the Go SDK does, and reading it gives the same task."""

import ctypes
import json
import random
from ctypes import POINTER, c_char_p, c_size_t, c_void_p
from typing import Any

import pytest
from generated import text, value_text
from guarded import Guarded
from json_cases import ILL_UTF8, refused
from made import make_item, make_task
from prefop_binding import Prefop, PrefopError, Task, TaskItem
from strict_json import ITEM_TEXTS, TASK_TEXTS, Members, value_of

INTEGERS = [0, 1, 2, 3, 4, 9, 10, -1, -10, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]


def expected_item(fields: dict[str, Any]) -> Members:
    """An item's members as Go writes them, in its order."""
    members = Members([("cmd", fields["command"]), ("code", fields["code"])])
    members.append(("desc", fields["description"]))
    if fields["error"]:
        members.append(("error", fields["error"]))
    if fields["error_index"] != -1:
        members.append(("errorIndex", fields["error_index"]))
    members += [("hash", fields["hash"]), ("key", fields["object_name"])]
    if fields["result"] not in (None, "null"):
        members.append(("result", value_of(fields["result"])))
    if fields["object_names"]:
        members.append(("keys", fields["object_names"]))
    members.append(("returnOld", fields["return_old"]))
    return members


def expected_task(fields: dict[str, Any]) -> Members:
    """A task's members as Go writes them, in its order."""
    members = Members([("id", fields["persistent_id"]), ("code", fields["code"])])
    members += [("desc", fields["description"]), ("inputKey", fields["object_name"])]
    members.append(("inputBucket", fields["bucket_name"]))
    for key, name in (("pipeline", "pipeline"), ("taskFrom", "task_from")):
        if fields[name]:
            members.append((key, fields[name]))
    members.append(("reqid", fields["request_id"]))
    if fields["type"]:
        members.append(("type", fields["type"]))
    if fields["created_at"]:
        members.append(("creationDate", fields["created_at"]))
    members.append(("items", [expected_item(item) for item in fields["items"]]))
    return members


def random_item(chance: random.Random) -> dict[str, Any]:
    fields: dict[str, Any] = {n: text(chance) for n in ITEM_TEXTS.values()}
    fields |= {n: chance.choice(INTEGERS) for n in ("code", "return_old")}
    fields["error_index"] = chance.choice([-1, -1, -(2**63), 0, 1, 2**63 - 1])
    fields["object_names"] = [text(chance) for _ in range(chance.choice([0, 0, 1, 3]))]
    fields["result"] = value_text(chance) if chance.random() < 0.4 else None
    return fields


def random_task(chance: random.Random) -> dict[str, Any]:
    fields: dict[str, Any] = {n: text(chance) for n in TASK_TEXTS.values()}
    fields |= {n: chance.choice(INTEGERS) for n in ("code", "type")}
    fields["items"] = [random_item(chance) for _ in range(chance.choice([0, 1, 1, 2, 4]))]
    return fields


def read_back(fields: dict[str, Any]) -> dict[str, Any]:
    """What reading gives: a result of null is an absent one."""
    result = None if fields["result"] == "null" else fields["result"]
    return fields | {"result": result}


@pytest.mark.parametrize("seed", range(5))
def test_generated_tasks(prefop: Prefop, seed: int) -> None:
    """4,000 tasks: the JSON is what Go writes, and reading it gives the task."""
    chance = random.Random(1000 + seed)
    for _ in range(4000):
        fields = random_task(chance)
        written = prefop.to_json(make_task(fields))
        assert value_of(written) == expected_task(fields), written
        parsed = prefop.parse(written)
        assert parsed.pop("json") == written
        items = [read_back(item) for item in fields["items"]]
        assert parsed == fields | {"items": items}, written


def test_generated_items(prefop: Prefop) -> None:
    chance = random.Random(77)
    for _ in range(2000):
        fields = random_item(chance)
        written = prefop.to_json(make_item(fields))
        assert value_of(written) == expected_item(fields), written
        assert prefop.parse_item(written) == read_back(fields), written


def test_every_character_survives(prefop: Prefop) -> None:
    everything = [chr(c) for c in (*range(1, 0xD800), *range(0xE000, 0x110000, 7))]
    for start in range(0, len(everything), 4096):
        piece = "".join(everything[start : start + 4096])
        written = prefop.to_json(make_task({"description": piece}))
        assert json.loads(written)["desc"] == piece
        assert prefop.parse(written)["description"] == piece


def test_escapes_are_the_shortest(prefop: Prefop) -> None:
    piece = "".join(map(chr, range(1, 0x80)))
    written = prefop.to_json(make_task({"description": piece}))
    assert f'"desc":{json.dumps(piece, ensure_ascii=False)}' in written


def test_compact_and_in_order(prefop: Prefop) -> None:
    items = [{"command": "c", "code": 3, "error_index": 0, "object_names": ["k"], "result": "[ 1 ]"}]
    fields = {"persistent_id": "i", "code": 3, "type": 1, "pipeline": "p", "items": items}
    assert prefop.to_json(make_task(fields)) == (
        '{"id":"i","code":3,"desc":"","inputKey":"","inputBucket":"","pipeline":"p","reqid":"","type":1,'
        '"items":[{"cmd":"c","code":3,"desc":"","errorIndex":0,"hash":"","key":"","result":[ 1 ],"keys":["k"],'
        '"returnOld":0}]}'
    )


def test_cleared_structs(prefop: Prefop) -> None:
    """NULL counts as "", and a task of zeros can be written."""
    assert prefop.to_json(Task()) == (
        '{"id":"","code":0,"desc":"","inputKey":"","inputBucket":"","reqid":"","items":[]}'
    )
    assert prefop.to_json(TaskItem()) == '{"cmd":"","code":0,"desc":"","hash":"","key":"","returnOld":0}'


def test_length_may_be_left_out_and_json_is_not_read(prefop: Prefop) -> None:
    task, out = Task(json=1, json_length=2**63), c_void_p()
    assert prefop.c.prefop_task_to_json(task, out, None, None) == 0
    prefop.c.prefop_string_free(out)


def test_own_task_can_be_written_and_freed_in_any_order(prefop: Prefop) -> None:
    body = b'{"code":0,"x":1,"items":[{"code":3,"result":{ "a": 1 },"keys":["k"]}]}'
    task, out, length = POINTER(Task)(), c_void_p(), c_size_t()
    assert prefop.c.prefop_task_parse(body, len(body), task, None) == 0
    assert prefop.c.prefop_task_to_json(task, out, length, None) == 0
    prefop.c.prefop_task_free(task)
    written = ctypes.string_at(out, length.value)
    prefop.c.prefop_string_free(out)
    assert b'"result":{ "a": 1 }' in written and b'"x"' not in written


@pytest.mark.parametrize("depth", [1, 1000, 1020, 1021, 1022, 1023, 1024, 1025])
def test_depth_that_is_written_can_be_read(prefop: Prefop, depth: int) -> None:
    task = make_task({"items": [{"result": "[" * depth + "]" * depth}]})
    try:
        written = prefop.to_json(task)
    except PrefopError as error:
        assert depth > 1021 and error.name == "PREFOP_ERROR_ARGUMENT", error
        return
    assert prefop.parse(written)["items"][0]["result"], depth


# Refusals.


def refusal(prefop: Prefop, value: Task | TaskItem, status: str = "ARGUMENT") -> str:
    with pytest.raises(PrefopError) as caught:
        prefop.to_json(value)
    assert caught.value.name == f"PREFOP_ERROR_{status}", caught.value
    return caught.value.message


@pytest.mark.parametrize("name", ILL_UTF8)
def test_ill_utf8(prefop: Prefop, name: str) -> None:
    for pad in range(18):
        ill = b"x" * pad + ILL_UTF8[name] + b"x" * (pad % 3)
        for key, member in TASK_TEXTS.items():
            message = refusal(prefop, make_task({member: ill}))
            assert key in message or member in message, message
            assert f"byte {pad}" in message or "cut" in name or "many" in name, message
        for key, member in ITEM_TEXTS.items():
            message = refusal(prefop, make_item({member: ill}))
            assert key in message or member in message, message
    message = refusal(prefop, make_task({"items": [{}, {"object_names": ["a", ill]}]}))
    assert "items[1]." in message and ("keys" in message or "object_names" in message), message


BAD_RESULTS = [
    *("", " ", "nul", "1 2", "1,", "{},{}", "[1,]", "{", "}", "[", "tru", "'a'", "01", "NaN", "\ufeff1", "a"),
    *("{} {}", '"a', '{"a"}', "//", "1//", "\v1", "[" * 2000 + "]" * 2000),
]


@pytest.mark.parametrize("result", BAD_RESULTS, ids=lambda r: ascii(r[:20]))
def test_bad_results(prefop: Prefop, result: str) -> None:
    message = refusal(prefop, make_task({"items": [{}, {}, {"result": result}]}))
    assert "items[2].result" in message and len(message) < 300, message
    message = refusal(prefop, make_item({"result": result}))
    assert message.startswith("result") or "item.result" in message, message


def test_results_that_are_no_json_value(prefop: Prefop) -> None:
    for name, value in refused():
        if b"\0" in value:
            continue
        with pytest.raises(PrefopError):
            prefop.to_json(make_item({"result": value}))
            pytest.fail(f"{name}: {value!r} was written")


@pytest.mark.parametrize("result", ["null", " null ", "\nnull"])
def test_null_result_is_absent(prefop: Prefop, result: str) -> None:
    assert "result" not in json.loads(prefop.to_json(make_item({"result": result})))


def test_null_among_items(prefop: Prefop) -> None:
    items = (POINTER(TaskItem) * 3)(ctypes.pointer(TaskItem()))
    message = refusal(prefop, Task(items=items, item_count=3))
    assert "items[1]" in message and "NULL" in message, message
    names = (c_char_p * 3)(b"a", None, b"c")
    item = TaskItem(object_names=names, object_name_count=3)
    message = refusal(prefop, item)
    assert "[1]" in message and "NULL" in message, message


@pytest.mark.parametrize("count", [1, 2**32, 2**63, 2**64 - 1])
def test_counts_without_an_array(prefop: Prefop, count: int) -> None:
    assert "item_count" in refusal(prefop, Task(item_count=count))
    assert "object_name_count" in refusal(prefop, TaskItem(object_name_count=count))


@pytest.mark.parametrize("count", [2**63, 2**64 - 1])
def test_counts_too_large(prefop: Prefop, count: int) -> None:
    items = (POINTER(TaskItem) * 1)(ctypes.pointer(TaskItem()))
    refusal(prefop, Task(items=items, item_count=count))
    names = (c_char_p * 1)(b"a")
    refusal(prefop, TaskItem(object_names=names, object_name_count=count))


def test_arrays_are_not_read_past_their_count(prefop: Prefop) -> None:
    """Behind the last element lies memory that cannot be read."""

    name, item = c_char_p(b"k"), ctypes.pointer(TaskItem(command=b"c"))
    with Guarded(bytes(name) * 2) as names, Guarded(bytes(item)) as items:
        pointer = ctypes.cast(names, POINTER(c_char_p))
        made = TaskItem(object_names=pointer, object_name_count=2)
        assert json.loads(prefop.to_json(made))["keys"] == ["k", "k"]
        list_of_items = ctypes.cast(items, POINTER(POINTER(TaskItem)))
        task = Task(items=list_of_items, item_count=1)
        assert json.loads(prefop.to_json(task))["items"][0]["cmd"] == "c"


def test_error_names_the_item(prefop: Prefop) -> None:
    small = TaskItem()
    small.struct_size = 8
    items = (POINTER(TaskItem) * 2)(ctypes.pointer(TaskItem()), ctypes.pointer(small))
    message = refusal(prefop, Task(items=items, item_count=2))
    assert "struct_size" in message, message


@pytest.mark.parametrize("where", ["task", "item"])
def test_reserved_members_must_be_zero(prefop: Prefop, where: str) -> None:
    """Or they could never be given a meaning."""
    item = TaskItem()
    items = (POINTER(TaskItem) * 2)(ctypes.pointer(item))
    task = Task(items=items, item_count=1)
    (task if where == "task" else item).reserved = 7
    status = prefop.c.prefop_task_to_json(ctypes.byref(task), ctypes.byref(c_void_p()), None, None)
    assert prefop.status_name(status) == "PREFOP_ERROR_UNSUPPORTED"
