"""What RFC 8259 and the header say of a document, worked out with Python's json.

Where Python is more lenient than RFC 8259 (NaN, Infinity) it is made strict.
Where RFC 8259 leaves a choice this is the header's: text of a task or item may
hold neither NUL nor half a surrogate pair, an integer must fit 64 bits, each
occurrence of a repeated member must be right and the last counts, a name among
`keys` cannot be null, and an item needs a code as a task does. Depth is not
looked at: nobody generates 1024 levels.
"""

import json
from typing import Any

TASK_TEXTS = {
    "id": "persistent_id",
    "desc": "description",
    "inputKey": "object_name",
    "inputBucket": "bucket_name",
    "pipeline": "pipeline",
    "taskFrom": "task_from",
    "reqid": "request_id",
    "creationDate": "created_at",
}
ITEM_TEXTS = {
    "cmd": "command",
    "desc": "description",
    "error": "error",
    "hash": "hash",
    "key": "object_name",
}


class Refused(Exception):
    """The document is not JSON, or not a task."""


class Members(list[Any]):
    """An object's members as pairs, in their order, the repeated ones too."""


def _constant(name: str) -> None:
    raise Refused(f"{name} is not JSON")


_decoder = json.JSONDecoder(object_pairs_hook=Members, parse_constant=_constant)


def value_of(text: str) -> Any:
    return _decoder.decode(text)


def read(document: bytes) -> Any:
    try:
        return value_of(document.decode())
    except ValueError as error:
        raise Refused(str(error)) from None


def task_of(document: bytes) -> dict[str, Any]:
    """The fields of the task, `result` as its value."""
    task = _object(read(document))
    fields: dict[str, Any] = dict.fromkeys(TASK_TEXTS.values(), "")
    fields |= {"code": None, "type": 0, "items": [], "json": document.decode()}
    for name, value in task:
        if name in TASK_TEXTS:
            fields[TASK_TEXTS[name]] = _text(value)
        elif name == "code":
            fields["code"] = _integer(value, None)
        elif name == "type":
            fields["type"] = _integer(value, 0)
        elif name == "items":
            fields["items"] = [_item(item) for item in _array(value)]
    if fields["code"] is None:
        raise Refused("no code")
    return fields


def _item(value: Any) -> dict[str, Any]:
    fields: dict[str, Any] = dict.fromkeys(ITEM_TEXTS.values(), "")
    fields |= {"code": None, "error_index": -1, "result": None}
    fields |= {"object_names": [], "return_old": 0}
    for name, member in _object(value):
        if name in ITEM_TEXTS:
            fields[ITEM_TEXTS[name]] = _text(member)
        elif name == "code":
            fields["code"] = _integer(member, None)
        elif name == "errorIndex":
            fields["error_index"] = _integer(member, -1)
        elif name == "returnOld":
            fields["return_old"] = _integer(member, 0)
        elif name == "result":
            fields["result"] = member
        elif name == "keys":
            fields["object_names"] = [_name(each) for each in _array(member)]
    if fields["code"] is None:
        raise Refused("an item without code")
    return fields


def _object(value: Any) -> Members:
    if not isinstance(value, Members):
        raise Refused("not an object")
    return value


def _array(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, Members) or not isinstance(value, list):
        raise Refused("not an array")
    return value


def _name(value: Any) -> str:
    if value is None:
        raise Refused("null among names")
    return _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused("not text")
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise Refused("text that no C string can hold")
    return value


def _integer(value: Any, absent: Any) -> Any:
    if value is None:
        return absent
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused("not an integer")
    if not -(2**63) <= value < 2**63:
        raise Refused("more than 64 bits")
    return value


def with_result_values(fields: dict[str, Any]) -> dict[str, Any]:
    """A parsed task's fields, each `result` replaced by its value."""
    items = [
        item | {"result": None if item["result"] is None else value_of(item["result"])} for item in fields["items"]
    ]
    return fields | {"items": items}
