"""What the header says a task's fields are, worked out with Python's json."""

import json
from typing import Any

TASK_MEMBERS = {
    "persistent_id": "id",
    "description": "desc",
    "object_name": "inputKey",
    "bucket_name": "inputBucket",
    "pipeline": "pipeline",
    "task_from": "taskFrom",
    "request_id": "reqid",
    "created_at": "creationDate",
}
ITEM_MEMBERS = {
    "command": "cmd",
    "description": "desc",
    "error": "error",
    "hash": "hash",
    "object_name": "key",
}


def present(value: Any, absent: Any) -> Any:
    """A member's value; null counts as absent."""
    return absent if value is None else value


def expected_item(item: dict[str, Any]) -> dict[str, Any]:
    fields = {n: present(item.get(k), "") for n, k in ITEM_MEMBERS.items()}
    return fields | {
        "code": item["code"],
        "error_index": present(item.get("errorIndex"), -1),
        "result": item.get("result"),
        "object_names": present(item.get("keys"), []),
        "return_old": present(item.get("returnOld"), 0),
    }


def expected_task(body: bytes | str, parsed: Any = None) -> "Expected":
    """The fields of the task in a body."""
    text = body if isinstance(body, str) else body.decode()
    task = json.loads(text) if parsed is None else parsed
    fields = {n: present(task.get(k), "") for n, k in TASK_MEMBERS.items()}
    items = [expected_item(item) for item in present(task.get("items"), [])]
    return Expected(
        fields
        | {
            "code": task["code"],
            "type": present(task.get("type"), 0),
            "items": items,
            "json": text,
        }
    )


class Expected(dict[str, Any]):
    """Equal to a task's fields when each `result` is exact text of the body
    that means the value expected."""

    def __eq__(self, fields: object) -> bool:
        if not isinstance(fields, dict):
            return False
        return dict(self) == understood(fields)

    __hash__ = None  # type: ignore[assignment]

    def __ne__(self, fields: object) -> bool:
        return not self == fields


def understood(fields: dict[str, Any]) -> dict[str, Any]:
    """A task's fields with each item's `result` as its value."""
    return fields | {"items": [understood_item(i, fields["json"]) for i in fields["items"]]}


def understood_item(item: dict[str, Any], json_text: str | None = None) -> dict[str, Any]:
    result = item["result"]
    if result is None:
        return item
    if json_text is not None:
        assert result in json_text, "result is not the exact text"
    return item | {"result": json.loads(result)}
