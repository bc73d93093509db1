"""The library as Python calls it."""

import pathlib
import sys

import pytest
from prefop_binding import Prefop

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))


@pytest.fixture(scope="session")
def prefop(library: pathlib.Path) -> Prefop:
    return Prefop(library)
