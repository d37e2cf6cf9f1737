"""Bytes have one reading as JSON or none."""

import json
from typing import Any

import jiter
import pytest
from hypothesis import given

from bridge.errors import ContractViolation
from bridge.optoro.strict_json import MAX_NODES, parse, write
from tests.strategies import finite_floats, json_values


def refusal(body: bytes) -> tuple[str, str]:
    with pytest.raises(ContractViolation) as caught:
        parse(body)
    return caught.value.code, caught.value.path


def plain(value: Any) -> Any:
    """The parsed value with doubles for the numbers that keep their text."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return float(value) if isinstance(value, jiter.LosslessFloat) else value


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" \n\t", id="white space only"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b'{"a":1,}', id="trailing comma"),
        pytest.param(b"[1,]", id="trailing comma in a list"),
        pytest.param(b"{'a':1}", id="single quotes"),
        pytest.param(b"{a:1}", id="bare key"),
        pytest.param(b"{1:1}", id="number as key"),
        pytest.param(b"{} {}", id="two documents"),
        pytest.param(b"{}x", id="trailing text"),
        pytest.param(b"{}\0", id="trailing NUL"),
        pytest.param(b"// c\n{}", id="comment"),
        pytest.param(b"\f{}", id="form feed"),
        pytest.param("\u00a0{}".encode(), id="no-break space"),
        pytest.param(b"True", id="Python's true"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b"Infinity", id="Infinity"),
        pytest.param(b"-Infinity", id="minus Infinity"),
        pytest.param(b"nan", id="nan"),
        pytest.param(b'{"a":NaN}', id="NaN inside"),
        pytest.param(b"01", id="leading zero"),
        pytest.param(b"+1", id="plus sign"),
        pytest.param(b"1.", id="point without digits"),
        pytest.param(b".5", id="no digit before the point"),
        pytest.param(b"1e", id="no exponent"),
        pytest.param(b"0x10", id="hexadecimal"),
        pytest.param(b"1_000", id="underscore"),
        pytest.param(b"-", id="sign only"),
        pytest.param("\u0661".encode(), id="digit of another script"),
        pytest.param(b"9" * 5_000, id="5 000 digits"),
        pytest.param(b'"\\x41"', id="unknown escape"),
        pytest.param(b'"\\u12"', id="short escape"),
        pytest.param(b'"a\nb"', id="raw line feed in a string"),
        pytest.param(b'"\0"', id="raw NUL in a string"),
        pytest.param(b'"a', id="unterminated string"),
        pytest.param(b'"\\ud800"', id="lone high surrogate"),
        pytest.param(b'"\\udc00"', id="lone low surrogate"),
        pytest.param(b'"\\ude00\\ud83d"', id="surrogates in the wrong order"),
        pytest.param(b'"\\ud83d\\u0041"', id="high surrogate and a letter"),
        pytest.param(b'{"\\ud800":1}', id="lone surrogate in a key"),
        pytest.param(b'"\xed\xa0\x80"', id="raw surrogate"),
        pytest.param(b'"\xff"', id="no UTF-8"),
        pytest.param(b'{"\xff":1}', id="no UTF-8 in a key"),
        pytest.param(b'"\xc0\xaf"', id="overlong"),
        pytest.param(b'"\xc3"', id="half a character"),
        pytest.param(b'"\xf4\x90\x80\x80"', id="beyond Unicode"),
        pytest.param("ä".join('""').encode("latin-1"), id="Latin-1"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        *(
            pytest.param("{}".encode(f"utf-{code}"), id=f"UTF-{code}")
            for code in ("16", "16-le", "16-be", "32", "32-be")
        ),
        pytest.param(b"[" * 100_000, id="100 000 open lists"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="100 000 lists"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="100 000 objects"),
        pytest.param(b"[" * 202 + b"]" * 202, id="202 lists"),
    ],
)
def test_parse_when_it_is_no_json(body: bytes) -> None:
    """What RFC 8259 does not allow, or different readers read differently, is refused as a whole."""
    assert refusal(body) == ("not_json", "")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param('{"a":1,"a":1}', "/a", id="same value"),
        pytest.param('{"a":1,"b":2,"a":3}', "/a", id="not next to each other"),
        pytest.param(r'{"a":1,"\u0061":2}', "/a", id="one escaped"),
        pytest.param(r'{"\/":1,"/":2}', "/~1", id="escaped slash"),
        pytest.param(r'{"😀":1,"\ud83d\ude00":2}', "/😀", id="surrogate pair"),
        pytest.param('{"":1,"":2}', "/", id="empty key"),
        pytest.param('{"~":1,"~":2}', "/~0", id="tilde"),
        pytest.param('[{"a":1},{"a":1,"a":2}]', "/1/a", id="in a list"),
        pytest.param('{"x":{"y":[0,{"a":1,"a":2}]}}', "/x/y/1/a", id="deep down"),
        pytest.param('{"a":{"b":1,"b":2},"a":3}', "/a", id="the outer first"),
        pytest.param('{"a":{"b":1,"b":2},"c":{"d":1,"d":1}}', "/a/b", id="the first of two"),
        pytest.param('{"a":{},"a":{}}', "/a", id="objects"),
        pytest.param('{"a":1,"a":1e999}', "/a", id="beside a number beyond a double"),
        pytest.param("[" * 199 + '{"a":1,"a":2}' + "]" * 199, ("/0" * 199)[:256], id="200 levels down"),
    ],
)
def test_parse_when_a_key_stands_twice(body: str, path: str) -> None:
    """Readers differ about which of two equal keys counts, so neither does: refused by the key's place."""
    assert refusal(body.encode()) == ("duplicate_key", path)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"a":1,"a":2', id="cut off"),
        pytest.param(b'{"a":1,"a":2}x', id="trailing text"),
        pytest.param(b'{"a":1,"a":' + b"[" * 100_000, id="100 000 open lists"),
        pytest.param(b'{"a":1,"a":' + b"[" * 300 + b"]" * 300 + b"}", id="300 lists"),
        pytest.param(b'{"a":1,"a":' + b"9" * 5_000 + b"}", id="5 000 digits"),
        pytest.param(b'{"a":1,"a":"\xff"}', id="no UTF-8"),
        pytest.param(b'{"a":1,"a":"\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"a":1,"a":NaN}', id="NaN"),
    ],
)
def test_parse_when_a_key_stands_twice_in_what_is_no_json(body: bytes) -> None:
    """A duplicate key in front does not hide that the rest has no reading at all."""
    assert refusal(body) == ("not_json", "")


def test_parse_when_equal_keys_stand_in_different_objects() -> None:
    """A key counts within its own object; letter case and Unicode composition tell keys apart."""
    assert parse('{"a":{"a":[{"a":1},{"a":2}]},"A":0,"é":1,"e\u0301":2}'.encode())["a"] == {"a": [{"a": 1}, {"a": 2}]}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b'"\\u0000"', "\0", id="escaped NUL"),
        pytest.param(b'"\\ud83d\\ude00"', "😀", id="surrogate pair"),
        pytest.param(b'"\x7f"', "\x7f", id="delete"),
        pytest.param(b'"\\/"', "/", id="escaped slash"),
        pytest.param('"\u2028\ufeff"'.encode(), "\u2028\ufeff", id="line separator and inner byte order mark"),
        pytest.param(b"-0", 0, id="minus zero"),
        pytest.param(b"9007199254740993", 2**53 + 1, id="2^53+1"),
        pytest.param(b"18446744073709551616", 2**64, id="2^64"),
        pytest.param(b"9" * 4_300, int("9" * 4_300), id="4 300 digits"),
        pytest.param(b" \r\n\t{ } ", {}, id="white space around"),
    ],
)
def test_parse_when_it_is_json(body: bytes, value: object) -> None:
    """What RFC 8259 allows is read exactly."""
    assert parse(body) == value


@given(json_values)
def test_parse_reads_what_the_standard_library_writes(value: Any) -> None:
    """Any JSON value is read as it was written."""
    assert plain(parse(json.dumps(value).encode())) == value


@given(json_values)
def test_write_is_undone_by_parse(value: Any) -> None:
    """Text, value and text again: nothing moves."""
    text = write(parse(json.dumps(value, ensure_ascii=False).encode()))

    assert write(parse(text.encode())) == text
    assert json.loads(text) == value


@given(finite_floats)
def test_parse_reads_a_double_as_python_does(number: float) -> None:
    """A number with a fraction or an exponent is the double that Python reads, and keeps its text."""
    text = repr(number)
    parsed = parse(text.encode())

    assert (float(parsed).hex(), write(parsed)) == (number.hex(), text)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" + b",".join([b"0"] * (MAX_NODES - 1)) + b"]", id="numbers"),
        pytest.param(b'{"a":"' + b"," * MAX_NODES * 2 + b'"}', id="commas in a string"),
        pytest.param(b'["\\\\","' + b'[\\",' * MAX_NODES + b'"]', id="commas behind escaped quotes"),
        pytest.param(b"[" + b",".join([b"[]"] * (MAX_NODES - 1)) + b"]", id="empty lists"),
        pytest.param(b"[" + b",".join([b"[0]"] * (MAX_NODES // 2 - 1)) + b"]", id="lists of one"),
    ],
)
def test_parse_when_there_are_as_many_values_as_allowed(body: bytes) -> None:
    """The limit counts values, not what looks like them inside strings."""
    assert parse(body) is not None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" + b",".join([b"0"] * MAX_NODES) + b"]", id="numbers"),
        pytest.param(b"[" + b",".join([b"[]"] * MAX_NODES) + b"]", id="empty lists"),
        pytest.param(b"[" + b",".join([b"[0]"] * (MAX_NODES // 2)) + b"]", id="lists of one"),
        pytest.param(b"[" + b",".join([b'{"":""}'] * (MAX_NODES // 2)) + b"]", id="objects of one"),
        pytest.param(b"{" + b",".join(b'"%d":0' % n for n in range(MAX_NODES)) + b"}", id="keys"),
        pytest.param(b'["' + b"k" * 500_000 + b'",' + b",".join([b"0"] * MAX_NODES) + b"]", id="behind a long string"),
    ],
)
def test_parse_when_there_are_more_values_than_allowed(body: bytes) -> None:
    """One value more than the limit is refused, containers counted too."""
    assert refusal(body) == ("too_many_values", "")
