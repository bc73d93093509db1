"""What has become of these Qiniu tasks? Many at once, in asyncio.

    QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=... python3 queue_asyncio.py ID...

Needs cffi, which reads the declarations from prefop.h (PREFOP_HEADER names it, if it is not
where `make install` puts it). `Queue.ask` is awaited like any coroutine; cancelling it cancels its
query. Exit status: 0 every task could be asked for, 1 some could not, 2 none was asked for.
"""

import asyncio
import itertools
import os
import pathlib
import sys

import cffi

header = pathlib.Path(os.environ.get("PREFOP_HEADER", "/usr/local/include/prefop.h")).read_text()
ffi = cffi.FFI()
ffi.cdef(header.partition("/* ffi: begin */")[2].partition("/* ffi: end */")[0])
prefop = ffi.dlopen(os.environ.get("PREFOP_LIBRARY", "libprefop.so.1"))


class PrefopError(Exception):
    """What prefop_error says; `status` is a PREFOP_ERROR_ number."""

    def __init__(self, error):
        super().__init__(ffi.string(error.message).decode())
        self.status, self.retryable = error.status, bool(error.retryable)


def sized(kind):
    """A struct that knows its size."""
    return ffi.new(f"{kind} *", {"struct_size": ffi.sizeof(kind)})


class Queue:
    """Queries that run in the event loop of the `async with`, and end with it.

    A queue belongs to one thread at a time: to that of the loop.
    """

    def __init__(self, **options):
        given, out = sized("prefop_client_options"), ffi.new("prefop_client **")
        self._kept = {name: ffi.new("char[]", value) for name, value in options.items() if value is not None}
        for name, value in self._kept.items():
            setattr(given, name, value)
        self._error, self._done = sized("prefop_error"), sized("prefop_completion")
        self._check(prefop.prefop_client_new(given, out, self._error))
        self._client = ffi.gc(out[0], prefop.prefop_client_free)
        out = ffi.new("prefop_queue **")
        self._check(prefop.prefop_queue_new(self._client, out, self._error))
        self._queue = out[0]
        self._tags, self._futures = itertools.count(), {}

    def _check(self, status):
        if status < 0:
            raise PrefopError(self._error)

    async def __aenter__(self):
        self._descriptor = prefop.prefop_queue_fd(self._queue)
        if self._descriptor < 0:
            raise OSError("no descriptor is left")
        # It stays the same and is level-triggered, as a reader's is to be. Submitting makes it readable, so that
        # the first query goes out from the loop like all others.
        asyncio.get_running_loop().add_reader(self._descriptor, self._take)
        return self

    async def __aexit__(self, *_):
        # Only now that nobody watches the descriptor any more: freeing the queue closes it.
        asyncio.get_running_loop().remove_reader(self._descriptor)
        prefop.prefop_queue_free(self._queue)
        self._queue = ffi.NULL
        for future in self._futures.values():
            future.cancel()

    async def ask(self, id):
        """The task, a prefop_task *; raises PrefopError."""
        tag, future = next(self._tags), asyncio.get_running_loop().create_future()
        self._check(prefop.prefop_queue_submit(self._queue, id.encode(), tag, ffi.NULL, self._error))
        self._futures[tag] = future
        try:
            return await future
        except asyncio.CancelledError:
            prefop.prefop_queue_cancel(self._queue, tag)
            raise

    def _take(self):
        """The descriptor is readable: takes what has ended.

        The library works in prefop_queue_next only. Until it does not return 1, since one event can stand for
        many completions; with a timeout of 0, since it is the loop that waits.
        """
        while (result := prefop.prefop_queue_next(self._queue, 0, self._done, self._error)) == 1:
            future = self._futures.pop(self._done.tag)
            task = ffi.gc(self._done.task, prefop.prefop_task_free) if self._done.task else None
            if future.done():
                continue  # It was cancelled.
            if task:
                future.set_result(task)
            else:
                future.set_exception(PrefopError(self._error))
        self._check(result)


async def show(queue, id):
    try:
        task = await queue.ask(id)
    except PrefopError as problem:
        print(f"{id}: {problem}", file=sys.stderr)
        return 1
    print(f"{id}: {ffi.string(prefop.prefop_code_name(task.code)).decode()}")
    return 0


def make_queue():
    """To be called before the loop runs: the first client of a process sets up OpenSSL, which takes a while."""
    hosts, ca_file = map(os.environb.get, (b"PREFOP_API_HOSTS", b"PREFOP_CA_FILE"))
    return Queue(api_hosts=hosts, ca_file=ca_file)


async def main(queue, ids):
    async with queue:
        shown = []
        for id in ids:
            shown.append(asyncio.create_task(show(queue, id)))
            if len(shown) % 100 == 0:
                await asyncio.sleep(0)  # A loop goes through all new tasks at once: thousands hold it up.
        return max(await asyncio.gather(*shown), default=0)


if __name__ == "__main__":
    if not sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(asyncio.run(main(make_queue(), sys.argv[1:])))
    except PrefopError as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
