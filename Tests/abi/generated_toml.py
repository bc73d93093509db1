"""Random profile files: every construct of TOML 1.0, right and nearly right."""

import random

SECRET = "5ecret"
"""In every secret key; must be in no message."""

PROFILES = ["default", "prod", "a.b", "x y", "名", ""]
_NAMES = ["a", "b", "c", "access_key", "secret_key", "bucket_url", "default", "prod", "1", "a-b", "_", "true"]
_TEXTS = [
    *("", "a", "AK1", "x.example", "#", "=", "[", "]", "'", '"', '"""', "'''", "\\", "\t", "\n", "\r\n", "\r"),
    *("\b", "\f", "\x01", "\x7f", "\x00", "é", "中", "\u0080", "\u2028", "\ufeff", "\uffff", "\ud7ff", "😀"),
    *("\U0010ffff",),
]
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_NUMBERS = [
    *("0", "1", "-1", "+1", "-0", "+0", "42", "1_000", "1_2_3", "9223372036854775807", "-9223372036854775808"),
    *("9223372036854775808", "1" * 40, "0x0", "0xDEAD_beef", "0xffffffffffffffffff", "0o755", "0o0_1", "0b0"),
    *("0b1_0", "0.0", "-0.0", "+1.5", "3.14_15", "1e0", "1E+9", "1e-9", "-2e0_1", "6.02e23", "0e5"),
    *("1_0.0_1e1_0", "1e999", "inf", "+inf", "-inf", "nan", "+nan", "-nan"),
]
_WRONG_NUMBERS = [
    *("00", "01", "+01", "-", "+", "++1", "1__0", "_1", "1_", "1._0", "1.", ".5", "1.e1", "1e", "1e+", "1e_1"),
    *("0x", "0x_1", "0xg", "+0x1", "0X1", "0b2", "0o8", "0b", "Inf", "infinity", "NAN", "1 2", "1,", "1e1.5"),
    *("0_1", "1.0.0"),
]
_DATES = [
    *("1979-05-27", "0001-01-01", "9999-12-31", "2000-02-29", "2024-02-29", "1900-02-28", "2023-04-30"),
    *("2023-12-31",),
    *("07:32:00", "00:00:00", "23:59:59", "07:32:00.5", "07:32:00.999999", "07:32:00.1234567890123"),
    *("1979-05-27T07:32:00", "1979-05-27t07:32:00.1", "1979-05-27 07:32:00", "1979-05-27T07:32:00Z"),
    *("1979-05-27 07:32:00z", "1979-05-27T00:32:00.999999-07:00", "1979-05-27T00:32:00+23:59"),
    *("0001-01-01T00:00:00+23:59",),
]
_WRONG_DATES = [
    *("0000-01-01", "1979-00-01", "1979-13-01", "1979-01-00", "1979-01-32", "1900-02-29", "2023-02-29"),
    *("2023-04-31", "2100-02-29", "1979-5-27", "79-05-27", "1979-05-27T", "1979-05-27T7:32:00"),
    *("1979-05-27T07:32", "24:00:00", "07:60:00", "07:32:60", "7:32:00", "07:32", "07:32:00.", "07:32:00Z"),
    *("1979-05-27Z", "1979-05-27T07:32:00+24:00", "1979-05-27T07:32:00+0700", "1979-05-27T07:32:00-07"),
    *("1979-05-27  07:32:00", "1979-05-27T07:32:00 Z", "1979/05/27"),
]
_WORDS = ["true", "false", "True", "tru", "null", "nil", "yes", "truefalse", "a"]
_PIECES = [
    *(b'"', b"'", b'"""', b"'''", b"\\", b"\\u0041", b"\\ud800", b"\\U00110000", b"\\U0001F600", b"\\x41"),
    *(b"\\\n", b"\\e", b"[", b"]", b"[[", b"]]", b"{", b"}", b"{}", b"[]", b",", b".", b"=", b"#", b"\n"),
    *(b"\r\n", b"\r", b"\t", b" ", b"\x00", b"\x0b", b"\x1f", b"\x7f", b"\x80", b"\xc0\x80", b"\xed\xa0\x80"),
    *(b"\xf4\x90\x80\x80", b"\xff", b"\xef\xbb\xbf", b"\xc2\x85", b"\xc3\xa9", b"0", b"_", b"-", b"+", b"e"),
    *(b":", b"T", b"Z", b"a = 1\n", b"a.b = 1\n", b"[a]\n", b"[[a]]\n", b"[a.b]\n", b"a = {}\n"),
    *(b"default.a = 1\n", b"[default]\n", b"true", b"inf", b"# c\n", b"access_key", b"\n\n"),
]


class Writer:
    """Writes one file. `wrong`: how likely each part is to be nearly right."""

    def __init__(self, chance: random.Random, wrong: float) -> None:
        self._chance = chance
        self._wrong = wrong

    # Small parts.

    def _is(self, likelihood: float) -> bool:
        return self._chance.random() < likelihood

    def _blank(self) -> str:
        return self._chance.choice(["", "", "", " ", " ", "\t", " \t "])

    def _end(self) -> str:
        """The end of a line."""
        comment = self._chance.choice(["", "", "", "#", "# c", "#é\t'\"[", " # =]"])
        if self._is(self._wrong / 4):
            comment = self._chance.choice(["#\x01", "#\x7f", "x", ",", "#\r"])
        return self._blank() + comment + self._chance.choice(["\n", "\n", "\n", "\r\n", "\n\n", "\n \t\n"])

    def _escaped(self, character: str) -> str:
        code = ord(character)
        if character in _ESCAPES and self._is(0.8):
            return _ESCAPES[character]
        if self._is(self._wrong / 4):
            return self._chance.choice(
                ["\\x41", "\\e", "\\", "\\u12", "\\uD800", "\\U0000DFFF", "\\U00110000", "\\'"]
            )
        if code > 0xFFFF or self._is(0.3):
            return f"\\U{code:08x}"
        return f"\\u{code:04X}"

    def _basic(self, text: str, has_lines: bool = False) -> str:
        written = ""
        for index, character in enumerate(text):
            is_plain = character >= " " and character not in '"\\\x7f' or character == "\t"
            if has_lines and not is_plain:
                is_plain = character == "\n" or character == '"' and text[index - 1 : index] not in ('"', "")
                is_plain = is_plain and index + 1 < len(text)
            is_plain = is_plain and not self._is(0.1)
            written += character if is_plain else self._escaped(character)
            if has_lines and self._is(0.05):
                written += self._chance.choice(["\\\n", "\\ \n\n  ", "\\\r\n\t", "\\\t\n"])
        return written

    def text(self, text: str, one_line: bool = False) -> str:
        """A string or quoted key that says so, in a form that can."""
        forms = ["basic"]
        is_literal = all(c >= " " and c != "\x7f" or c == "\t" for c in text)
        if is_literal and "'" not in text:
            forms += ["literal"] * 2
        if not one_line:
            forms.append("basic lines")
            is_literal = all(c >= " " and c != "\x7f" or c in "\t\n" for c in text)
            if is_literal and "'''" not in text and not text.endswith("'"):
                forms.append("literal lines")
        match self._chance.choice(forms):
            case "basic":
                written = f'"{self._basic(text)}"'
            case "literal":
                written = f"'{text}'"
            case "basic lines":
                written = self._lines('"""', self._basic(text, has_lines=True))
            case _:
                written = self._lines("'''", text)
        if self._is(self._wrong / 4):
            return self._chance.choice(
                [written[:-1], written + written[0], written[1:], written.replace("\n", "\r")]
            )
        return written

    def _lines(self, quotes: str, inside: str) -> str:
        start = self._chance.choice(["", "\n", "\r\n"])
        if not start and inside[:1] in ("\n", "\r"):
            start = "\n"
        return quotes + start + inside + quotes

    def _any_text(self) -> str:
        return "".join(self._chance.choices(_TEXTS, k=self._chance.randrange(5)))

    # Keys.

    def name(self, name: str) -> str:
        """One part of a key."""
        is_bare = name.isascii() and name and all(c.isalnum() or c in "-_" for c in name)
        if self._is(self._wrong / 4):
            return self._chance.choice(["", "é", '"""a"""', "a b", "'\n'", '"\n"', "$", "'''a'''"])
        return name if is_bare and self._is(0.8) else self.text(name, one_line=True)

    def dotted(self, names: list[str]) -> str:
        return "".join(
            (self._blank() + "." + self._blank() if i else "") + self.name(n) for i, n in enumerate(names)
        )

    def _names(self) -> list[str]:
        """A dotted key. Often one that is there before, but not so often that no file is right."""
        names = [self._chance.choice(_NAMES) for _ in range(self._chance.choice([1, 1, 1, 2, 2, 3]))]
        if self._is(0.1):
            names[-1] = self._any_text()
        elif self._is(0.7):
            names[-1] += str(self._chance.randrange(1000))
        return names

    # Values.

    def value(self, depth: int = 3) -> str:
        kind = self._chance.randrange(10 if depth else 6)
        wrong = self._is(self._wrong)
        if kind == 0:
            return self._chance.choice(_WRONG_NUMBERS if wrong else _NUMBERS)
        if kind == 1:
            return self._chance.choice(_WRONG_DATES if wrong else _DATES)
        if kind == 2:
            return self._chance.choice(_WORDS if wrong else _WORDS[:2])
        if kind < 6:
            return self.text(self._any_text())
        return self._array(depth) if kind < 8 else self._inline_table(depth)

    def _array(self, depth: int) -> str:
        return self.array([self.value(depth - 1) for _ in range(self._chance.randrange(4))])

    def array(self, values: list[str]) -> str:
        written = "[" + self._gap()
        for index, value in enumerate(values):
            written += ("," + self._gap() if index else "") + value + self._gap()
        if values and self._is(0.3):
            written += "," + self._gap()
        if self._is(self._wrong / 4):
            written += self._chance.choice([",", ",,", "x", "=", "}", "# "])
        return written + "]"

    def _gap(self) -> str:
        return self._blank() + (self._end() + self._blank() if self._is(0.15) else "")

    def _inline_table(self, depth: int) -> str:
        parts = [self._pair(self._names(), self.value(depth - 1)) for _ in range(self._chance.randrange(4))]
        return self.inline_table(parts)

    def inline_table(self, parts: list[str]) -> str:
        inside = (self._blank() + "," + self._blank()).join(parts)
        if self._is(self._wrong / 4):
            inside += self._chance.choice([",", "\n", ",,", "# c", "=", "]"])
        return "{" + self._blank() + inside + self._blank() + "}"

    def _pair(self, names: list[str], value: str) -> str:
        equals = self._chance.choice(["", ":", "=="]) if self._is(self._wrong / 8) else "="
        return self.dotted(names) + self._blank() + equals + self._blank() + value

    # The file.

    def _members(self) -> list[tuple[str, str]]:
        """What the profile says, as names and written values."""
        access_key = self._mostly(
            ["AK1", "an-access-key", "~!", "A" * 256], ["", "é", "a b", "A" * 257, "\x00"]
        )
        secret_key = self._mostly([SECRET, SECRET + "'\"\\#"], [SECRET + "é", "", SECRET + "\n"])
        members = [("access_key", self.text(access_key)), ("secret_key", self.text(secret_key))]
        if self._is(0.05):
            del members[self._chance.randrange(2)]
        if self._is(0.5):
            hosts = [self.text(host) for host in self._chance.choices(["uc.example", "", "b,c"], k=2)]
            del hosts[self._chance.randrange(3) :]
            members.append(("bucket_url", self.array(hosts) if self._is(0.5) else self.text("uc.example,b")))
        if self._is(0.5):
            members.append(("disable_secure_protocol", self._chance.choice(["true", "false"])))
        if self._is(self._wrong) and members:
            name, _ = members.pop()
            members.append((name, self.value()))
        self._chance.shuffle(members)
        return members

    def _mostly(self, right: list[str], wrong: list[str]) -> str:
        return self._chance.choice(wrong if self._is(0.05) else right)

    def _profile(self, profile: str) -> list[str]:
        """Sections, of which the first has no header."""
        members = self._members()
        match self._chance.randrange(6):
            case 0:
                parts = [self._pair([name], value) for name, value in members]
                return [self._pair([profile], self.inline_table(parts)) + self._end()]
            case 1:
                return ["".join(self._pair([profile, name], value) + self._end() for name, value in members)]
            case _:
                lines = "".join(
                    self._blank() + self._pair([name], value) + self._end() for name, value in members
                )
                return ["", self._header([profile]) + lines]

    def _header(self, names: list[str], brackets: tuple[str, str] = ("[", "]")) -> str:
        inside = self._blank() + self.dotted(names) + self._blank()
        if self._is(self._wrong / 4):
            inside = self._chance.choice(
                ["", inside + ".", "." + inside, inside + "]", "[" + inside, inside + "\n"]
            )
        return self._blank() + brackets[0] + inside + brackets[1] + self._end()

    def _section(self) -> str:
        """A header and lines below it."""
        brackets = ("[", "]") if self._is(0.6) else ("[[", "]]")
        return self._header(self._names(), brackets) + self._lines_of_pairs()

    def _lines_of_pairs(self) -> str:
        pairs = [self._pair(self._names(), self.value()) for _ in range(self._chance.randrange(3))]
        return "".join(self._blank() + pair + self._end() for pair in pairs)

    def document(self, profile: str) -> bytes:
        """A file, mostly with that profile in it."""
        top, *sections = self._profile(profile) if self._is(0.95) else [""]
        sections += [self._section() for _ in range(self._chance.randrange(4))]
        self._chance.shuffle(sections)
        top = self._lines_of_pairs() + top if self._is(0.5) else top
        written = self._chance.choice(["", "", "# c\n", "\n", "\r\n"]) + top + "".join(sections)
        return (written.rstrip() if self._is(0.2) else written).encode("utf-8", "surrogatepass")


def mutated(document: bytes, chance: random.Random) -> bytes:
    """The file after one to three small accidents."""
    data = bytearray(document)
    for _ in range(chance.choice([1, 1, 2, 3])):
        place = chance.randrange(len(data) + 1)
        other = min(len(data), place + chance.randrange(1, 8))
        match chance.randrange(10):
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
            case 5 if place < len(data):
                data[place] ^= 1 << chance.randrange(8)
            case 6 | 7 | 8:
                lines = data.splitlines(keepends=True) or [bytearray()]
                first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
                match chance.randrange(3):
                    case 0:
                        del lines[first]
                    case 1:
                        lines.insert(second, lines[first])
                    case 2:
                        lines[first], lines[second] = lines[second], lines[first]
                data = bytearray(b"".join(lines))
            case 9 if chance.random() < 0.3:
                del data[place:]
    return bytes(data)
