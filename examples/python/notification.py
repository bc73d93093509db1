"""Receives notifications, and believes only those that Qiniu signed.

    QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... python3 notification.py [PORT]

A task submitted with notifyURL=https://<this server>/... is told of here when it
ends. Qiniu repeats a notification until it is answered with 200. PREFOP_LIBRARY
names the library, should it not be installed.
"""

import ctypes.util
import os
import sys
from ctypes import POINTER, Structure, byref, c_char, c_char_p as text, c_size_t, sizeof
from ctypes import c_int32 as i32, c_int64 as i64, c_uint32 as u32
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FORGED = range(-124, -120)  # PREFOP_ERROR_UNSIGNED_BODY to PREFOP_ERROR_UNSIGNED
NO_TASK = -120  # PREFOP_ERROR_JSON: authentic, but e.g. a workflow's own notification


class Task(Structure):
    # Only the first members: the library makes tasks, we look at them.
    _fields_ = [("struct_size", u32), ("reserved", u32), ("persistent_id", text), ("code", i64)]


class Error(Structure):
    _fields_ = [("struct_size", u32), ("status", i32), ("http_status", i32), ("curl_code", i32), ("attempts", i32),
                ("retryable", i32), ("retry_after_ms", i64), ("request_id", c_char * 64), ("host", c_char * 256),
                ("message", c_char * 512)]


class Notification(Structure):
    _fields_ = [("struct_size", u32), ("flags", u32), ("access_key", text), ("secret_key", text), ("method", text),
                ("url", text), ("headers", POINTER(text)), ("header_count", c_size_t), ("body", text),
                ("body_length", c_size_t)]


class Handler(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > 1 << 20:
            return self.send_error(413)
        body = self.rfile.read(int(length))
        lines = [f"{name}: {value}".encode("latin-1") for name, value in self.headers.items()]
        # The path is enough when Host is the one that Qiniu called. Behind a proxy
        # that changes it, give the whole URL: "https://example.com" + self.path.
        notification = Notification(
            sizeof(Notification), url=self.path.encode("latin-1"), headers=(text * len(lines))(*lines),
            header_count=len(lines), body=body, body_length=len(body))
        task, error = POINTER(Task)(), Error(sizeof(Error))
        status = prefop.prefop_notification_verify(None, byref(notification), byref(task), byref(error))
        if status == 0:
            print(f"task {task.contents.persistent_id.decode()} ended with code {task.contents.code}", flush=True)
            prefop.prefop_task_free(task)
        else:
            print(f"refused: {error.message.decode()}", file=sys.stderr, flush=True)
        # 500, for our own troubles, makes Qiniu try again; a forger hears 403.
        self.send_response(200 if status == 0 else 403 if status in FORGED else 400 if status == NO_TASK else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()


prefop = ctypes.CDLL(os.environ.get("PREFOP_LIBRARY") or ctypes.util.find_library("prefop") or "libprefop.so.1")
with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 8080), Handler) as server:
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
