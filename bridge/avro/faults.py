"""Where and why a value does not fit a schema: the slow, strict walk taken once something has already failed.

Its reasons name types and field paths, never a value.
"""

from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any, Final, NamedTuple

from bridge.avro.schemas import Schema
from bridge.avro.varint import LONG_MAX, LONG_MIN

_FLOAT_MAX: Final = (2 - 2**-23) * 2.0**127


class Fault(NamedTuple):
    """`path` is the JSON Pointer of the value at fault, "" for the whole."""

    path: str
    reason: str


def first_fault(schema: Schema, value: Any) -> Fault | None:
    """Return what keeps `value` from being written, None where nothing does."""
    return next(_faults(schema.named, schema.parsed, value, ""), None)


def _faults(named: dict[str, Any], schema: Any, value: Any, path: str) -> Iterator[Fault]:
    if isinstance(schema, str) and schema in named:
        schema = named[schema]
    if isinstance(schema, list):
        yield from _union_faults(named, schema, value, path)
        return
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind == "record":
        yield from _record_faults(named, schema, value, path)
    elif kind == "array":
        yield from _array_faults(named, schema, value, path)
    elif kind == "map":
        yield from _map_faults(named, schema, value, path)
    elif not _FITS[kind](schema, value):
        yield Fault(path, f"not a value of type {kind}")


def _union_faults(named: dict[str, Any], branches: list[Any], value: Any, path: str) -> Iterator[Fault]:
    if value is None and "null" in branches:
        return
    found = [fault for branch in branches if branch != "null" for fault in _first(named, branch, value, path)]
    if len(found) == sum(branch != "null" for branch in branches):
        yield found[0] if len(found) == 1 else Fault(path, "fits no branch of the union")


def _first(named: dict[str, Any], schema: Any, value: Any, path: str) -> list[Fault]:
    fault = next(_faults(named, schema, value, path), None)
    return [] if fault is None else [fault]


def _record_faults(named: dict[str, Any], schema: Any, value: Any, path: str) -> Iterator[Fault]:
    if value.__class__ is not dict:
        yield Fault(path, "not a record")
        return
    fields = {field["name"]: field for field in schema["fields"]}
    for name, field in fields.items():
        if name in value:
            yield from _faults(named, field["type"], value[name], f"{path}/{name}")
        elif "default" not in field:
            yield Fault(f"{path}/{name}", "required and missing")
    if not fields.keys() >= value.keys():
        yield Fault(path, "has a key the schema does not name")


def _array_faults(named: dict[str, Any], schema: Any, value: Any, path: str) -> Iterator[Fault]:
    if value.__class__ is not list:
        yield Fault(path, "not an array")
        return
    for index, item in enumerate(value):
        yield from _faults(named, schema["items"], item, f"{path}/{index}")


def _map_faults(named: dict[str, Any], schema: Any, value: Any, path: str) -> Iterator[Fault]:
    if value.__class__ is not dict or not all(_is_text(None, key) for key in value):
        yield Fault(path, "not a map from strings")
        return
    for item in value.values():
        yield from _faults(named, schema["values"], item, path)


def _is_text(_: Any, value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(str.encode(value) or True)
    except UnicodeEncodeError:
        return False


def _is_number(value: Any) -> bool:
    return value.__class__ is float or (value.__class__ is int and abs(value) < 2**1023)


_FITS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "null": lambda _, value: value is None,
    "boolean": lambda _, value: value.__class__ is bool,
    "int": lambda _, value: value.__class__ is int and -(2**31) <= value < 2**31,
    "long": lambda _, value: value.__class__ is int and LONG_MIN <= value <= LONG_MAX,
    "float": lambda _, value: _is_number(value) and abs(value) <= _FLOAT_MAX,
    "double": lambda _, value: _is_number(value) and isfinite(value),
    "bytes": lambda _, value: value.__class__ is bytes,
    "string": _is_text,
    "fixed": lambda schema, value: value.__class__ is bytes and len(value) == schema["size"],
    "enum": lambda schema, value: isinstance(value, str) and value in schema["symbols"],
}
