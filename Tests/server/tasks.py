"""The JSON of tasks, as the status API answers it.

Every function gives the task the id that was asked for, so that a test can
always tell whether it got the right task.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from .answer import Content, compact
from .answer import padded as padded_content

VECTORS = Path(__file__).resolve().parent.parent / "vectors"

SUCCEEDED = "The fop was completed successfully"
FAILED = "The fop is failed"


class Sample(NamedTuple):
    """One entry of vectors/tasks.json."""

    name: str
    body: bytes
    is_task: bool


@cache
def samples() -> tuple[Sample, ...]:
    """The bodies other programs' answers are checked against, in file order."""
    entries = json.loads((VECTORS / "tasks.json").read_bytes())
    return tuple(
        Sample(entry["name"], entry["body"].encode(), "error" not in entry)
        for entry in entries
    )


_ECHO_END = compact(
    {
        "pipeline": "1380000000.default.sys",
        "code": 0,
        "desc": SUCCEEDED,
        "reqid": "stub-echo",
        "inputBucket": "stub",
        "inputKey": "原片.mp4",
        "items": [
            {
                "cmd": "avinfo",
                "code": 0,
                "desc": SUCCEEDED,
                "hash": "FjAAAABBBBCCCCDDDDEEEEFFFF01",
                "key": "转码.mp4",
                "returnOld": 0,
            }
        ],
    }
).replace(b"{", b",", 1)


def echo(id: str) -> bytes:
    """A short succeeded task; spliced, for this is what benchmarks ask for."""
    return b'{"id":' + json.dumps(id, ensure_ascii=False).encode() + _ECHO_END


def finished(id: str) -> bytes:
    """Succeeded in every item: an object, several objects, a result."""
    return _task(
        id,
        0,
        SUCCEEDED,
        [
            _item(
                "avthumb/mp4/vcodec/libx264|saveas/c3R1YjrovaznoIEubXA0",
                hash="lpM3ngDTZwZ-CNWj2HAEZzfdRWt5",
                key="输出/转码.mp4",
            ),
            _item(
                "vsample/jpg/ss/1/t/6/interval/2",
                hash="FsampleAAAABBBBCCCCDDDDEEEE01",
                keys=["截图-000001.jpg", "截图-000002.jpg", "截图-000003.jpg"],
                returnOld=1,
            ),
            _item(
                "avinfo",
                hash="FavinfoAAAABBBBCCCCDDDDEEEE01",
                result={
                    "format": {"duration": "10.50", "tags": {"title": "预告片 🎬"}},
                    "streams": [{"index": 0, "width": 1920, "ratio": 1.5e-3}],
                },
            ),
        ],
        taskFrom="workflow: 6271",
    )


def running(id: str) -> bytes:
    """Being worked on: one item done, one under way, one waiting."""
    return _task(
        id,
        2,
        "The fop is executing now",
        [
            _item("avthumb/flv", hash="FflvAAAABBBBCCCCDDDDEEEE0001", key="输出/a.flv"),
            _item("vframe/jpg/offset/1", 2, "The fop is executing now"),
            _item("avinfo", 1, "The fop is waiting for execution"),
        ],
        taskFrom="trigger: 88",
    )


def waiting(id: str) -> bytes:
    """Not begun, so without items."""
    return _task(id, 1, "The fop is waiting for execution", [])


def failed(id: str) -> bytes:
    """Failed in its second item, in the second stage of that item's pipe."""
    return _task(
        id,
        3,
        FAILED,
        [
            _item("avinfo", hash="FavinfoAAAABBBBCCCCDDDDEEEE01", result={"n": 1}),
            _item(
                "avthumb/mp4|watermark/1|saveas/c3R1YjpiLm1wNA==",
                3,
                FAILED,
                error="E6009: 处理输入数据时发现无效数据",
                errorIndex=1,
            ),
        ],
        taskFrom="workflow: 6271",
    )


def undelivered(id: str) -> bytes:
    """Done, but nobody took the notification."""
    return _task(
        id,
        4,
        "The fop succeeded, but the notification failed",
        [_item("avthumb/mp3", hash="Fmp3AAAABBBBCCCCDDDDEEEE0001", key="输出/a.mp3")],
    )


def partly(id: str) -> bytes:
    """Succeeded as a task with an item that failed, as in the official sample."""
    return _task(
        id,
        0,
        SUCCEEDED,
        [
            _item("avthumb/mp4", hash="Fmp4AAAABBBBCCCCDDDDEEEE0001", key="输出/a.mp4"),
            _item("vframe/jpg/offset/999", 3, FAILED, error="E6102: no such frame"),
        ],
    )


def padded(id: str, size: int) -> bytes:
    """A succeeded task of `size` bytes, the surplus in an unknown member."""
    return padded_content(echo(id), size)


def content(id: str) -> Content:
    """What faults make wrong answers of."""
    return Content(lambda: finished(id), lambda: echo(id))


BY_NAME: dict[str, Callable[[str], bytes]] = {
    "finished": finished,
    "running": running,
    "waiting": waiting,
    "failed": failed,
    "undelivered": undelivered,
    "partly": partly,
}


def _task(id: str, code: int, desc: str, items: list[Any], **more: Any) -> bytes:
    return compact(
        {
            "id": id,
            "pipeline": "1380000000.stub.queue",
            "code": code,
            "desc": desc,
            "reqid": "stub-task",
            "inputBucket": "stub-bucket",
            "inputKey": "视频/原片.mov",
            "creationDate": "2024-10-22T12:26:36.123456789+08:00",
            "type": 1,
            **more,
            "items": items,
        }
    )


def _item(cmd: str, code: int = 0, desc: str = SUCCEEDED, **more: Any) -> Any:
    return {"cmd": cmd, "code": code, "desc": desc, "returnOld": 0, **more}
