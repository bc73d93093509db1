"""Tasks and items filled in by the caller."""

import ctypes
from ctypes import POINTER, c_char_p
from typing import Any

from prefop_binding import Task, TaskItem, as_bytes

_LISTS = ("items", "object_names")


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {n: as_bytes(v) for n, v in fields.items() if n not in _LISTS}


def make_item(fields: dict[str, Any]) -> TaskItem:
    """An item with these members; `object_names` is a list."""
    names = [as_bytes(name) for name in fields.get("object_names", [])]
    # One more would be the NULL that the count makes needless.
    array = (c_char_p * len(names))(*names) if names else None
    return TaskItem(**_plain(fields), object_names=array, object_name_count=len(names))


def make_task(fields: dict[str, Any]) -> Task:
    """A task with these members; `items` is a list of members of items."""
    items = [ctypes.pointer(make_item(item)) for item in fields.get("items", [])]
    array = (POINTER(TaskItem) * len(items))(*items) if items else None
    return Task(**_plain(fields), items=array, item_count=len(items))
