"""A record writer compiled once from an Avro schema: Python source with every type and branch already decided.

Choosing union branches and dispatching on types is most of what a general writer does for an event; here it happens at
start. The bytes are those of fastavro. Values are exactly what JSON gives (a bool is no int, a tuple no list), and a
key that the schema does not name is an error, so that nothing is lost unseen.
"""

import struct
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any, Final

from bridge.avro.schemas import Schema
from bridge.avro.varint import SMALL_LONGS, long_bytes

Writer = Callable[[Any, bytearray], None]
"""Appends the encoding of a value. Raises one of WRITING_ERRORS where the value does not fit."""

WRITING_ERRORS: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


# Small numbers and lengths behind nothing and behind the branch of a nullable union, so that both are one addition.
_PRESENT: Final = b"\x02"
_LENGTH_TABLES: Final = {
    b"": ("SMALL_LONGS", SMALL_LONGS),
    _PRESENT: ("PRESENT_SMALL_LONGS", tuple(_PRESENT + encoded for encoded in SMALL_LONGS)),
}


class NotCompilable(Exception):
    """The schema uses a union of more than null and one other type: the general writer can take it."""


def compile_writer(schema: Schema) -> Writer:
    """Return the writer for `schema`. Raises NotCompilable."""
    source = _WriterSource(schema)
    entry = source.function(schema.parsed)
    namespace: dict[str, Any] = dict(source.constants)
    # The text is built from our own schema, whose names Avro limits to letters, digits and underscores, quoted by repr.
    exec(compile(source.text(), f"<record writer for {schema.subject}>", "exec"), namespace)  # noqa: S102
    writer: Writer = namespace[entry]
    return writer


class _WriterSource:
    """The source of one function for each named or top-level type, and the constants they use."""

    def __init__(self, schema: Schema) -> None:
        self._named = schema.named
        self._functions: dict[str, list[str]] = {}
        self._names: dict[str, str] = {}
        self.constants: dict[str, Any] = {
            **dict(_LENGTH_TABLES.values()),
            "SMALL_LIMIT": len(SMALL_LONGS),
            "long_bytes": long_bytes,
            "int_bytes": _int_bytes,
            "float_bytes": _float_bytes,
            "double_bytes": _double_bytes,
            "utf8": str.encode,
            "refuse": _refuse,
        }

    def text(self) -> str:
        return "\n".join(line for lines in self._functions.values() for line in lines)

    def function(self, schema: Any) -> str:
        """Return the name of the function that writes `schema`, writing it first where it is new."""
        key = schema["name"] if isinstance(schema, dict) and "name" in schema else repr(schema)
        if key not in self._names:
            name = self._names[key] = f"write_{len(self._names)}"
            self._functions[name] = []
            body = self._record(schema) if _kind(schema) == "record" else self._value(schema, "value")
            self._functions[name] = [f"def {name}(value, out):", *_indented(body)]
        return self._names[key]

    def _constant(self, value: Any) -> str:
        name = f"C{len(self.constants)}"
        self.constants[name] = value
        return name

    def _record(self, schema: Any) -> Iterator[str]:
        names = self._constant(frozenset(field["name"] for field in schema["fields"]))
        yield "if value.__class__ is not dict: refuse('not a record')"
        yield f"if not {names}.issuperset(value): refuse('a key the schema does not name')"
        yield "get = value.get"
        for field in schema["fields"]:
            yield from self._field(field)

    def _field(self, field: Any) -> Iterator[str]:
        name = field["name"]
        if "default" not in field:
            yield f"v = value[{name!r}]"
        elif field["default"] is None:
            yield f"v = get({name!r})"
        else:
            yield f"v = get({name!r}, {self._constant(field['default'])})"
        yield from self._value(field["type"], "v")

    def _value(self, schema: Any, v: str) -> Iterator[str]:
        schema = self._named.get(schema, schema) if isinstance(schema, str) else schema
        kind = _kind(schema)
        if kind == "union":
            yield from self._nullable(schema, v)
        elif kind == "record":
            yield f"{self.function(schema)}({v}, out)"
        elif kind == "array":
            yield from self._array(schema, v)
        elif kind == "map":
            yield from self._map(schema, v)
        elif kind == "enum":
            symbols = {symbol: long_bytes(index) for index, symbol in enumerate(schema["symbols"])}
            yield f"out += {self._constant(symbols)}[{v}]"
        elif kind == "fixed":
            yield f"if {v}.__class__ is not bytes or len({v}) != {schema['size']}: refuse('not fixed')"
            yield f"out += {v}"
        else:
            yield from _PRIMITIVES[kind](v)

    def _nullable(self, schema: list[Any], v: str) -> Iterator[str]:
        branches = [branch for branch in schema if branch != "null"]
        if len(schema) != 2 or len(branches) != 1:  # noqa: PLR2004  # null and the other
            raise NotCompilable
        null, other = (b"\x00", b"\x02") if schema[0] == "null" else (b"\x02", b"\x00")
        yield f"if {v} is None: out += {null!r}"
        yield "else:"
        kind = _kind(branches[0])
        if kind in _PREFIXABLE and other in _LENGTH_TABLES:
            yield from _indented(_PREFIXABLE[kind](v, other))
        else:
            yield from _indented([f"out += {other!r}", *self._value(branches[0], v)])

    def _array(self, schema: Any, v: str) -> Iterator[str]:
        yield f"if {v}.__class__ is not list: refuse('not an array')"
        yield from self._block(v, [f"for item in {v}:", *_indented(self._value(schema["items"], "item"))])

    def _map(self, schema: Any, v: str) -> Iterator[str]:
        yield f"if {v}.__class__ is not dict: refuse('not a map')"
        item = [*_string("key"), *self._value(schema["values"], "item")]
        yield from self._block(v, [f"for key, item in {v}.items():", *_indented(item)])

    def _block(self, v: str, loop: list[str]) -> Iterator[str]:
        yield f"if {v}:"
        yield from _indented([f"out += long_bytes(len({v}))", *loop])
        yield "out += b'\\x00'"


def _kind(schema: Any) -> str:
    if isinstance(schema, list):
        return "union"
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _indented(lines: Any) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _null(v: str) -> Iterator[str]:
    yield f"if {v} is not None: refuse('not null')"


def _boolean(v: str) -> Iterator[str]:
    yield f"out += b'\\x01' if {v} is True else b'\\x00' if {v} is False else refuse('not a boolean')"


def _int(v: str) -> Iterator[str]:
    yield f"out += int_bytes({v})"


def _long(v: str, prefix: bytes = b"") -> Iterator[str]:
    table, _ = _LENGTH_TABLES[prefix]
    yield f"if {v}.__class__ is not int: refuse('not a long')"
    yield f"out += {table}[{v}] if 0 <= {v} < SMALL_LIMIT else {prefix!r} + long_bytes({v})"


def _float(v: str) -> Iterator[str]:
    yield f"out += float_bytes({v})"


def _double(v: str) -> Iterator[str]:
    yield f"out += double_bytes({v})"


def _bytes(v: str) -> Iterator[str]:
    yield f"if {v}.__class__ is not bytes: refuse('not bytes')"
    yield f"out += long_bytes(len({v})) + {v}"


def _string(v: str, prefix: bytes = b"") -> Iterator[str]:
    table, _ = _LENGTH_TABLES[prefix]
    yield f"text = utf8({v})"
    yield f"out += {table}[n] if (n := len(text)) < SMALL_LIMIT else {prefix!r} + long_bytes(n)"
    yield "out += text"


_PRIMITIVES: Final[dict[str, Callable[[str], Iterator[str]]]] = {
    "null": _null,
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "float": _float,
    "double": _double,
    "bytes": _bytes,
    "string": _string,
}


_PREFIXABLE: Final = {"long": _long, "string": _string}


def _refuse(reason: str) -> bytes:
    raise TypeError(reason)


def _int_bytes(value: Any) -> bytes:
    if value.__class__ is not int or not -(2**31) <= value < 2**31:
        raise TypeError("not an int of 32 bits")
    return long_bytes(value)


def _double_bytes(value: Any) -> bytes:
    return struct.pack("<d", _finite(value))


def _float_bytes(value: Any) -> bytes:
    return struct.pack("<f", _finite(value))


def _finite(value: Any) -> Any:
    if value.__class__ not in (float, int) or not isfinite(value):
        raise TypeError("not a finite number")
    return value
