"""An event loop stays responsive while an example's queries run in it.

How late its timers come depends on what else the machine does, so that is for `make bench`.
What does not is asked here: which part of the work was done without a pause.
"""

import pathlib
from collections.abc import Iterator

import loops
import pytest
from server import credentials, tasks
from server.nginx import Nginx

COUNT = 2_000


@pytest.fixture(scope="module")
def nginx() -> Iterator[Nginx]:
    """A server that answers as fast as it is asked."""
    with Nginx(tasks.finished("z0.any")) as nginx:
        yield nginx


@pytest.mark.parametrize("name", loops.NAMES)
@pytest.mark.parametrize("transport", ["http", "tls"])
def test_the_loop_goes_on(
    library: pathlib.Path, tmp_path: pathlib.Path, nginx: Nginx, name: str, transport: str
) -> None:
    command = loops.command(name, library, tmp_path)
    ids = [f"z0.{number}" for number in range(COUNT)]
    printed, ticks = loops.run(
        name,
        command,
        library,
        ids,
        QINIU_ACCESS_KEY=credentials.ACCESS_KEY,
        QINIU_SECRET_KEY=credentials.SECRET_KEY,
        PREFOP_API_HOSTS=nginx.http if transport == "http" else nginx.https,
        PREFOP_CA_FILE=str(nginx.ca_file),
    )
    assert sorted(printed) == sorted(f"{id}: succeeded" for id in ids)
    print(ticks)
    # A loop that is not let go until all have ended has it in one piece.
    assert ticks.longest_held <= ticks.held / 4, ticks
