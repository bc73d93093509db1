"""Profile files by the ten thousand: read like Python's tomllib, or refused like it."""

import os
import pathlib
import random
import tomllib
from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from generated_toml import PROFILES, SECRET, Writer, mutated
from json_cases import ILL_UTF8, WELL_UTF8
from prefop_binding import NO_ENVIRONMENT, Prefop, PrefopError
from signing import Notice
from toml_cases import RIGHT, WRONG

REFUSED, NO_PAIR = "refused", "no pair"
Outcome = str | tuple[str, str]
"""A key pair, or one of the above."""


class Refused(Exception):
    """A file or a profile that is wrong."""


def read(document: bytes) -> dict[str, Any]:
    """What tomllib makes of a file."""
    try:
        return tomllib.loads(document.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused from error


def member(table: dict[str, Any], name: str, kind: type, default: Any) -> Any:
    value = table.get(name, default)
    if not isinstance(value, kind):
        raise Refused
    return value


def is_fit(key: str) -> bool:
    return 0 < len(key) <= 256 and all("!" <= character <= "~" for character in key)


@dataclass
class Bench:
    """A file, and a library that reads it."""

    prefop: Prefop
    path: pathlib.Path

    def wanted(self, document: bytes, profile: str) -> Outcome:
        """What a file says. profile: "" when none is named."""
        try:
            tables = read(document)
            if (profile or "default") not in tables:
                return REFUSED if profile else NO_PAIR
            return self._pair_in(member(tables, profile or "default", dict, {}))
        except Refused:
            return REFUSED

    def _pair_in(self, table: dict[str, Any]) -> Outcome:
        access_key = member(table, "access_key", str, "")
        secret_key = member(table, "secret_key", str, "")
        member(table, "disable_secure_protocol", bool, False)
        hosts = member(table, "bucket_url", str | list, "")
        self._check_hosts(hosts if isinstance(hosts, list) else [hosts])
        if not access_key and not secret_key:
            return NO_PAIR
        if not is_fit(access_key) or ":" in access_key or not is_fit(secret_key):
            raise Refused
        return access_key, secret_key

    def _check_hosts(self, hosts: list[Any]) -> None:
        """They must be such as the option takes, too."""
        if not all(isinstance(host, str) for host in hosts) or "\0" in "".join(hosts):
            raise Refused
        given = ",".join(filter(None, hosts))
        try:
            self.prefop.client(flags=NO_ENVIRONMENT, bucket_hosts=given or None).close()
        except PrefopError as error:
            raise Refused from error

    def outcome(self, document: bytes, profile: str, expected: Outcome) -> Outcome:
        """What the library makes of a file."""
        self.path.write_bytes(document)
        os.environ["QINIU_PROFILE"] = profile
        try:
            client = self.prefop.client()
        except PrefopError as error:
            assert error.name == "PREFOP_ERROR_CONFIGURATION", error
            assert error.message.startswith(str(self.path)), error
            assert SECRET not in error.message and error.message.isprintable(), error
            return REFUSED
        with client:
            # With the pair expected the signature is right if it is the library's, too.
            access_key, secret_key = expected if isinstance(expected, tuple) else ("a", "b")
            notice = Notice(access_key=access_key, secret_key=secret_key).signed()
            try:
                self.prefop.verify(notice.lines, notice.body, client, url=notice.url)
            except PrefopError as error:
                return NO_PAIR if error.name == "PREFOP_ERROR_CREDENTIALS" else error.name
        return access_key, secret_key

    def compare(self, document: bytes, profile: str = "") -> Outcome:
        expected = self.wanted(document, profile)
        found = self.outcome(document, profile, expected)
        assert found == expected, f"profile {profile!r} of {document!r}: expected {expected}, found {found}"
        return found


@pytest.fixture
def bench(prefop: Prefop, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    path = tmp_path / "config.toml"
    path.touch(mode=0o600)
    monkeypatch.setenv("QINIU_CONFIG_FILE", str(path))
    monkeypatch.setenv("QINIU_PROFILE", "")
    return Bench(prefop, path)


def kind(outcome: Outcome) -> str:
    return "pair" if isinstance(outcome, tuple) else outcome


@pytest.mark.parametrize("seed", range(10))
def test_generated_files(bench: Bench, seed: int) -> None:
    """1,000 files, a third of them with parts that are nearly right, and 1,000 accidents to right ones."""
    chance = random.Random(seed)
    kinds, kinds_after_accidents = Counter[str](), Counter[str]()
    for number in range(1000):
        profile = chance.choice(PROFILES) if chance.random() < 0.5 else ""
        document = Writer(chance, wrong=0.0 if number % 3 else 0.2).document(profile or "default")
        outcome = bench.compare(document, profile)
        kinds[kind(outcome)] += 1
        for _ in range(0 if outcome == REFUSED else 2):
            kinds_after_accidents[kind(bench.compare(mutated(document, chance), profile))] += 1
    # Each kind is tried often enough to say something.
    for counts in (kinds, kinds_after_accidents):
        assert counts.total() >= 1000 and counts[NO_PAIR] > 10, counts
        assert counts["pair"] > 200 and counts[REFUSED] > 200, counts


# What may be defined after what.

PATHS = ["a", "a.a", "a.b", "a.a.a"]
LINES = [
    form.format(path) for path in PATHS for form in ("[{}]", "[[{}]]", "{} = 1", "{} = {{}}", "{} = [{{}}]")
]
INLINE = [
    form.format(path) for path in PATHS for form in ("{} = 1", "{} = {{}}", "{} = {{b = 1}}", "{} = [{{}}]")
]
PAIR = b"default = {access_key = 'AK1', secret_key = '5ecret'}\n"


@pytest.mark.parametrize("first", LINES)
def test_every_sequence_of_three_definitions(bench: Bench, first: str) -> None:
    for second, third in product(LINES, repeat=2):
        bench.compare(PAIR + f"{first}\n{second}\n{third}\n".encode())


@pytest.mark.parametrize("first", INLINE)
def test_every_sequence_of_definitions_in_inline_tables(bench: Bench, first: str) -> None:
    for second, third in product(INLINE, INLINE[:8]):
        bench.compare(PAIR + f"x = {{{first}, {second}, {third}}}\n".encode())
    for second in INLINE:
        bench.compare(PAIR + f"x = [{{{first}}}, {{{second}}}]\ny = {{z = {{{first}}}, {second}}}\n".encode())


# The specification, each case below a pair, and in front of one.

IN_FRONT = "[default]\naccess_key = 'AK1'\nsecret_key = '5ecret'\n"


@pytest.mark.parametrize("lines", [c[1] for c in RIGHT], ids=[c[0] for c in RIGHT])
def test_right(bench: Bench, lines: str) -> None:
    tomllib.loads(lines)
    bench.compare(lines.encode())
    assert bench.compare(PAIR + lines.encode()) == ("AK1", SECRET)
    assert bench.compare((lines + "\n" + IN_FRONT).encode()) == ("AK1", SECRET)


@pytest.mark.parametrize(("lines", "line", "reason"), [c[1:] for c in WRONG], ids=[c[0] for c in WRONG])
def test_wrong(bench: Bench, lines: str, line: int, reason: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(lines)
    assert bench.compare(PAIR + lines.encode()) == REFUSED
    assert bench.compare(lines.encode()) == REFUSED
    with pytest.raises(PrefopError) as caught:
        bench.prefop.client()
    message = caught.value.message
    assert message.startswith(f"{bench.path}, line {line}: ") and reason in message.partition(": ")[2], (
        message
    )


@pytest.mark.parametrize("name", ILL_UTF8)
def test_ill_formed_utf8(bench: Bench, name: str) -> None:
    ill = ILL_UTF8[name]
    for document in (b"# " + ill, b"a = 1\nb = '" + ill + b"'", ill, b'"' + ill + b'" = 1'):
        assert bench.compare(document) == REFUSED
        with pytest.raises(PrefopError, match="expected UTF-8"):
            bench.prefop.client()


@pytest.mark.parametrize("name", [n for n in WELL_UTF8 if n != "U+007F"])
def test_well_formed_utf8(bench: Bench, name: str) -> None:
    well = WELL_UTF8[name]
    document = PAIR + b"# " + well + b"\na = '" + well + b"'\n\"" + well + b'" = 1'
    assert bench.compare(document) == ("AK1", SECRET)


# Beyond what tomllib can do.


@pytest.mark.parametrize("inside", ["[]", "1", "{}", "[], [[]]"])
def test_nesting_has_no_limit(bench: Bench, inside: str) -> None:
    """tomllib is recursive, and gives up."""
    for opening, closing in (("[", "]"), ("{a=[", "]}"), ("[\n#c\n", ",\n]")):
        depth = 100_000 // len(opening)
        for missing in (0, 1):
            nested = opening * depth + inside + closing * (depth - missing)
            document = PAIR + f"x = {nested}\n".encode()
            expected: Outcome = REFUSED if missing else ("AK1", SECRET)
            assert bench.outcome(document, "", expected) == expected


def test_integers_have_no_limit(bench: Bench) -> None:
    """Python refuses decimal ones of more than 4,300 digits."""
    assert bench.outcome(PAIR + b"x = " + b"9" * 5000, "", ("AK1", SECRET)) == ("AK1", SECRET)


MANY = [
    "k{} = 1\n",
    "[k{}]\n",
    "[[k{}]]\n",
    "[[a]]\nk{}=1\n",
    "a.a{}.b = 1\n",
    "'" + "k" * 1000 + "{}' = 1\n",
]


@pytest.mark.parametrize("line", MANY, ids=range(len(MANY)))
def test_many_keys(bench: Bench, line: str) -> None:
    """The largest file; its time is that of one, not of each with each."""
    lines = "".join(line.format(number) for number in range(100_000))[:900_000]
    lines = lines[: lines.rindex("\n") + 1]
    assert bench.compare(PAIR + lines.encode()) == ("AK1", SECRET)
    assert bench.outcome(PAIR + lines.encode() + b"[default]\n", "", REFUSED) == REFUSED


@pytest.mark.parametrize("key", ["a." * 400_000 + "a", '"' + "a" * 900_000 + '"', "a . " * 200_000 + "a"])
def test_long_keys(bench: Bench, key: str) -> None:
    assert bench.outcome(PAIR + f"{key} = 1".encode(), "", ("AK1", SECRET)) == ("AK1", SECRET)
