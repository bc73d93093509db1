"""Asks for the ids given and prints one line of JSON for each.

driver.py LIBRARY [--<client option>=<number>]... ID [[--<option>=<number>]... ID]...

Options count for the id after them. The host is PREFOP_TEST_HTTPS, else
PREFOP_TEST_HTTP; the authority to trust is PREFOP_TEST_CA.
"""

import json
import os
import sys
from typing import Any

from prefop_binding import Error, Prefop, PrefopError, error_fields


def answer(prefop: Prefop, id: str, options: dict[str, int]) -> dict[str, Any]:
    environment = os.environ
    hosts = environment.get("PREFOP_TEST_HTTPS") or environment["PREFOP_TEST_HTTP"]
    ca_file = environment.get("PREFOP_TEST_CA")
    error, task = Error(), None
    try:
        with prefop.client(api_hosts=hosts, ca_file=ca_file, **options) as client:
            task = client.query(id, error)
    except PrefopError as failure:
        return {"task": None, "error": failure.fields}
    return {"task": task, "error": error_fields(error)}


def main(path: str, *arguments: str) -> None:
    prefop, options = Prefop(path), {}
    for argument in arguments:
        if argument.startswith("--"):
            name, _, value = argument[2:].partition("=")
            options[name] = int(value)
            continue
        print(json.dumps({"id": argument} | answer(prefop, argument, options)))
        options = {}


main(*sys.argv[1:])
