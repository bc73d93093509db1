"""What has become of these Qiniu tasks?

    QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... python3 status.py z0.597f28b445a2650c994bb208

Needs no package: ctypes calls the C library, with the structs of prefop.h. Exit status:
0 all of every task succeeded, 1 a task failed or is not finished, 2 one could not be asked for,
130 ended by Ctrl-C.
"""

import ctypes.util
import os
import sys
from ctypes import POINTER, Structure, byref, c_char, c_char_p as text, c_size_t, sizeof
from ctypes import c_int32 as i32, c_int64 as i64, c_uint32 as u32


class Item(Structure):
    _fields_ = [("struct_size", u32), ("reserved", u32), ("command", text), ("code", i64), ("description", text),
                ("error", text), ("error_index", i64), ("hash", text), ("object_name", text), ("result", text),
                ("object_names", POINTER(text)), ("object_name_count", c_size_t), ("return_old", i64)]


class Task(Structure):
    _fields_ = [("struct_size", u32), ("reserved", u32), ("persistent_id", text), ("code", i64),
                ("description", text), ("object_name", text), ("bucket_name", text), ("pipeline", text),
                ("task_from", text), ("request_id", text), ("type", i64), ("created_at", text),
                ("items", POINTER(POINTER(Item))), ("item_count", c_size_t), ("json", text), ("json_length", c_size_t)]


class Error(Structure):
    _fields_ = [("struct_size", u32), ("status", i32), ("http_status", i32), ("curl_code", i32), ("attempts", i32),
                ("retryable", i32), ("retry_after_ms", i64), ("request_id", c_char * 64), ("host", c_char * 256),
                ("message", c_char * 512)]


class ClientOptions(Structure):
    _fields_ = [("struct_size", u32), ("flags", u32), ("access_key", text), ("secret_key", text), ("api_hosts", text),
                ("bucket_hosts", text), ("proxy", text), ("ca_file", text), ("user_agent", text), ("timeout_ms", i64),
                ("attempt_timeout_ms", i64), ("connect_timeout_ms", i64), ("max_response_bytes", i64),
                ("max_attempts", i32), ("max_in_flight", i32)]


class QueryOptions(Structure):
    _fields_ = [("struct_size", u32), ("flags", u32), ("access_key", text), ("secret_key", text),
                ("bucket_name", text), ("timeout_ms", i64), ("poll_min_ms", i64), ("poll_max_ms", i64)]


INTERRUPTIBLE = 1  # PREFOP_QUERY_INTERRUPTIBLE: Python sees Ctrl-C only when the call has returned.


def show(title, struct):
    """Prints the texts and numbers of a task or item; what is absent is "", None or -1."""
    print(f"{title}: {prefop.prefop_code_name(struct.code).decode()}")
    for name, kind in struct._fields_:
        value = getattr(struct, name)
        if kind in (text, i64) and name != "json" and value not in (b"", None, -1):
            print(f"  {name:13} {value.decode() if kind is text else value}")


def ask(id):
    """Shows one task; returns the exit status that it deserves."""
    task, error, how = POINTER(Task)(), Error(sizeof(Error)), QueryOptions(sizeof(QueryOptions), INTERRUPTIBLE)
    if prefop.prefop_query(client, os.fsencode(id), byref(how), byref(task), byref(error)):
        later = "; try again later" if error.retryable else ""
        print(f"{id}: {error.message.decode()} (X-Reqid: {error.request_id.decode() or '-'}){later}", file=sys.stderr)
        return 2
    show(f"task {id}", task.contents)
    # Three questions, since a task with code 0 can hold an item that failed.
    succeeded, failed = prefop.prefop_task_is_succeeded(task), prefop.prefop_task_failed_item(task, 0)
    print("  finished     ", "yes" if prefop.prefop_task_is_finished(task) else "no")
    print("  succeeded    ", "yes, every item" if succeeded else "no")
    print("  failed item  ", failed if failed >= 0 else "none")
    for index, item in enumerate(task.contents.items[: task.contents.item_count]):
        show(f" item {index}", item.contents)
        for name in item.contents.object_names[: item.contents.object_name_count]:
            print(f"  object_names  {name.decode()}")
    prefop.prefop_task_free(task)
    return 0 if succeeded else 1


try:
    prefop = ctypes.CDLL(os.environ.get("PREFOP_LIBRARY") or ctypes.util.find_library("prefop") or "libprefop.so.1")
except OSError as problem:
    print(problem, file=sys.stderr)
    sys.exit(2)
# Unless told, ctypes takes every result, and every number given, for a C int.
prefop.prefop_code_name.restype, prefop.prefop_code_name.argtypes = text, [i64]
prefop.prefop_task_failed_item.restype, prefop.prefop_task_failed_item.argtypes = i64, [POINTER(Task), c_size_t]

client, error, options = ctypes.c_void_p(), Error(sizeof(Error)), ClientOptions(sizeof(ClientOptions))
options.api_hosts, options.ca_file = map(os.environb.get, (b"PREFOP_API_HOSTS", b"PREFOP_CA_FILE"))
if not sys.argv[1:] or prefop.prefop_client_new(byref(options), byref(client), byref(error)):
    print(error.message.decode() or __doc__, file=sys.stderr)
    sys.exit(2)
try:
    worst = max(map(ask, sys.argv[1:]))
except KeyboardInterrupt:
    worst = 130
prefop.prefop_client_free(client)
sys.exit(worst)
