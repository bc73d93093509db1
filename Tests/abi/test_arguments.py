"""Wrong arguments: each is told apart, none crashes, every output is written."""

import ctypes
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_size_t, c_void_p
from typing import Any

import pytest
from guarded import Guarded
from prefop_binding import (
    STRUCTS,
    ClientOptions,
    Error,
    Notification,
    Prefop,
    PrefopError,
    QueryOptions,
    Task,
    TaskItem,
    error_fields,
)

SECRET = "a-secret-that-must-not-be-shown"
TASK = b'{"id":"a","code":0,"items":[]}'
ITEM = b'{"cmd":"avinfo","code":0}'
JUNK = 0x5A5A5A5A

# What each function is given when all is well, outputs by "out".
CALLS: dict[str, list[Any]] = {
    "prefop_query": ["client", b"echo.1", QueryOptions(), "out", Error()],
    "prefop_wait": ["client", b"echo.1", QueryOptions(timeout_ms=1), "out", Error()],
    "prefop_client_new": [ClientOptions(), "out", Error()],
    "prefop_client_set_credentials": ["client", b"a", b"b", Error()],
    "prefop_queue_new": ["client", "out", Error()],
    "prefop_task_parse": [TASK, len(TASK), "out", Error()],
    "prefop_task_item_parse": [ITEM, len(ITEM), "out", Error()],
    "prefop_task_to_json": [Task(), "out", c_size_t(), Error()],
    "prefop_task_item_to_json": [TaskItem(), "out", c_size_t(), Error()],
    "prefop_notification_verify": [
        *("client", Notification(url=b"/", access_key=b"a", secret_key=b"b"), "out"),
        Error(),
    ],
}
# Pointers that may be NULL, besides error.
OPTIONAL = {
    ("prefop_query", 0),
    ("prefop_query", 2),
    ("prefop_wait", 0),
    ("prefop_wait", 2),
    ("prefop_client_new", 0),
    ("prefop_client_set_credentials", 0),
    ("prefop_queue_new", 0),
    ("prefop_task_to_json", 2),
    ("prefop_task_item_to_json", 2),
    ("prefop_notification_verify", 0),
}
OUT_FREE = {
    "prefop_client_new": "prefop_client_free",
    "prefop_queue_new": "prefop_queue_free",
    "prefop_query": "prefop_task_free",
    "prefop_wait": "prefop_task_free",
    "prefop_task_parse": "prefop_task_free",
    "prefop_notification_verify": "prefop_task_free",
    "prefop_task_item_parse": "prefop_task_item_free",
    "prefop_task_to_json": "prefop_string_free",
    "prefop_task_item_to_json": "prefop_string_free",
}


@pytest.fixture(scope="module")
def client(prefop: Prefop) -> Any:
    """A client that could only reach a closed port."""
    with prefop.client(api_hosts="http://127.0.0.1:1", access_key="a", secret_key=SECRET, max_attempts=1) as made:
        yield made


def call(prefop: Prefop, client: Any, name: str, replaced: dict[int, Any]) -> tuple[int, Any]:
    """The status, and what is left in the output, which began as junk."""
    function = getattr(prefop.c, name)
    arguments, out = list(CALLS[name]), None
    for index, argument in enumerate(arguments):
        if isinstance(argument, str) and argument == "client":
            arguments[index] = client.handle
        elif isinstance(argument, str):
            out = function.argtypes[index]._type_()
            ctypes.memmove(ctypes.byref(out), ctypes.byref(c_size_t(JUNK)), 8)
            arguments[index] = out
    for index, value in replaced.items():
        arguments[index] = value
    status = function(*arguments)
    if out is None:
        return status, None
    left = ctypes.cast(out, c_void_p).value
    if status == 0 and left and left != JUNK:
        getattr(prefop.c, OUT_FREE[name])(out)
    return status, left


def pointers() -> list[Any]:
    cases = []
    for name, arguments in CALLS.items():
        for index in range(len(arguments) - 1):
            if not isinstance(arguments[index], int) and (name, index) not in OPTIONAL:
                cases.append(pytest.param(name, index, id=f"{name}-{index}"))
    return cases


@pytest.mark.parametrize(("name", "index"), pointers())
def test_null_is_an_argument_error(prefop: Prefop, client: Any, name: str, index: int) -> None:
    error = Error()
    status, left = call(prefop, client, name, {index: None, -1: error})
    assert prefop.status_name(status) == "PREFOP_ERROR_ARGUMENT", error.message
    told = b"NULL" in error.message or b"missing" in error.message
    assert error.status == status and told, error.message
    assert error.retryable == 0 and error.attempts == 0
    if CALLS[name][index] != "out":
        assert left is None, "the output was not written"
    assert call(prefop, client, name, {index: None, -1: None})[0] == status


@pytest.mark.parametrize("name", CALLS)
def test_everything_null(prefop: Prefop, client: Any, name: str) -> None:
    function = getattr(prefop.c, name)
    nothing = [0 if t is c_size_t else None for t in function.argtypes]
    if name == "prefop_client_set_credentials":
        nothing[0] = client.handle  # Both keys NULL forget the pair.
        assert function(*nothing) == 0
        client.set_credentials("a", SECRET)
        return
    assert prefop.status_name(function(*nothing)) == "PREFOP_ERROR_ARGUMENT"


def test_functions_that_cannot_fail(prefop: Prefop) -> None:
    for name in ("task", "task_item", "string", "client"):
        suffix = "prefop_client_free" if name == "client" else f"prefop_{name}_free"
        getattr(prefop.c, suffix)(None)
    assert prefop.c.prefop_task_is_finished(None) == 0
    assert prefop.c.prefop_task_is_succeeded(None) == 0
    assert prefop.c.prefop_task_failed_item(None, 0) == -1
    assert prefop.c.prefop_task_failed_item(None, 2**64 - 1) == -1


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("size", [0, 1, 4, ctypes.sizeof(Error) - 1, ctypes.sizeof(Error) - 8])
def test_error_that_is_too_small(prefop: Prefop, client: Any, name: str, size: int) -> None:
    """It is refused, and not a byte of it is written."""
    content = size.to_bytes(4, "little") + b"\xa5" * (ctypes.sizeof(Error) - 4)
    memory = ctypes.create_string_buffer(content, len(content))
    error = ctypes.cast(memory, POINTER(Error))
    status, left = call(prefop, client, name, {-1: error})
    assert prefop.status_name(status) == "PREFOP_ERROR_ARGUMENT"
    assert memory.raw == content, "the error was written to"
    assert left is None, "the output was not written"


@pytest.mark.parametrize("size", [4, 8, 24])
def test_error_is_not_read_past_its_size(prefop: Prefop, client: Any, size: int) -> None:
    content = size.to_bytes(4, "little") + b"\xa5" * (size - 4)
    with Guarded(content) as address:
        error = ctypes.cast(address, POINTER(Error))
        status, _ = call(prefop, client, "prefop_task_parse", {-1: error})
        assert prefop.status_name(status) == "PREFOP_ERROR_ARGUMENT"
        assert ctypes.string_at(address, size) == content


def test_error_of_a_newer_version(prefop: Prefop, client: Any) -> None:
    """What this version does not know of it is left alone."""
    size = ctypes.sizeof(Error)
    content = (size + 16).to_bytes(4, "little") + bytes(size + 12)
    memory = ctypes.create_string_buffer(content, len(content))
    error = ctypes.cast(memory, POINTER(Error))
    status, _ = call(prefop, client, "prefop_task_parse", {0: b"{", 1: 1, -1: error})
    assert prefop.status_name(status) == "PREFOP_ERROR_JSON"
    assert error.contents.status == status and error.contents.message
    assert memory.raw[size:] == bytes(16)


def test_error_is_overwritten_by_every_call(prefop: Prefop, client: Any) -> None:
    error = Error(http_status=7, curl_code=7, attempts=7, retryable=7)
    error.retry_after_ms, error.request_id, error.host = 7, b"old", b"old"
    error.message = b"old"
    call(prefop, client, "prefop_task_parse", {-1: error})
    assert error_fields(error) == error_fields(Error()), "leftovers after a success"
    call(prefop, client, "prefop_task_parse", {0: b"?", 1: 1, -1: error})
    assert (error.attempts, error.host, error.request_id) == (0, b"", b"")


# The structs that the caller fills.

Use = Callable[[Prefop, Any, Any, Error], int]


def use_options(prefop: Prefop, _: Any, struct: Any, error: Error) -> int:
    handle = c_void_p(JUNK)
    status = prefop.c.prefop_client_new(struct, handle, error)
    prefop.c.prefop_client_free(handle)
    return status


def use_query(prefop: Prefop, client: Any, struct: Any, error: Error) -> int:
    """Refused connection: the options were taken."""
    task = POINTER(Task)()
    status = prefop.c.prefop_query(client.handle, b"x", struct, task, error)
    return 0 if prefop.status_name(status) == "PREFOP_ERROR_CONNECT" else status


def use_notification(prefop: Prefop, client: Any, struct: Any, error: Error) -> int:
    """Unsigned: the notification was read."""
    out = POINTER(Task)()
    status = prefop.c.prefop_notification_verify(client.handle, struct, out, error)
    return 0 if prefop.status_name(status) == "PREFOP_ERROR_UNSIGNED" else status


def use_task(prefop: Prefop, _: Any, struct: Any, error: Error) -> int:
    text = c_void_p()
    status = prefop.c.prefop_task_to_json(struct, text, None, error)
    prefop.c.prefop_string_free(text)
    return status


def use_item(prefop: Prefop, _: Any, struct: Any, error: Error) -> int:
    text = c_void_p()
    status = prefop.c.prefop_task_item_to_json(struct, text, None, error)
    prefop.c.prefop_string_free(text)
    return status


def use_item_in_task(prefop: Prefop, client: Any, struct: Any, error: Error) -> int:
    items = (POINTER(TaskItem) * 1)(struct)
    return use_task(prefop, client, Task(items=items, item_count=1), error)


INPUTS: dict[str, tuple[Use, dict[str, Any]]] = {
    "prefop_client_options": (use_options, {}),
    "prefop_query_options": (use_query, {}),
    "prefop_notification": (use_notification, {"url": b"http://a/"}),
    "prefop_task": (use_task, {}),
    "prefop_task_item": (use_item, {}),
    "prefop_task_item-in-task": (use_item_in_task, {}),
}


@pytest.fixture(params=INPUTS)
def given(request: pytest.FixtureRequest, prefop: Prefop, client: Any) -> Callable[[int, bytes], tuple[str, str]]:
    """Uses a struct with this struct_size and these bytes behind it; the status
    and message. The struct ends where it says, before memory not accessible."""
    use, members = INPUTS[request.param]
    struct = STRUCTS[request.param.removesuffix("-in-task")](**members)

    def run(difference: int, tail: bytes = b"", *, full: bool = False) -> tuple[str, str]:
        size = ctypes.sizeof(struct)
        stated = difference if full else size + difference
        content = stated.to_bytes(4, "little") + bytes(struct)[4:] + tail
        if stated < size:
            content = content[: max(stated, 4)]
        error = Error()
        with Guarded(content) as address:
            pointer = ctypes.cast(address, POINTER(type(struct)))
            status = use(prefop, client, pointer, error)
        assert error.status == status or status == 0
        return prefop.status_name(status), error.message.decode()

    run.size = ctypes.sizeof(struct)  # type: ignore[attr-defined]
    return run


def test_own_size(given: Any) -> None:
    assert given(0)[0] == "PREFOP_OK"


@pytest.mark.parametrize("size", [0, 1, 4, 8, 16])
def test_small_size(given: Any, size: int) -> None:
    status, message = given(size, full=True)
    assert status == "PREFOP_ERROR_ARGUMENT", message
    assert "struct_size" in message


@pytest.mark.parametrize("missing", [1, 4, 8])
def test_size_that_lacks_something(given: Any, missing: int) -> None:
    status, message = given(-missing)
    assert status == "PREFOP_ERROR_ARGUMENT", message
    assert "struct_size" in message


@pytest.mark.parametrize("more", [1, 8, 64, 1000])
def test_larger_size(given: Any, more: int) -> None:
    """Zero is accepted and not read past; anything else is a newer member."""
    assert given(more, bytes(more))[0] == "PREFOP_OK"
    for place in {0, more // 2, more - 1}:
        tail = bytearray(more)
        tail[place] = 1
        status, message = given(more, bytes(tail))
        assert status == "PREFOP_ERROR_UNSUPPORTED", f"byte {place}: {message}"


@pytest.mark.parametrize(
    ("struct", "flags"),
    [
        *[("prefop_client_options", 1 << bit) for bit in range(5, 32)],
        *[("prefop_query_options", 1 << bit) for bit in range(3, 32)],
        *[("prefop_notification", 1 << bit) for bit in range(1, 32)],
    ],
)
def test_unknown_flags(prefop: Prefop, client: Any, struct: str, flags: int) -> None:
    use, members = INPUTS[struct]
    error = Error()
    status = use(prefop, client, STRUCTS[struct](flags=flags, **members), error)
    assert prefop.status_name(status) == "PREFOP_ERROR_UNSUPPORTED", error.message
    assert b"flags" in error.message


@pytest.mark.parametrize("flags", range(32))
def test_known_client_flags(prefop: Prefop, flags: int) -> None:
    prefop.client(flags=flags).close()


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"poll_min_ms": -1}, b"poll_min_ms is -1"),
        ({"poll_max_ms": -1}, b"poll_max_ms is -1"),
        ({"poll_min_ms": 11, "poll_max_ms": 10}, b"poll_min_ms is 11, more than poll_max_ms, which is 10"),
        ({"poll_min_ms": -(2**63)}, b"poll_min_ms"),
        (
            {"poll_min_ms": 2**63 - 1, "poll_max_ms": 2**63 - 2},
            b"poll_min_ms is 9223372036854775807, more than poll_max_ms, which is 9223372036854775806",
        ),
    ],
)
def test_pauses_refused(prefop: Prefop, client: Any, members: dict[str, int], named: bytes) -> None:
    error = Error()
    status = use_query(prefop, client, QueryOptions(**members), error)
    assert prefop.status_name(status) == "PREFOP_ERROR_ARGUMENT", error.message
    assert named in error.message, error.message


@pytest.mark.parametrize(
    "members",
    [
        {"poll_min_ms": 1},
        {"poll_max_ms": 1},
        {"poll_min_ms": 10, "poll_max_ms": 10},
        {"poll_min_ms": 2**63 - 1},
        {"poll_min_ms": 2**63 - 1, "poll_max_ms": 2**63 - 1},
    ],
)
def test_pauses_accepted(prefop: Prefop, client: Any, members: dict[str, int]) -> None:
    """Also by a query that does not wait."""
    error = Error()
    assert use_query(prefop, client, QueryOptions(**members), error) == 0, error.message


# Ids.


@pytest.mark.parametrize(
    "id",
    [b"", b"x" * 257, b"x" * 10_000, *[b"a" + bytes([c]) + b"b" for c in (*range(1, 32), 127)]],
)
def test_ids_refused(client: Any, id: bytes) -> None:
    with pytest.raises(PrefopError) as caught:
        client.query(id)
    assert caught.value.name == "PREFOP_ERROR_ARGUMENT", caught.value
    assert "persistent_id" in caught.value.message and caught.value.message.isprintable()
    assert caught.value.attempts == 0


@pytest.mark.parametrize("id", [b"x", b"x" * 256, b"\xff\xfe", b" ", "视频".encode(), b"%00", b"\xc2\x80"])
def test_ids_accepted(client: Any, id: bytes) -> None:
    """They get as far as the refused connection."""
    with pytest.raises(PrefopError) as caught:
        client.query(id)
    assert caught.value.name == "PREFOP_ERROR_CONNECT", caught.value


def test_id_is_not_read_past_its_end(prefop: Prefop, client: Any) -> None:
    task = POINTER(Task)()
    with Guarded(b"x" * 256 + b"\0") as address:
        id = ctypes.cast(address, c_char_p)
        status = prefop.c.prefop_query(client.handle, id, None, task, None)
    assert prefop.status_name(status) == "PREFOP_ERROR_CONNECT"


# Tasks that the library did not make may be asked as well.


def test_questions_about_a_task_of_the_caller(prefop: Prefop) -> None:
    failed, done = TaskItem(code=3), TaskItem(code=0)
    items = (POINTER(TaskItem) * 3)(*map(ctypes.pointer, (done, failed, failed)))
    for code in (0, 1, 2, 3, 4, 5, -1):
        task = Task(code=code, items=items, item_count=3)
        assert prefop.c.prefop_task_is_finished(task) == (code in (0, 3, 4)), code
        assert prefop.c.prefop_task_is_succeeded(task) == 0
        task.item_count = 1
        assert prefop.c.prefop_task_is_succeeded(task) == (code in (0, 4)), code
    task = Task(items=items, item_count=3)
    found = [prefop.c.prefop_task_failed_item(task, i) for i in (0, 1, 2, 3, 4, 2**64 - 1)]
    assert found == [1, 1, 2, -1, -1, -1]
