"""The compiled writer against fastavro, the reference, over every kind of type."""

import json
import struct
from io import BytesIO
from typing import Any

import pytest
from fastavro import schemaless_reader
from hypothesis import given
from hypothesis import strategies as st

from bridge.avro.converter import AvroConverter
from bridge.avro.faults import first_fault
from bridge.avro.record_writer import WRITING_ERRORS, NotCompilable, compile_writer
from bridge.avro.schemas import Schema, parse_schema
from bridge.avro.varint import SMALL_LONGS, long_bytes
from bridge.errors import ConversionFailed
from tests.avro_values import reference_bytes, values


def _schema(*fields: tuple[str, Any], **more: Any) -> Schema:
    listed = [{"name": name, "type": kind} for name, kind in fields]
    return parse_schema(
        json.dumps({"type": "record", "name": "n.Everything", "fields": listed, **more}), subject="every"
    )


_PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
EVERYTHING = _schema(
    *((f"f_{kind}", kind) for kind in _PRIMITIVES),
    *((f"null_or_{kind}", ["null", kind]) for kind in _PRIMITIVES[1:]),
    *((f"{kind}_or_null", [kind, "null"]) for kind in _PRIMITIVES[1:]),
    ("enum", {"type": "enum", "name": "Colour", "symbols": ["RED", "GREEN"]}),
    ("enum_again", ["null", "Colour"]),
    ("fixed", {"type": "fixed", "name": "Four", "size": 4}),
    ("time", {"type": "long", "logicalType": "timestamp-millis"}),
    ("money", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}),
    ("lists", {"type": "array", "items": {"type": "array", "items": ["null", "long"]}}),
    ("maps", {"type": "map", "values": {"type": "map", "values": "string"}}),
    ("inner", {"type": "record", "name": "Inner", "fields": [{"name": "n", "type": "int", "default": 5}]}),
    ("inners", {"type": "array", "items": "Inner"}),
    ("again", ["null", "Everything"]),
)
_write = compile_writer(EVERYTHING)


def _written(value: Any) -> bytes:
    out = bytearray()
    _write(value, out)
    return bytes(out)


@given(values(EVERYTHING))
def test_writer_equals_fastavro_when_a_schema_has_every_type(value: dict[str, Any]) -> None:
    """The bytes are the reference's for every type, nested and named types included."""
    assert _written(value) == reference_bytes(EVERYTHING, value)


_ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, -(2**31) - 1, 2**63, -(2**63) - 1, 10**400]),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.integers() | st.text(), max_size=2),
    st.dictionaries(st.text() | st.integers(), st.integers(), max_size=2),
)


@given(values(EVERYTHING), st.sampled_from([field["name"] for field in EVERYTHING.parsed["fields"]]), _ANYTHING)
def test_writer_refuses_exactly_when_the_strict_walk_finds_a_fault(
    value: dict[str, Any], name: str, anything: Any
) -> None:
    """Fast path and slow walk draw the same line, so that a refusal always has its place."""
    value = {**value, name: anything}
    fault = first_fault(EVERYTHING, value)
    if fault is None:
        assert _written(value) == reference_bytes(EVERYTHING, value)
    else:
        assert fault.path.startswith(f"/{name}")
        with pytest.raises(WRITING_ERRORS):
            _write(value, bytearray())


@pytest.mark.parametrize("length", [0, 1, 63, 64, 127, 128, 8191, 8192, 2**20], ids=str)
@pytest.mark.parametrize("kind", ["string", ["null", "string"], "bytes"], ids=["string", "optional string", "bytes"])
def test_writer_equals_fastavro_when_a_length_is_at_a_boundary(kind: Any, length: int) -> None:
    """Lengths that are looked up and lengths that are computed give the same bytes as the reference."""
    schema = _schema(("s", kind))
    value = {"s": b"x" * length if kind == "bytes" else "x" * length}
    out = bytearray()
    compile_writer(schema)(value, out)
    assert bytes(out) == reference_bytes(schema, value)


@pytest.mark.parametrize(
    "number",
    [0, -1, 1, 63, 64, -64, -65, 8191, 8192, -8192, 2**20, 2**31, 2**34, -(2**48), 2**63 - 1, -(2**63)],
    ids=str,
)
def test_long_bytes_can_be_read_back_when_in_range(number: int) -> None:
    """A long is what fastavro reads again, and a small one is the table's."""
    assert schemaless_reader(BytesIO(long_bytes(number)), "long", None) == number
    if 0 <= number < len(SMALL_LONGS):
        assert SMALL_LONGS[number] == long_bytes(number)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1], ids=["above", "below"])
def test_long_bytes_refuses_when_out_of_range(number: int) -> None:
    """Nothing longer than 64 bits is written."""
    with pytest.raises(OverflowError):
        long_bytes(number)


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, True, 1.0], ids=["above", "below", "boolean", "float"])
def test_writer_refuses_when_an_int_is_not_one_for_java(number: Any) -> None:
    """What fastavro lets through as an int, and Java's reader would stumble over, is refused."""
    with pytest.raises(WRITING_ERRORS):
        compile_writer(_schema(("n", "int")))({"n": number}, bytearray())


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")], ids=str)
@pytest.mark.parametrize("kind", ["float", "double"])
def test_writer_refuses_when_a_number_is_not_finite(kind: str, number: float) -> None:
    """NaN and infinities are refused."""
    with pytest.raises(WRITING_ERRORS):
        compile_writer(_schema(("n", kind)))({"n": number}, bytearray())


def test_writer_takes_an_integer_when_the_field_is_a_double() -> None:
    """JSON's 5 is a number like 5.0."""
    out = bytearray()
    compile_writer(_schema(("n", "double")))({"n": 5}, out)
    assert bytes(out) == struct.pack("<d", 5.0)


def test_compile_says_so_when_a_union_has_more_branches() -> None:
    """Unions of several types are left to the general writer."""
    with pytest.raises(NotCompilable):
        compile_writer(_schema(("u", ["null", "string", "long"])))


GENERAL = _schema(("u", ["null", "string", "long"]), ("t", {"type": "long", "logicalType": "timestamp-millis"}))


@given(values(GENERAL))
def test_converter_equals_fastavro_when_the_schema_is_not_compilable(value: dict[str, Any]) -> None:
    """The general writer gives the reference's bytes behind the same frame."""
    assert AvroConverter(GENERAL, 1).encode(value)[5:] == reference_bytes(GENERAL, value)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        pytest.param({"u": True, "t": 1}, "/u", id="boolean for no branch"),
        pytest.param({"u": 2**63, "t": 1}, "/u", id="out of range"),
        pytest.param({"u": None, "t": True}, "/t", id="boolean for long"),
        pytest.param({"u": None}, "/t", id="missing"),
        pytest.param({"u": None, "t": 1, "x": 1}, "", id="unknown key"),
    ],
)
def test_converter_is_as_strict_when_the_schema_is_not_compilable(value: Any, path: str) -> None:
    """The general writer refuses what the compiled one refuses."""
    with pytest.raises(ConversionFailed) as caught:
        AvroConverter(GENERAL, 1).encode(value)
    assert caught.value.path == path
