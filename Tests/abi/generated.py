"""Random documents: mostly tasks, with everything that is special in them."""

import json
import random
from functools import partial
from typing import Any

_CHARACTERS = [
    *"abcxyz019 -_./|:,[]{}'",
    *('"', "\\", "/", "\b", "\f", "\n", "\r", "\t", "\x01", "\x1f", "\x7f", "\x80"),
    *("é", "中", "文", "\u2028", "\ufeff", "\uffff", "😀", "\U0010ffff"),
]
_SPECIAL_ESCAPES = ["\\u0000", "\\ud800", "\\udc00", "\\/", "\\u0041", "\\uD83D\\uDE00"]
_BLANKS = ["", "", "", "", " ", "\n", "\t", "\r\n", "  "]
_NUMBERS = [
    "0",
    "1",
    "-1",
    "3",
    "-0",
    "1.5",
    "1e3",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
]
_INTEGERS = ["0", "1", "2", "3", "4", "-1", "-0", "9223372036854775807", "-9223372036854775808", "7"]
_PIECES = [
    *(b'"', b"\\", b",", b":", b"[", b"]", b"{", b"}", b"0", b"-", b".", b"e", b"null", b"true", b"NaN"),
    *(b"\\u0000", b"\\ud800", b"\\u", b"\x00", b"\x0b", b"\x1f", b"\x80", b"\xc0\x80", b"\xff", b"\xed\xa0\x80"),
    *(b" ", b"\n", b'"code":0,', b'"x":[', b"//", b"1e5", b"00", b"'", b"\xef\xbb\xbf", b'""'),
]

_TEXTS = ["id", "desc", "inputKey", "inputBucket", "pipeline", "taskFrom", "reqid", "creationDate"]
_ITEM_TEXTS = ["cmd", "desc", "error", "hash", "key"]


def text(chance: random.Random, most: int = 20) -> str:
    """Any text without NUL."""
    return "".join(chance.choices(_CHARACTERS, k=chance.randrange(most)))


def _string(chance: random.Random) -> str:
    written = json.dumps(text(chance, 12), ensure_ascii=chance.random() < 0.3)
    if chance.random() < 0.01:
        return written[:-1] + chance.choice(_SPECIAL_ESCAPES) + '"'
    return written


def _blank(chance: random.Random) -> str:
    return chance.choice(_BLANKS)


def _list(parts: list[str], brackets: str, chance: random.Random) -> str:
    inside = ",".join(_blank(chance) + part + _blank(chance) for part in parts)
    return brackets[0] + (inside or _blank(chance)) + brackets[1]


def _object(members: list[tuple[str, str]], chance: random.Random) -> str:
    parts = [f'"{n}"{_blank(chance)}:{_blank(chance)}{v}' for n, v in members]
    return _list(parts, "{}", chance)


def value_text(chance: random.Random, depth: int = 3) -> str:
    """Any JSON value."""
    kind = chance.randrange(8 if depth else 6)
    if kind < 2:
        return _string(chance)
    if kind < 4:
        return chance.choice(_NUMBERS)
    if kind < 6:
        return chance.choice(["true", "false", "null"])
    parts = [value_text(chance, depth - 1) for _ in range(chance.randrange(4))]
    if kind == 6:
        return _list(parts, "[]", chance)
    return _object([(chance.choice("abc"), part) for part in parts], chance)


def _usual(chance: random.Random, make: Any, *wrong: str) -> str:
    """What belongs there, now and then null, seldom something wrong."""
    dice = chance.random()
    if dice < 0.03:
        return "null"
    return value_text(chance, 1) if dice < 0.035 else make()


def _members(chance: random.Random, texts: list[str], integers: list[str]) -> list[tuple[str, str]]:
    members = [(n, _usual(chance, partial(_string, chance))) for n in texts if chance.random() < 0.5]
    members += [(n, _usual(chance, partial(chance.choice, _INTEGERS))) for n in integers if chance.random() < 0.5]
    if chance.random() < 0.99:
        members.append(("code", chance.choice(_INTEGERS)))
    while chance.random() < 0.1:
        members.append((chance.choice(["x", "", "ops", "\\u0069d", "é", "Code"]), value_text(chance)))
    return members


def item_text(chance: random.Random) -> str:
    members = _members(chance, _ITEM_TEXTS, ["errorIndex", "returnOld"])
    if chance.random() < 0.3:
        members.append(("result", value_text(chance)))
    if chance.random() < 0.3:
        names = [_string(chance) for _ in range(chance.randrange(4))]
        members.append(("keys", _usual(chance, partial(_list, names, "[]", chance))))
    chance.shuffle(members)
    return _object(members, chance)


def task_text(chance: random.Random) -> str:
    members = _members(chance, _TEXTS, ["type"])
    if chance.random() < 0.7:
        items = [item_text(chance) for _ in range(chance.randrange(4))]
        members.append(("items", _usual(chance, partial(_list, items, "[]", chance))))
    chance.shuffle(members)
    return _blank(chance) + _object(members, chance) + _blank(chance)


def mutated(document: bytes, chance: random.Random) -> bytes:
    """The document after one to three small accidents."""
    data = bytearray(document)
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(data) + 1)
        other = min(len(data), place + chance.randrange(1, 8))
        match chance.randrange(7):
            case 0:
                del data[place:other]
            case 1:
                data[place:place] = chance.choice(_PIECES)
            case 2:
                data[place:other] = chance.choice(_PIECES)
            case 3:
                data[place:place] = data[place:other]
            case 4:
                data[place : place + 1] = bytes([chance.randrange(256)])
            case 5:
                data[place:place] = chance.choice((b" ", b"\n", b"\t"))
            case 6 if chance.random() < 0.3:
                del data[place:]
    return bytes(data)
