"""Java's `.properties` format, as `java.util.Properties.load` reads it, but a key set twice is refused."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from bridge.config.values import quoted

_WHITE_SPACE: Final = " \t\f"
_NATURAL_LINE: Final = re.compile(r"\r\n|\r|\n")
_KEY: Final = re.compile(r"(?:\\.|[^\\=: \t\f])*", re.DOTALL)
_SEPARATOR: Final = re.compile(r"[ \t\f]*[=:]?[ \t\f]*")
_ESCAPE: Final = re.compile(r"\\(u([0-9A-Fa-f]{4})|.)", re.DOTALL)
_CONTROL: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


class Property(NamedTuple):
    """One entry and the line it begins on, from 1."""

    key: str
    value: str
    line: int


def parse(text: str) -> dict[str, Property]:
    """The entries by key, in order; ValueError naming the line for a bad escape or a key set twice."""
    entries: dict[str, Property] = {}
    for number, line in _logical_lines(text):
        entry = _entry(line, number)
        if (first := entries.setdefault(entry.key, entry)) is not entry:
            raise ValueError(f"line {number}: {quoted(entry.key)} is already set on line {first.line}")
    return entries


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments and blank ones; a line that ends in an odd number of backslashes goes on in the next."""
    pending, begun = "", 0
    for number, natural in enumerate(_NATURAL_LINE.split(text), start=1):
        line = natural.lstrip(_WHITE_SPACE)
        if not begun and (not line or line[0] in "#!"):
            continue
        begun = begun or number
        if _continues(line):
            pending += line[:-1]
            continue
        yield begun, pending + line
        pending, begun = "", 0
    if pending:
        yield begun, pending


def _continues(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _entry(line: str, number: int) -> Property:
    key = _KEY.match(line)
    end = key.end() if key else 0
    separator = _SEPARATOR.match(line, end)
    start = separator.end() if separator else end
    return Property(_unescape(line[:end], number), _unescape(line[start:], number), number)


def _unescape(text: str, number: int) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[2]:
            return chr(int(match[2], 16))
        if match[1] == "u":
            raise ValueError(f"line {number}: \\u needs four hexadecimal digits")
        return _CONTROL.get(match[1], match[1])

    unescaped = _ESCAPE.sub(replace, text)
    try:
        # Java writes characters beyond the basic plane as two \u escapes.
        return unescaped.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise ValueError(f"line {number}: an unpaired surrogate") from error
