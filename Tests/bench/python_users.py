"""What a Python program of today gains: queries through ours, pycurl and requests, in turn.

python_users.py LIBRARY ORIGIN BLOCKS

Each asks, and makes a dictionary of the answer, in Python here and by json.loads
there; "read" reads two members of our task instead. Only ours signs. Prints a
line a block: how many at once, side, wall nanoseconds a query.
"""

import io
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ctypes import POINTER
from pathlib import Path
from typing import Any

import pycurl
import requests

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Tests/clients/python"))

from prefop_binding import NO_ENVIRONMENT, Client, Completion, Error, Prefop, Queue, Task  # noqa: E402

ID = "z0.597f28b445a2650c994bb208"
AT_ONCE = 64
ALONE_QUERIES, MANY_QUERIES = 200, 640

Block = Callable[[], None]
"""Asks as often as a block of its kind."""


def ours_alone(client: Client) -> None:
    for _ in range(ALONE_QUERIES):
        checked(client.query(ID)["persistent_id"])


def ours_many(queue: Queue) -> None:
    for tag in range(MANY_QUERIES):
        queue.submit(ID, tag)
    while queue.pending():
        done = queue.next()
        assert done and isinstance(done[1], dict), done
        checked(done[1]["persistent_id"])


def ours_read_alone(client: Client) -> None:
    task, error, c = POINTER(Task)(), Error(), client.prefop.c
    for _ in range(ALONE_QUERIES):
        assert c.prefop_query(client.handle, ID.encode(), None, task, error) == 0, error.message
        checked_task(task.contents)
        c.prefop_task_free(task)


def ours_read_many(queue: Queue) -> None:
    done, error, c = Completion(), Error(), queue.prefop.c
    for tag in range(MANY_QUERIES):
        assert c.prefop_queue_submit(queue.handle, ID.encode(), tag, None, error) == 0, error.message
    while c.prefop_queue_pending(queue.handle):
        assert c.prefop_queue_next(queue.handle, -1, done, error) == 1 and not done.status, error.message
        checked_task(done.task.contents)
        c.prefop_task_free(done.task)


def checked_task(task: Task) -> None:
    assert task.code == 0, task.code
    checked(task.persistent_id.decode())


def pycurl_handle(url: str) -> pycurl.Curl:
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.PROXY, "")
    return handle


def pycurl_alone(handle: pycurl.Curl) -> None:
    for _ in range(ALONE_QUERIES):
        body = io.BytesIO()
        handle.setopt(pycurl.WRITEDATA, body)
        handle.perform()
        checked(json.loads(body.getvalue())["id"])


def pycurl_many(multi: pycurl.CurlMulti, handles: list[pycurl.Curl]) -> None:
    """As pycurl's own example does: perform, and wait for the sockets."""
    bodies: dict[pycurl.Curl, io.BytesIO] = {}

    def send(handle: pycurl.Curl) -> None:
        bodies[handle] = io.BytesIO()
        handle.setopt(pycurl.WRITEDATA, bodies[handle])
        multi.add_handle(handle)

    for handle in handles:
        send(handle)
    sent, done = len(handles), 0
    while done < MANY_QUERIES:
        multi.perform()
        _, ended, failed = multi.info_read()
        assert not failed, failed
        for handle in ended:
            checked(json.loads(bodies.pop(handle).getvalue())["id"])
            multi.remove_handle(handle)
            done += 1
            if sent < MANY_QUERIES:
                send(handle)
                sent += 1
        if not ended:
            multi.select(1.0)


def requests_alone(session: requests.Session, url: str) -> None:
    for _ in range(ALONE_QUERIES):
        checked(session.get(url).json()["id"])


def requests_many(session: requests.Session, url: str, pool: ThreadPoolExecutor) -> None:
    for identity in pool.map(lambda _: session.get(url).json()["id"], range(MANY_QUERIES)):
        checked(identity)


def checked(identity: str) -> None:
    assert identity == ID, identity


def session_of() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=AT_ONCE))
    return session


def blocks_of(library: str, origin: str, pool: ThreadPoolExecutor) -> dict[str, dict[str, Block]]:
    """By how many are under way at once, and by side."""
    url = f"{origin}/status/get/prefop?id={ID}"
    keys: dict[str, Any] = {"access_key": "bench-access-key", "secret_key": "bench-secret-key"}
    client = Prefop(library).client(flags=NO_ENVIRONMENT, api_hosts=origin, proxy="", **keys)
    queue, session = client.queue(), session_of()
    handle, multi = pycurl_handle(url), pycurl.CurlMulti()
    handles = [pycurl_handle(url) for _ in range(AT_ONCE)]
    return {
        "1": {
            "ours": lambda: ours_alone(client),
            "read": lambda: ours_read_alone(client),
            "pycurl": lambda: pycurl_alone(handle),
            "requests": lambda: requests_alone(session, url),
        },
        str(AT_ONCE): {
            "ours": lambda: ours_many(queue),
            "read": lambda: ours_read_many(queue),
            "pycurl": lambda: pycurl_many(multi, handles),
            "requests": lambda: requests_many(session, url, pool),
        },
    }


def main(library: str, origin: str, rounds: str) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for kind, sides in blocks_of(library, origin, pool).items():
            queries = ALONE_QUERIES if kind == "1" else MANY_QUERIES
            # Connections, and whatever is made at the first use.
            for block in sides.values():
                block()
            for number in range(int(rounds)):
                order = list(sides) if number % 2 else list(reversed(sides))
                for side in order:
                    begun = time.perf_counter_ns()
                    sides[side]()
                    print(kind, side, (time.perf_counter_ns() - begun) / queries)


if __name__ == "__main__":
    main(*sys.argv[1:])
