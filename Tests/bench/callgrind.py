"""Instructions by function and object, from callgrind's files."""

import re
from collections import Counter
from pathlib import Path

_NAME = re.compile(r"(ob|fn)=\((\d+)\)(?: (.*))?")
_CALLED_NAME = re.compile(r"c(ob|fn)=\((\d+)\) (.*)")

_POSITIONS = (*"0123456789+-*",)

Costs = Counter[tuple[str, str]]
"""(object's file name, function): instructions in the function itself."""


def read(path: Path) -> Costs:
    """The format: valgrind's manual, "Callgrind Format Specification"."""
    names: dict[tuple[str, str], str] = {}
    at = {"ob": "", "fn": ""}
    costs: Costs = Counter()
    is_call = False
    for line in path.read_text().splitlines():
        if line.startswith(_POSITIONS):
            # The line after "calls=" has the cost of what was called.
            if not is_call:
                costs[at["ob"], at["fn"]] += int(line.split()[1])
            is_call = False
        elif line.startswith("calls="):
            is_call = True
        elif match := _NAME.match(line):
            kind, number, name = match.groups()
            if name is not None:
                names[kind, number] = name
            at[kind] = names[kind, number]
        elif match := _CALLED_NAME.match(line):
            kind, number, name = match.groups()
            names[kind, number] = name
    return Counter({(Path(ob).name, fn): cost for (ob, fn), cost in _merged(costs)})


def _merged(costs: Costs) -> list[tuple[tuple[str, str], int]]:
    """Recursion levels and clones, "name'2", count as the function."""
    merged: Costs = Counter()
    for (ob, fn), cost in costs.items():
        merged[ob, fn.split("'")[0]] += cost
    return list(merged.items())
