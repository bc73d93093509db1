"""JSON values by name: what RFC 8259 makes of each, section by section."""

Case = tuple[str, bytes]


def numbers() -> tuple[list[str], list[str]]:
    accepted = (
        "0 -0 1 -1 9 10 123 9223372036854775807 -9223372036854775808 0.0 -0.0 0.5 1.5 10.01 0.00000001 "
        "1e0 1E0 1e+0 1e-0 1E+9 1E-9 0e0 0E+1 -0e-1 1.5e10 1.5E-10 123.456e789 1e999999 -1e-999999 "
        "1e00 1e01 99999999999999999999999999999999999 0.1234567890123456789012345678901234567890"
    ).split()
    refused = (
        "00 01 -01 -00 007 0123 -0123 1. -1. 0. .5 -.5 . -. + - +1 +0 +-1 -+1 -- --1 1- 1+ 1-1 1+1 1..2 1.2.3 1.-1 "
        "1e 1E 1e+ 1e- 0e -0e 1.e1 .e1 e1 E 1ee1 1e1e1 1e1.5 1e1. 1e+-1 1e.1 1.5e 0.e1 0x1 0x 0X10 1x 0b1 0o7 1_000 "
        "1,000 1a a1 -a NaN nan -NaN Infinity -Infinity inf Inf +Infinity -inf 1f 1L 1n 1d 0e+ $1 1% ½ ١ １ ² −1 1e١"
    ).split()
    refused += ["1 2", "- 1", "1 .5", "1. 5", "1e 5", "1 e5", "1\x002", "1\x00"]
    return accepted, refused


def words() -> tuple[list[str], list[str]]:
    accepted = ["true", "false", "null"]
    refused = (
        "True TRUE tRue tru truee truefalse t True1 true1 true_ False fals falsee f nul nulll NULL Null n nil none "
        "None undefined yes no on off trueé tr\x00e tr ue nullnull nan"
    ).split()
    return accepted, [*refused, "tr ue", "nu\nll", "true true", "null null", "true,"]


def structures() -> tuple[list[str], list[str]]:
    accepted = [
        *("[]", "{}", "[[]]", "[{}]", '{"a":[]}', '{"a":{}}', "[1]", "[1,2]", '[1,"a",null,true,false,{},[]]'),
        *('{"a":1}', '{"a":1,"b":2}', '{"":0}', '{"":{"":[]}}', '{"a":1,"a":2}', '{"a":1,"a":1}'),
        *("[[[[[[]]]]]]", '{"a":{"b":{"c":{}}}}', "[[],[[]],[]]", '[{},{"a":[]},{}]', '{"a\\u0000b":1}'),
        *('{"\\ud800":1}', '{"a":null}', "[null]", '[""]', '{"\\u0061":1,"a":2}'),
    ]
    refused = [
        *("[", "]", "{", "}", "[}", "{]", "[]]", "[[]", "{}}", "{{}", "[{]}", '{"a":[}', '{"a":[}]'),
        *("[,]", "[1,]", "[,1]", "[1,,2]", "[1,2,]", "[1 2]", "[1;2]", "[1:2]", '["a":1]', '["a" "b"]', "[[][]]"),
        *("{,}", '{"a"}', '{"a":}', '{"a":1,}', '{,"a":1}', '{"a":1,,"b":2}', '{"a":1 "b":2}', '{"a"1}', '{"a",1}'),
        *('{"a"::1}', '{"a":1:2}', "{:1}", "{a:1}", "{'a':1}", "{1:1}", "{null:1}", "{true:1}", "{[]:1}", "{{}:1}"),
        *('{"a":1;"b":2}', '{"a"=1}', '{"a" b:1}', '{"a":b}', '{"a', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,"'),
        *('["', '["a', '["a"', '["a",', "[1", "[1,", "[-", "[t", "[n", "[tru", "[nul", "[1}", '{"a":1]'),
        *("[1]x", "[1],", "{}{}", "[][]", "{}1", '[]"a"', ",", ":", ";", "#", "*", "&", "<", "(1)", "[...]"),
        *("/**/1", "1/**/", "//a\n1", "1//a", "[/**/]", "[1/**/]", "{/**/}", '{"a"/**/:1}', "#a\n1", "<!--1-->"),
        *("[1,\n", "[\x001]", "[1\x00]", "{\x00}", "[\\n]", "\\n", "[\\u0020]", "`a`", "'a'", "['a']", "a", "[a]"),
    ]
    return accepted, refused


def blanks() -> tuple[list[str], list[str]]:
    accepted = [f"{b}1{b}" for b in (" ", "\t", "\n", "\r", "\r\n", " \t\r\n" * 9)]
    accepted += [f"[{b}1{b},{b}2{b}]" for b in " \t\n\r"]
    accepted += [f'{{{b}"a"{b}:{b}1{b},{b}"b"{b}:{b}2{b}}}' for b in " \t\n\r"]
    accepted += ["[ ]", "{ }", "[\n]", "{\t}"]
    others = "\v\f\b\x01\x1f\x7f\x85\xa0\u1680\u2000\u2003\u2028\u2029\u200b\u2060\u3000\ufeff\ufffe"
    refused = [f for b in others for f in (f"{b}1", f"1{b}", f"[{b}1]", f'{{{b}"a":1}}')]
    return accepted, refused


def strings() -> tuple[list[str], list[str]]:
    accepted = [
        *('""', '" "', '"a"', '"\\""', '"\\\\"', '"\\/"', '"\\b"', '"\\f"', '"\\n"', '"\\r"', '"\\t"', '"/"', '"\'"'),
        *('"\\u0000"', '"a\\u0000b"', '"\\u0001"', '"\\u001f"', '"\\u0020"', '"\\u0022"', '"\\u005c"', '"\\u007f"'),
        *('"\\u00e9"', '"\\u4E2D"', '"\\uABCD"', '"\\uabcd"', '"\\uAbCd"', '"\\uffff"', '"\\ufffe"', '"\\ufeff"'),
        *('"\\ud83d\\ude00"', '"\\uD83D\\uDE00"', '"\\ud800\\udc00"', '"\\udbff\\udfff"'),
        *('"\\ud800"', '"\\udc00"', '"\\ud800a"', '"\\ud800\\n"', '"\\ud800\\ud800"', '"\\udc00\\ud800"'),
        *('"\\ud800\\u0041"', '"\\ud83d\\ude00\\ud83d"', '"\\\\u0041"', '"\\\\\\u0041"', '"\\"\\\\\\/"'),
        *('"\x7f"', '"\x80"', '"é"', '"中文"', '"🎬"', '"\ufeff"', '"\u2028\u2029"', '"\uffff"', '"\U0010ffff"'),
        *(
            '"/*a*/"',
            '"//"',
            '"[1,2"',
            '"a:b,c"',
            '"' + "x" * 1000 + '"',
            '"' + "\\n" * 500 + '"',
            '"' + "é" * 500 + '"',
        ),
    ]
    refused = [
        *(
            '"',
            '"a',
            '"\\',
            '"\\"',
            '"a\\',
            '"\\"\\"',
            '"\\a"',
            '"\\0"',
            '"\\1"',
            '"\\v"',
            '"\\e"',
            '"\\x41"',
            '"\\\'"',
        ),
        *(
            '"\\U0041"',
            '"\\N"',
            '"\\B"',
            '"\\ "',
            '"\\\n"',
            '"\\é"',
            '"\\🎬"',
            '"\\u"',
            '"\\u1"',
            '"\\u12"',
            '"\\u123"',
        ),
        *('"\\u123g"', '"\\ug123"', '"\\u 123"', '"\\u+123"', '"\\u-123"', '"\\u12 3"', '"\\u{41}"', '"\\u００41"'),
        *('"\\u004', '"\\u', '"\\ud83d\\u', '"\\ud83d\\ude0', '"\\ud83d\\u12"', '"\\ud83d\\x"', '"\\ud83d\\"'),
        *('"a" "b"', '"a""b"', '"a"b', 'a"b"', '"a"+"b"', "\"a'", "'a\"", "““", "“a”", "«a»", '"a\nb"', '"a\r\nb"'),
    ]
    refused += [f'"a{chr(c)}b"' for c in range(0x20)]
    refused += [f'{{"a{chr(c)}b":1}}' for c in range(0x20)]
    return accepted, refused


ILL_UTF8 = {
    "continuation first": b"\x80",
    "last continuation first": b"\xbf",
    "two continuations": b"\x80\xbf",
    "overlong slash in 2": b"\xc0\xaf",
    "overlong NUL in 2": b"\xc0\x80",
    "overlong in 2, last": b"\xc1\xbf",
    "overlong slash in 3": b"\xe0\x80\xaf",
    "overlong in 3, last": b"\xe0\x9f\xbf",
    "overlong slash in 4": b"\xf0\x80\x80\xaf",
    "overlong in 4, last": b"\xf0\x8f\xbf\xbf",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "FE": b"\xfe",
    "FF": b"\xff",
    "UTF-16 mark": b"\xff\xfe",
    "first surrogate": b"\xed\xa0\x80",
    "last surrogate": b"\xed\xbf\xbf",
    "surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "past U+10FFFF": b"\xf4\x90\x80\x80",
    "F5": b"\xf5\x80\x80\x80",
    "F7": b"\xf7\xbf\xbf\xbf",
    "cut 2": b"\xc3",
    "cut 3 after 1": b"\xe4",
    "cut 3 after 2": b"\xe4\xb8",
    "cut 4 after 1": b"\xf0",
    "cut 4 after 2": b"\xf0\x9f",
    "cut 4 after 3": b"\xf0\x9f\x8e",
    "cut, then ASCII": b"\xe4\xb8a",
    "cut, then another": b"\xe4\xc3\xa9",
    "one too many": b"\xc3\xa9\xa9",
    "Latin-1": "é".encode("latin-1"),
}
"""Bytes that are not UTF-8 wherever they stand."""

WELL_UTF8 = {
    f"U+{c:04X}": chr(c).encode()
    for c in (
        *(0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xCFFF, 0xD7FF, 0xE000, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF),
        *(0x10000, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFF),
    )
}


def _named(kind: str, values: list[str]) -> list[Case]:
    return [(f"{kind} {value[:24]!a}", value.encode()) for value in values]


def accepted() -> list[Case]:
    """Every value that must be read."""
    cases = []
    for part in (numbers, words, structures, blanks, strings):
        cases += _named(part.__name__, part()[0])
    for pad in (b"", b"a", b"abcdefg", b"abcdefghijklmnop"):
        cases += [(f"utf-8 {n} after {len(pad)}", b'"' + pad + b + pad + b'"') for n, b in WELL_UTF8.items()]
    return cases


def refused() -> list[Case]:
    """Every value that must not."""
    cases = [("nothing", b""), ("blanks", b" \n")]
    for part in (numbers, words, structures, blanks, strings):
        cases += _named(part.__name__, part()[1])
    for name, ill in ILL_UTF8.items():
        for pad in (b"", b"a", b"abcdefg", b"abcdefghijklmnop"):
            cases.append((f"utf-8 {name} after {len(pad)}", b'"' + pad + ill + pad + b'"'))
        cases.append((f"utf-8 {name} in a name", b'{"' + ill + b'":1}'))
        cases.append((f"utf-8 {name} bare", b"[" + ill + b"]"))
        cases.append((f"utf-8 {name} at the end", b'["' + ill))
    return cases
