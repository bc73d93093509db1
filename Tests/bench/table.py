"""The lines that `make bench` prints."""

import statistics
from typing import NamedTuple


class Line(NamedTuple):
    """One line of the table."""

    what: str
    value: float
    bar: float | None = None
    note: str = ""
    form: str = ".2f"

    @property
    def verdict(self) -> str:
        if self.bar is None:
            return ""
        return "pass" if self.value <= self.bar else "MISS"


def show(line: Line) -> None:
    bar = "" if line.bar is None else format(line.bar, line.form)
    value = format(line.value, line.form)
    print(f"{line.what:48} {value:>9} {bar:>7} {line.verdict:5} {line.note}", flush=True)


def middle(ratios: list[float], bar: float | None = None, note: str = "") -> tuple[float, float | None, str]:
    """The median, and how far apart the middle half of the blocks lies."""
    low, median, high = statistics.quantiles(ratios, n=4)
    spread = f"half of {len(ratios)} blocks in {low:.2f}-{high:.2f}"
    return median, bar, f"{note}; {spread}" if note else spread
