"""One host of three that is well is enough, and no fault is asked for too often."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from fault_matrix import CELLS, Answer, Ask, Cell, Seen, play
from prefop_binding import Client, Error, Prefop, PrefopError, error_fields
from server import SECRET_KEY

AT_ONCE = 12
"""Cells that are played at the same time: most of them only wait."""


def query(client: Client, id: str) -> Answer:
    error = Error()
    try:
        task = client.query(id, error)
    except PrefopError as failure:
        return Answer(None, failure.fields)
    return Answer(task, error_fields(error))


def submit(client: Client, id: str) -> Answer:
    """The same with a queue."""
    with client.queue() as queue:
        queue.submit(id, 1)
        _, result = queue.next() or (0, {})
        error = error_fields(queue.error)
    return Answer(None if isinstance(result, PrefopError) else result, error)


WAYS: dict[str, Ask] = {"query": query, "queue": submit}
"""How to ask."""


@pytest.fixture(scope="module", params=WAYS)
def played(
    request: pytest.FixtureRequest, prefop: Prefop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Seen]]]:
    """All cells, by name."""
    folder, ask = tmp_path_factory.mktemp("authorities"), WAYS[request.param]
    pool = ThreadPoolExecutor(AT_ONCE)
    yield {str(cell): pool.submit(play, prefop, cell, ask, folder) for cell in CELLS}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(played: dict[str, Future[Seen]], cell: Cell, prefop: Prefop) -> None:
    seen = played[str(cell)].result()
    error = seen.answer.error
    status = prefop.status_name(error["status"]).removeprefix("PREFOP_ERROR_")
    shown = f"{cell}: attempts {seen.attempts}, {seen.seconds:.3f} s, {status}: {error}"

    if cell.succeeds:
        assert status == "PREFOP_OK", shown
        assert seen.answer.task and seen.answer.task["persistent_id"] == "echo.matrix", shown
        last = cell.faulty
    else:
        assert status in cell.fault.status.split(), shown
        assert seen.answer.task is None, shown
        assert error["http_status"] == cell.fault.http_status, shown
        assert error["retryable"] == cell.fault.retryable, shown
        last = 0 if cell.fault.is_final else len(seen.hosts) - 1
    assert error["host"] == seen.hosts[last], shown
    assert SECRET_KEY not in str(error), shown

    expected = cell.expected_attempts
    for attempts, allowed in zip(seen.attempts, expected, strict=True):
        assert attempts is None or attempts in allowed, f"expected {expected}: {shown}"
    least, most = sum(map(min, expected)), sum(map(max, expected))
    assert least <= error["attempts"] <= most, f"expected {expected}: {shown}"
    assert seen.seconds < cell.bound_seconds, f"expected {cell.bound_seconds} s: {shown}"
