"""Java's properties format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config import properties


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        pytest.param("a=1", {"a": "1"}, id="equals sign"),
        pytest.param("a:1", {"a": "1"}, id="colon"),
        pytest.param("a 1", {"a": "1"}, id="white space"),
        pytest.param("  a \t= 1 ", {"a": "1 "}, id="white space around the separator, kept at the end"),
        pytest.param("a = = 1", {"a": "= 1"}, id="only one separator is taken"),
        pytest.param("a", {"a": ""}, id="key alone"),
        pytest.param("=1", {"": "1"}, id="empty key"),
        pytest.param("# a=1\n ! b=2\n\n \t\nc=3", {"c": "3"}, id="comments and blank lines"),
        pytest.param("a=1 # no comment", {"a": "1 # no comment"}, id="number sign in a value"),
        pytest.param("# comment \\\na=1", {"a": "1"}, id="a comment does not go on"),
        pytest.param("a=1,\\\n   2", {"a": "1,2"}, id="continuation"),
        pytest.param("a=1\\\n#2", {"a": "1#2"}, id="number sign on a continuation line"),
        pytest.param("a=1\\\n\nb=2", {"a": "1", "b": "2"}, id="continuation into a blank line"),
        pytest.param("a=1\\\\\nb=2", {"a": "1\\", "b": "2"}, id="two backslashes are no continuation"),
        pytest.param("a=1\\", {"a": "1"}, id="continuation at the end of the file"),
        pytest.param("a=1\r\nb=2\rc=3", {"a": "1", "b": "2", "c": "3"}, id="every line end"),
        pytest.param("a\\ b\\:c\\=d=1", {"a b:c=d": "1"}, id="escaped separators"),
        pytest.param("a=\\t\\n\\r\\f\\q\\u00e9", {"a": "\t\n\r\fqé"}, id="escapes"),
        pytest.param("a=\\ud83d\\ude00", {"a": "😀"}, id="surrogate pair"),
        pytest.param("a=é\u2028x", {"a": "é\u2028x"}, id="text outside ASCII, no further line ends"),
    ],
)
def test_parse_when_the_form_is_javas(text: str, entries: dict[str, str]) -> None:
    """The entries are those that java.util.Properties reads."""
    assert {key: entry.value for key, entry in properties.parse(text).items()} == entries


def test_parse_when_an_entry_spans_lines() -> None:
    """An entry's line is the one it begins on."""
    lines = [entry.line for entry in properties.parse("# comment\na=1\\\n2\nb=3").values()]

    assert lines == [2, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a=1\nb=2\na=3", 'line 3: "a" is already set on line 1', id="key set twice"),
        pytest.param("a=\\u12", "line 1: .u needs four hexadecimal digits", id="short escape"),
        pytest.param("a=\\ud83d", "line 1: an unpaired surrogate", id="unpaired surrogate"),
    ],
)
def test_parse_when_the_form_is_broken(text: str, message: str) -> None:
    """What cannot be read names its line."""
    with pytest.raises(ValueError, match=message):
        properties.parse(text)


@given(st.text(), st.text())
def test_parse_when_written_with_escapes(key: str, value: str) -> None:
    """Whatever is written with every character escaped is read back."""
    text = f"{_escaped(key)}={_escaped(value)}"

    assert list(properties.parse(text).values()) == [properties.Property(key, value, 1)]


def _escaped(text: str) -> str:
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[index] << 8 | units[index + 1]:04x}" for index in range(0, len(units), 2))
