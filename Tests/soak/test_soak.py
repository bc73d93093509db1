"""`make soak`, small."""

import pathlib

import soak

QUERIES = 25_000


def test_soak(library: pathlib.Path, tmp_path: pathlib.Path) -> None:
    broken = [line for line in soak.soak(library, tmp_path, QUERIES) if not line.is_kept]
    assert not broken
