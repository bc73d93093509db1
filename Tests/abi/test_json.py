"""Reading JSON: RFC 8259 to the letter, and a task's fields as Python sees them."""

import ctypes
import json
import pathlib
import random

import pytest
import strict_json
from expectation import expected_task
from generated import mutated, task_text
from guarded import Guarded
from json_cases import ILL_UTF8, WELL_UTF8, accepted, refused
from prefop_binding import Error, Prefop, PrefopError, Task
from strict_json import Refused, with_result_values

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors/tasks.json"
SAMPLES = json.loads(VECTORS.read_bytes())
TASKS = [s for s in SAMPLES if "error" not in s]


def verdict(prefop: Prefop, document: bytes) -> str:
    """ "" when it is read, else what is wrong."""
    try:
        prefop.parse(document)
    except PrefopError as error:
        assert error.name == "PREFOP_ERROR_JSON", f"{document[:200]!r}: {error}"
        assert not any(c < " " or c == "\x7f" for c in error.message), repr(error.message)
        assert "at byte" in error.message or not document, error
        return error.message
    return ""


@pytest.mark.parametrize("sample", TASKS, ids=[s["name"] for s in TASKS])
def test_samples(prefop: Prefop, sample: dict[str, str]) -> None:
    assert prefop.parse(sample["body"]) == expected_task(sample["body"])


@pytest.mark.parametrize("sample", [s for s in SAMPLES if "error" in s], ids=lambda s: s["name"])
def test_samples_that_are_no_tasks(prefop: Prefop, sample: dict[str, str]) -> None:
    assert "code" in verdict(prefop, sample["body"].encode())


@pytest.mark.parametrize("sample", TASKS, ids=[s["name"] for s in TASKS])
def test_every_cut_of_a_sample_is_refused(prefop: Prefop, sample: dict[str, str]) -> None:
    body = sample["body"].encode()
    for end in range(len(body)):
        assert verdict(prefop, body[:end]), f"cut at {end}: {body[:end]!r}"


# RFC 8259, each case in three places.

ACCEPTED, REFUSED = accepted(), refused()


@pytest.mark.parametrize("value", [c[1] for c in ACCEPTED], ids=[c[0] for c in ACCEPTED])
def test_values_to_read(prefop: Prefop, value: bytes) -> None:
    for document in (
        b'{"code":0,"x":' + value + b"}",
        b'{"x":' + value + b',"code":0}',
        b'{"code":0,"items":[{"code":0,"x":' + value + b"}]}",
    ):
        assert verdict(prefop, document) == "", document
    item = prefop.parse_item(b'{"code":0,"result":' + value + b"}")
    exact = value.strip(b" \t\r\n").decode()
    assert item["result"] == (None if exact == "null" else exact)
    if not value.lstrip().startswith(b"{"):
        assert "expected an object" in verdict(prefop, value)


@pytest.mark.parametrize("value", [c[1] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_values_to_refuse(prefop: Prefop, value: bytes) -> None:
    for document in (
        b'{"code":0,"x":' + value + b"}",
        b'{"x":' + value + b',"code":0}',
        b'{"code":0,"items":[{"code":0,"result":' + value + b"}]}",
        b'{"code":0,"items":[{"result":' + value + b',"code":0}]}',
        value,
    ):
        assert verdict(prefop, document), f"was read: {document!r}"
    with pytest.raises(PrefopError):
        prefop.parse_item(b'{"code":0,"result":' + value + b"}")


TASK = b'{"code":0}'


@pytest.mark.parametrize("around", [b" ", b"\n", b"\t\r\n  ", b"\r"])
def test_blanks_around_a_task(prefop: Prefop, around: bytes) -> None:
    document = around + TASK + around
    assert prefop.parse(document)["json"] == document.decode()


@pytest.mark.parametrize(
    "document",
    [
        *(b"", b" ", b"\0", TASK[:-1], TASK + b"}", TASK + b",", TASK + TASK, TASK + b"\0"),
        *(b"\0" + TASK, b"\xef\xbb\xbf" + TASK, TASK + b"\xef\xbb\xbf", b"\xff\xfe" + TASK),
        *(TASK.decode().encode("utf-16-le"), TASK.decode().encode("utf-16"), TASK.decode().encode("utf-32")),
        *(b"x" + TASK, TASK + b"x", TASK + b" null", b"[" + TASK + b"]", b'"' + TASK + b'"', b"(" + TASK + b")"),
        *(b"/**/" + TASK, TASK + b"//", b")]}'\n" + TASK, b"callback(" + TASK + b")", b"\x0b" + TASK, TASK + b"\x0c"),
        *(b"null", b"0", b"[]", b"{}", b'"code"', b"true", b'{"Code":0}', b'{"code ":0}', b'{"CODE":0}', b'{"cod":0}'),
        *(b'{"code":null}', b'{"code":0,"code":null}', b'{"x":{"code":0}}', b'{"items":[{"code":0}]}'),
    ],
)
def test_whole_documents_to_refuse(prefop: Prefop, document: bytes) -> None:
    assert verdict(prefop, document), f"was read: {document!r}"


@pytest.mark.parametrize("name", ILL_UTF8)
@pytest.mark.parametrize("member", [*strict_json.TASK_TEXTS, "x"])
def test_ill_utf8_in_a_member(prefop: Prefop, member: str, name: str) -> None:
    document = b'{"code":0,"%s":"ab%s"}' % (member.encode(), ILL_UTF8[name])
    message = verdict(prefop, document)
    assert "UTF-8" in message and member in message, f"{document!r}: {message!r}"


@pytest.mark.parametrize("name", WELL_UTF8)
def test_utf8_is_kept(prefop: Prefop, name: str) -> None:
    text = WELL_UTF8[name].decode()
    for length in range(20):
        document = '{"code":0,"id":"' + "x" * length + text + '"}'
        assert prefop.parse(document)["persistent_id"] == "x" * length + text


@pytest.mark.parametrize("number", strict_json.TASK_TEXTS)
@pytest.mark.parametrize("value", ["0", "true", "[]", "{}", '["a"]', "1.5"])
def test_text_must_be_text(prefop: Prefop, number: str, value: str) -> None:
    message = verdict(prefop, f'{{"code":0,"{number}":{value}}}'.encode())
    assert number in message and "expected text" in message, message


@pytest.mark.parametrize("member", ["code", "type"])
@pytest.mark.parametrize("value", [0, 1, -1, 3, 10, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), "-0"])
def test_integers_are_exact(prefop: Prefop, member: str, value: int | str) -> None:
    task = prefop.parse(f'{{"code":0,"{member}":{value}}}')
    assert task[member] == int(value)


@pytest.mark.parametrize("member", ["code", "type"])
@pytest.mark.parametrize(
    "value",
    [
        *("1.0", "1e0", "1E0", "0.5", "-1.0", "0e0", '"1"', "true", "[]", "{}", "00", "01", "-01", "-", "+1", ".5"),
        *("9223372036854775808", "-9223372036854775809", "1" + "0" * 400, "99999999999999999999", "0x1", "1_0"),
        *("18446744073709551616", "18446744073709551615", "NaN", "-Infinity", "-null", "1 2"),
    ],
)
def test_integers_to_refuse(prefop: Prefop, member: str, value: str) -> None:
    message = verdict(prefop, f'{{"code":0,"{member}":{value}}}'.encode())
    assert message, f"{member} {value} was read"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (r"\"\\\/\b\f\n\r\t", '"\\/\b\f\n\r\t'),
        (r"\u0041\u00e9\u4E2D\ud83d\uDE00", "Aé中😀"),
        (r"\u0001\u001f\u007f\u0080\uffff", "\x01\x1f\x7f\x80\uffff"),
        (r"\\u0041", "\\u0041"),
        (r"\ud800\udc00\udbff\udfff", "\U00010000\U0010ffff"),
    ],
)
def test_escapes(prefop: Prefop, text: str, meaning: str) -> None:
    for length in range(18):
        pad = "x" * length
        task = prefop.parse(f'{{"id":"{pad}{text}{pad}","code":0}}')
        assert task["persistent_id"] == pad + meaning + pad


@pytest.mark.parametrize(
    "text",
    [
        *(r"\u0000", r"a\u0000b", r"\ud800", r"\udc00", r"\ud800\ud800", r"\udc00\ud800", r"\ud800x"),
        *(r"\ud83d\n", r"\ud83d\u0041", r"\ud83d\ude00\ud83d"),
    ],
)
def test_escapes_no_text_of_c_can_hold(prefop: Prefop, text: str) -> None:
    for member in strict_json.TASK_TEXTS:
        message = verdict(prefop, f'{{"code":0,"{member}":"{text}"}}'.encode())
        assert member in message, f"{member} {text}: {message!r}"
    for member in strict_json.ITEM_TEXTS:
        item = f'{{"code":0,"{member}":"{text}"}}'
        message = verdict(prefop, f'{{"code":0,"items":[{item}]}}'.encode())
        assert f"items[0].{member}" in message, message
    document = f'{{"code":0,"items":[{{"code":0,"keys":["a","{text}"]}}]}}'
    assert "keys" in verdict(prefop, document.encode())


def test_escaped_names_and_repeated_members(prefop: Prefop) -> None:
    task = prefop.parse(
        r'{"id":"a","id":"b","\u0063ode":3,"i\u0064":"c","desc":"d","desc":null,'
        r'"items":[{"code":1}],"it\u0065ms":[{"code":2},{"code":3,"keys":["a"],"keys":["b","c"]}]}'
    )
    assert (task["persistent_id"], task["code"], task["description"]) == ("c", 3, "")
    assert [item["code"] for item in task["items"]] == [2, 3]
    assert task["items"][1]["object_names"] == ["b", "c"]


def nested(depth: int, form: str) -> bytes:
    """A value of this depth."""
    match form:
        case "arrays":
            return b"[" * depth + b"]" * depth
        case "objects":
            return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)
    pairs, odd = divmod(depth, 2)
    return b'[{"a":' * pairs + (b"[]" if odd else b"0") + b"}]" * pairs


PLACES = {
    "a member": (b'{"code":0,"x":', b"}", 1),
    "a member before": (b'{"x":', b',"code":0}', 1),
    "an item's result": (b'{"code":0,"items":[{"code":0,"result":', b"}]}", 3),
    "an item's member": (b'{"code":0,"items":[{"x":', b',"code":0}]}', 3),
}


@pytest.mark.parametrize("form", ["arrays", "objects", "both"])
@pytest.mark.parametrize("place", PLACES)
def test_depth(prefop: Prefop, place: str, form: str) -> None:
    """A document may be 1024 levels deep, all of them counted."""
    start, end, around = PLACES[place]
    most = 1024 - around
    for depth in (1, 2, 63, 64, 65, 127, 128, 512, most - 1, most):
        assert verdict(prefop, start + nested(depth, form) + end) == "", depth
    for depth in (most + 1, most + 2, 1024, 1025, 2000, 100_000):
        message = verdict(prefop, start + nested(depth, form) + end)
        assert "1024" in message, f"{depth} levels in {place}: {message!r}"


@pytest.mark.parametrize("length", [*range(40), 1000, 100_000])
def test_length_and_not_nul_ends_the_text(prefop: Prefop, length: int) -> None:
    """What is behind the length is not read, be it even a page that is not there."""

    body = b'{"code":0,"id":"' + b"x" * length + b'"}'
    for data in (body, body[:-1], body[: len(body) // 2]):
        with Guarded(data) as address:
            task, error = ctypes.POINTER(Task)(), Error()
            text = ctypes.cast(address, ctypes.c_char_p)
            status = prefop.c.prefop_task_parse(text, len(data), task, error)
            assert (status == 0) == (data == body), error.message
            prefop.c.prefop_task_free(task)


def test_too_long(prefop: Prefop) -> None:
    for length in (2**30 + 1, 2**63 - 1, 2**63, 2**64 - 1):
        task, error = ctypes.POINTER(Task)(), Error()
        status = prefop.c.prefop_task_parse(b"{", length, task, error)
        name = prefop.status_name(status)
        assert name in ("PREFOP_ERROR_TOO_LARGE", "PREFOP_ERROR_ARGUMENT"), length
        assert length > 2**30 + 1 or name == "PREFOP_ERROR_TOO_LARGE"


@pytest.mark.parametrize("c", "\x85\x9b\u2028\u2029")
def test_message_is_one_line_for_every_reader(prefop: Prefop, c: str) -> None:
    """C1 controls too: NEL ends a line, and a terminal takes U+009B for ESC [."""
    message = verdict(prefop, f'{{"code":{c}1}}'.encode())
    assert message and c not in message, repr(message)


# Generated documents.


def test_the_oracle_agrees_with_the_cases(prefop: Prefop) -> None:
    for _, value in ACCEPTED:
        strict_json.read(value)
    for name, value in REFUSED:
        with pytest.raises(Refused):
            strict_json.read(value)
            pytest.fail(f"{name}: {value!r} was read")


@pytest.mark.parametrize("seed", range(10))
def test_generated_documents(prefop: Prefop, seed: int) -> None:
    """10,000 documents, half of them mutated: verdict and fields as Python's."""

    chance = random.Random(seed)
    read = 0
    for number in range(10_000):
        document = task_text(chance).encode("utf-8", "surrogatepass")
        if number % 2:
            document = mutated(document, chance)
        try:
            expected = strict_json.task_of(document)
        except Refused as reason:
            assert verdict(prefop, document), f"was read, though {reason}: {document!r}"
            continue
        try:
            fields = prefop.parse(document)
        except PrefopError as error:
            pytest.fail(f"{error}\nwas refused: {document!r}")
        assert with_result_values(fields) == expected, document
        read += 1
    assert 4000 < read < 9500, f"{read} of 10000 were right: too one-sided"
