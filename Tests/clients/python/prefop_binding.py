"""libprefop through ctypes: the structs as in prefop.h, and a little comfort.

    prefop = Prefop("/usr/lib/libprefop.so.1")
    with prefop.client(api_hosts="http://127.0.0.1:8080") as client:
        task = client.query("z0.597f28b445a2650c994bb208")
        print(task["code"], [item["object_name"] for item in task["items"]])

What fails raises PrefopError. `prefop.c` are the functions themselves.
"""

import ctypes
import os
from collections.abc import Callable, Iterable
from ctypes import (
    POINTER,
    Structure,
    c_char,
    c_char_p,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any, ClassVar, NamedTuple, Self

ALLOW_ANONYMOUS, USE_HTTP, NO_ENVIRONMENT, NO_DISCOVERY, NO_DATE = 1, 2, 4, 8, 16
INTERRUPTIBLE, UNTIL_FINISHED, EACH_CHANGE = 1, 2, 4
COMPLETION_MORE = 1
ALLOW_UNSIGNED_BODY = 1


class Sized(Structure):
    """A struct that knows its size; members are given by name."""

    _defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, **members: Any) -> None:
        super().__init__(**{"struct_size": ctypes.sizeof(type(self))} | self._defaults | members)


class TaskItem(Sized):
    _defaults: ClassVar = {"error_index": -1}
    _fields_: ClassVar = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("command", c_char_p),
        ("code", c_int64),
        ("description", c_char_p),
        ("error", c_char_p),
        ("error_index", c_int64),
        ("hash", c_char_p),
        ("object_name", c_char_p),
        ("result", c_char_p),
        ("object_names", POINTER(c_char_p)),
        ("object_name_count", c_size_t),
        ("return_old", c_int64),
    ]


class Task(Sized):
    _fields_: ClassVar = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("persistent_id", c_char_p),
        ("code", c_int64),
        ("description", c_char_p),
        ("object_name", c_char_p),
        ("bucket_name", c_char_p),
        ("pipeline", c_char_p),
        ("task_from", c_char_p),
        ("request_id", c_char_p),
        ("type", c_int64),
        ("created_at", c_char_p),
        ("items", POINTER(POINTER(TaskItem))),
        ("item_count", c_size_t),
        ("json", c_void_p),
        ("json_length", c_size_t),
    ]


class Error(Sized):
    _fields_: ClassVar = [
        ("struct_size", c_uint32),
        ("status", c_int32),
        ("http_status", c_int32),
        ("curl_code", c_int32),
        ("attempts", c_int32),
        ("retryable", c_int32),
        ("retry_after_ms", c_int64),
        ("request_id", c_char * 64),
        ("host", c_char * 256),
        ("message", c_char * 512),
    ]


class ClientOptions(Sized):
    _fields_: ClassVar = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("access_key", c_char_p),
        ("secret_key", c_char_p),
        ("api_hosts", c_char_p),
        ("bucket_hosts", c_char_p),
        ("proxy", c_char_p),
        ("ca_file", c_char_p),
        ("user_agent", c_char_p),
        ("timeout_ms", c_int64),
        ("attempt_timeout_ms", c_int64),
        ("connect_timeout_ms", c_int64),
        ("max_response_bytes", c_int64),
        ("max_attempts", c_int32),
        ("max_in_flight", c_int32),
    ]


class QueryOptions(Sized):
    _fields_: ClassVar = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("access_key", c_char_p),
        ("secret_key", c_char_p),
        ("bucket_name", c_char_p),
        ("timeout_ms", c_int64),
        ("poll_min_ms", c_int64),
        ("poll_max_ms", c_int64),
    ]


class Completion(Sized):
    _fields_: ClassVar = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("tag", c_uint64),
        ("task", POINTER(Task)),
        ("status", c_int32),
        ("reserved", c_uint32),
    ]


class Notification(Sized):
    _fields_: ClassVar = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("access_key", c_char_p),
        ("secret_key", c_char_p),
        ("method", c_char_p),
        ("url", c_char_p),
        ("headers", POINTER(c_char_p)),
        ("header_count", c_size_t),
        ("body", c_char_p),
        ("body_length", c_size_t),
    ]


STRUCTS = {
    "prefop_task_item": TaskItem,
    "prefop_task": Task,
    "prefop_error": Error,
    "prefop_client_options": ClientOptions,
    "prefop_query_options": QueryOptions,
    "prefop_completion": Completion,
    "prefop_notification": Notification,
}

_TASK_OUT = POINTER(POINTER(Task))
_ITEM_OUT = POINTER(POINTER(TaskItem))
_ERROR = POINTER(Error)
_STRING_OUT, _LENGTH_OUT = POINTER(c_void_p), POINTER(c_size_t)

FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "prefop_version_number": (c_uint32, []),
    "prefop_version": (c_char_p, []),
    "prefop_build_info": (c_char_p, []),
    "prefop_status_name": (c_char_p, [c_int32]),
    "prefop_code_name": (c_char_p, [c_int64]),
    "prefop_query": (
        c_int32,
        [c_void_p, c_char_p, POINTER(QueryOptions), _TASK_OUT, _ERROR],
    ),
    "prefop_wait": (
        c_int32,
        [c_void_p, c_char_p, POINTER(QueryOptions), _TASK_OUT, _ERROR],
    ),
    "prefop_task_free": (None, [POINTER(Task)]),
    "prefop_task_is_finished": (c_int32, [POINTER(Task)]),
    "prefop_task_is_succeeded": (c_int32, [POINTER(Task)]),
    "prefop_task_failed_item": (c_int64, [POINTER(Task), c_size_t]),
    "prefop_client_new": (
        c_int32,
        [POINTER(ClientOptions), POINTER(c_void_p), _ERROR],
    ),
    "prefop_client_set_credentials": (c_int32, [c_void_p, c_char_p, c_char_p, _ERROR]),
    "prefop_client_free": (None, [c_void_p]),
    "prefop_queue_new": (c_int32, [c_void_p, POINTER(c_void_p), _ERROR]),
    "prefop_queue_submit": (
        c_int32,
        [c_void_p, c_char_p, c_uint64, POINTER(QueryOptions), _ERROR],
    ),
    "prefop_queue_next": (c_int32, [c_void_p, c_int64, POINTER(Completion), _ERROR]),
    "prefop_queue_fd": (c_int32, [c_void_p]),
    "prefop_queue_pending": (c_size_t, [c_void_p]),
    "prefop_queue_cancel": (c_size_t, [c_void_p, c_uint64]),
    "prefop_queue_wakeup": (None, [c_void_p]),
    "prefop_queue_free": (None, [c_void_p]),
    "prefop_task_parse": (c_int32, [c_char_p, c_size_t, _TASK_OUT, _ERROR]),
    "prefop_task_to_json": (
        c_int32,
        [POINTER(Task), _STRING_OUT, _LENGTH_OUT, _ERROR],
    ),
    "prefop_task_item_parse": (c_int32, [c_char_p, c_size_t, _ITEM_OUT, _ERROR]),
    "prefop_task_item_to_json": (
        c_int32,
        [POINTER(TaskItem), _STRING_OUT, _LENGTH_OUT, _ERROR],
    ),
    "prefop_task_item_free": (None, [POINTER(TaskItem)]),
    "prefop_string_free": (None, [c_void_p]),
    "prefop_notification_verify": (
        c_int32,
        [c_void_p, POINTER(Notification), _TASK_OUT, _ERROR],
    ),
}
"""Every function of prefop.h, with its result and arguments."""


class PrefopError(Exception):
    """What a prefop_error says."""

    def __init__(self, name: str, error: Error) -> None:
        self.name = name
        self.fields = error_fields(error)
        super().__init__(f"{name}: {self.fields['message']}")

    def __getattr__(self, field: str) -> Any:
        if field == "fields" or field not in self.fields:
            raise AttributeError(field)
        return self.fields[field]


def error_fields(error: Error) -> dict[str, Any]:
    """Every member of a prefop_error but its size, texts as str."""
    values = {name: getattr(error, name) for name, _ in Error._fields_[1:]}
    return {n: v.decode() if isinstance(v, bytes) else v for n, v in values.items()}


_ITEM_TEXTS = ("command", "description", "error", "hash", "object_name")
_TASK_TEXTS = (
    *("persistent_id", "description", "object_name", "bucket_name"),
    *("pipeline", "task_from", "request_id", "created_at"),
)


def item_fields(item: TaskItem) -> dict[str, Any]:
    """Every member of an item, texts as str."""
    fields: dict[str, Any] = {n: getattr(item, n).decode() for n in _ITEM_TEXTS}
    count = item.object_name_count
    names = [item.object_names[i].decode() for i in range(count)]
    assert not count or item.object_names[count] is None, "object_names has no NULL end"
    result = item.result
    return fields | {
        "code": item.code,
        "error_index": item.error_index,
        "result": None if result is None else result.decode(),
        "object_names": names,
        "return_old": item.return_old,
    }


def task_fields(task: Task) -> dict[str, Any]:
    """Every member of a task that the library made, texts as str."""
    fields: dict[str, Any] = {n: getattr(task, n).decode() for n in _TASK_TEXTS}
    items = [item_fields(task.items[i].contents) for i in range(task.item_count)]
    assert not items or not task.items[len(items)], "items has no NULL end"
    text = ctypes.string_at(task.json, task.json_length + 1)
    assert text[-1] == 0, "json has no NUL end"
    return fields | {
        "code": task.code,
        "type": task.type,
        "items": items,
        "json": text[:-1].decode(),
    }


def as_bytes(text: str | bytes | None) -> bytes | None:
    return text.encode() if isinstance(text, str) else text


def _members(given: dict[str, Any]) -> dict[str, Any]:
    return {n: as_bytes(v) if isinstance(v, str) else v for n, v in given.items()}


class Prefop:
    """A loaded library."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.c = ctypes.CDLL(str(path))
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(self.c, name)
            function.restype, function.argtypes = result, arguments

    def status_name(self, status: int) -> str:
        return self.c.prefop_status_name(status).decode()

    def client(self, **options: Any) -> "Client":
        """A client; options are members of prefop_client_options."""
        return Client(self, options)

    def query(self, id: str | bytes, **options: Any) -> dict[str, Any]:
        """Asks with the default client."""
        return self._query(None, id, options)

    def parse(self, text: str | bytes) -> dict[str, Any]:
        """The fields of the task in a JSON text."""
        data, task, error = as_bytes(text), POINTER(Task)(), Error()
        status = self.c.prefop_task_parse(data, len(data), task, error)
        return self._take(status, task, error)

    def parse_item(self, text: str | bytes) -> dict[str, Any]:
        """The fields of the item in a JSON text."""
        data, item, error = as_bytes(text), POINTER(TaskItem)(), Error()
        self.check(self.c.prefop_task_item_parse(data, len(data), item, error), error, item)
        try:
            return item_fields(item.contents)
        finally:
            self.c.prefop_task_item_free(item)

    def to_json(self, value: Task | TaskItem) -> str:
        """The JSON of a task or item."""
        is_task = isinstance(value, Task)
        write = self.c.prefop_task_to_json if is_task else self.c.prefop_task_item_to_json
        text, length, error = c_void_p(), c_size_t(), Error()
        self.check(write(value, text, length, error), error, text)
        try:
            written = ctypes.string_at(text, length.value + 1)
            assert written[-1] == 0, "the JSON has no NUL end"
            return written[:-1].decode()
        finally:
            self.c.prefop_string_free(text)

    def verify(
        self,
        headers: Iterable[str | bytes] = (),
        body: bytes = b"",
        client: "Client | None" = None,
        **members: Any,
    ) -> dict[str, Any]:
        """The task in a notification; members are those of prefop_notification."""
        lines = [as_bytes(line) for line in headers]
        notification = Notification(
            headers=(c_char_p * len(lines))(*lines),
            header_count=len(lines),
            body=body,
            body_length=len(body),
            **_members(members),
        )
        task, error = POINTER(Task)(), Error()
        handle = client.handle if client else None
        status = self.c.prefop_notification_verify(handle, notification, task, error)
        return self._take(status, task, error)

    def check(self, status: int, error: Error, out: Any = None) -> None:
        """Raises what a call reported; nothing may have been handed out then."""
        assert error.status == status, f"returned {status}, error has {error.status}"
        if status:
            assert not out, f"{status}, but something was handed out"
            raise PrefopError(self.status_name(status), error)
        assert error.message == b"", f"success with message {error.message!r}"

    def _query(
        self,
        handle: c_void_p | None,
        id: str | bytes,
        options: dict[str, Any],
        error: Error | None = None,
    ) -> dict[str, Any]:
        given = QueryOptions(**_members(options)) if options else None
        task, error = POINTER(Task)(), error or Error()
        status = self.c.prefop_query(handle, as_bytes(id), given, task, error)
        return self._take(status, task, error)

    def _take(self, status: int, task: Any, error: Error) -> dict[str, Any]:
        self.check(status, error, task)
        try:
            return task_fields(task.contents)
        finally:
            self.c.prefop_task_free(task)


class Client:
    """A prefop_client, freed at the end of the `with`."""

    def __init__(self, prefop: Prefop, options: dict[str, Any]) -> None:
        self.prefop = prefop
        self.handle = c_void_p()
        error = Error()
        given = ClientOptions(**_members(options))
        status = prefop.c.prefop_client_new(given, self.handle, error)
        prefop.check(status, error, self.handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.prefop.c.prefop_client_free(self.handle)
        self.handle = c_void_p()

    def query(self, id: str | bytes, error: Error | None = None, **options: Any) -> dict[str, Any]:
        """Asks for a task; options are members of prefop_query_options."""
        return self.prefop._query(self.handle, id, options, error)

    def wait(
        self, id: str | bytes, error: Error | None = None, **options: Any
    ) -> tuple[str, dict[str, Any] | None, dict[str, Any]]:
        """Waits for a task; the status, the task that was handed out, if any, and the error."""
        given = QueryOptions(**_members(options)) if options else None
        task, error = POINTER(Task)(), error or Error()
        status = self.prefop.c.prefop_wait(self.handle, as_bytes(id), given, task, error)
        assert error.status == status, f"returned {status}, error has {error.status}"
        try:
            fields = task_fields(task.contents) if task else None
        finally:
            self.prefop.c.prefop_task_free(task)
        return self.prefop.status_name(status), fields, error_fields(error)

    def set_credentials(self, access_key: str | bytes | None, secret_key: str | bytes | None) -> None:
        error = Error()
        status = self.prefop.c.prefop_client_set_credentials(
            self.handle, as_bytes(access_key), as_bytes(secret_key), error
        )
        self.prefop.check(status, error)

    def queue(self) -> "Queue":
        """A queue of this client."""
        return Queue(self.prefop, self)


class Taken(NamedTuple):
    """A completion."""

    tag: int
    has_more: bool
    task: dict[str, Any] | None
    failure: PrefopError | None
    attempts: int


class Queue:
    """A prefop_queue, freed at the end of the `with`."""

    def __init__(self, prefop: Prefop, client: Client | None = None) -> None:
        self.prefop = prefop
        self.handle = c_void_p()
        self.error = Error()
        self.completion = Completion()
        status = prefop.c.prefop_queue_new(client.handle if client else None, self.handle, self.error)
        prefop.check(status, self.error, self.handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.prefop.c.prefop_queue_free(self.handle)
        self.handle = c_void_p()

    def submit(self, id: str | bytes, tag: int = 0, **options: Any) -> None:
        """Adds a query; options are members of prefop_query_options."""
        given = QueryOptions(**_members(options)) if options else None
        status = self.prefop.c.prefop_queue_submit(self.handle, as_bytes(id), tag, given, self.error)
        self.prefop.check(status, self.error)

    def take(self, timeout_ms: int = -1) -> Taken | None:
        """A completion with all that is in it; None: there was none in time."""
        done, error = self.completion, self.error
        result = self.prefop.c.prefop_queue_next(self.handle, timeout_ms, done, error)
        if result != 1:
            assert (done.tag, done.status, done.flags, bool(done.task)) == (0, 0, 0, False)
            self.prefop.check(result, error)
            return None
        assert error.status == done.status, f"completion has {done.status}, error {error.status}"
        task = task_fields(done.task.contents) if done.task else None
        self.prefop.c.prefop_task_free(done.task)
        failure = PrefopError(self.prefop.status_name(done.status), error) if done.status else None
        assert failure or error.message == b"", f"success with message {error.message!r}"
        return Taken(done.tag, bool(done.flags & COMPLETION_MORE), task, failure, error.attempts)

    def next(self, timeout_ms: int = -1) -> tuple[int, dict[str, Any] | PrefopError] | None:
        """The end of a query: its tag, and the task or why there is none; None: there was none in time."""
        taken = self.take(timeout_ms)
        if taken is None:
            return None
        assert not taken.has_more
        assert (taken.task is None) == (taken.failure is not None), taken
        return taken.tag, taken.failure or taken.task

    def drain(self, take: Callable[[int], Any]) -> list[Any]:
        """All completions in their order, each as `take` or `next` hands it out."""
        completions = []
        while self.pending():
            done = take(60_000)
            assert done, f"{self.pending()} are missing after {len(completions)}"
            completions.append(done)
        return completions

    def fd(self) -> int:
        """The descriptor to watch."""
        descriptor = self.prefop.c.prefop_queue_fd(self.handle)
        if descriptor < 0:
            raise OSError(self.prefop.status_name(descriptor))
        return descriptor

    def pending(self) -> int:
        return self.prefop.c.prefop_queue_pending(self.handle)

    def cancel(self, tag: int) -> int:
        return self.prefop.c.prefop_queue_cancel(self.handle, tag)

    def wakeup(self) -> None:
        self.prefop.c.prefop_queue_wakeup(self.handle)
