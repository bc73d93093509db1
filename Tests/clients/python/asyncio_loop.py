"""The asyncio example beside a ticker in the same loop; prints as Tests/clients/c/ticker.h does."""

import asyncio
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "examples/python"))
import queue_asyncio  # noqa: E402

PERIOD_MS, BAR_MS = 1, 20


class Ticker:
    def __init__(self) -> None:
        self.ticks: list[tuple[float, float]] = []

    def tick(self) -> None:
        self.ticks.append((time.monotonic() * 1000, time.thread_time() * 1000))

    async def run(self) -> None:
        while True:
            self.tick()
            await asyncio.sleep(PERIOD_MS / 1000)

    def print(self) -> None:
        pairs = list(zip(self.ticks, self.ticks[1:], strict=False))
        late = [after - before - PERIOD_MS for (before, _), (after, _) in pairs]
        held = [after - before for (_, before), (_, after) in pairs]
        beyond = sum(each > BAR_MS for each in late)
        print(f"{len(pairs)} {max(late):.3f} {beyond} {max(held):.3f} {sum(held):.3f}", file=sys.stderr)


async def main(queue: queue_asyncio.Queue) -> int:
    ticker = Ticker()
    ticking = asyncio.create_task(ticker.run())
    outcome = await queue_asyncio.main(queue, sys.argv[1:])
    ticking.cancel()
    ticker.tick()
    ticker.print()
    return outcome


sys.exit(asyncio.run(main(queue_asyncio.make_queue())))
