"""Hypothesis strategies for values of an Avro schema, and the bytes that fastavro, the reference, makes of them."""

from io import BytesIO
from typing import Any

from fastavro import schemaless_writer
from hypothesis import strategies as st

from bridge.avro.schemas import Schema

_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-10_000, 10_000)),
    "float": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "bytes": st.binary(max_size=200),
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
}


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Every value that fits `schema`; optional keys are sometimes absent."""
    return _values(schema.parsed, schema.named, 3)


def complete(schema: Schema, value: Any) -> Any:
    """`value` as a reader sees it: absent keys are their defaults."""
    return _complete(schema.parsed, schema.named, value)


def reference_bytes(schema: Schema, value: Any) -> bytes:
    body = BytesIO()
    schemaless_writer(body, schema.parsed, complete(schema, value))
    return body.getvalue()


def _values(schema: Any, named: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    schema = named.get(schema, schema) if isinstance(schema, str) else schema
    if isinstance(schema, list):
        branches = schema if depth > 0 or "null" not in schema else ["null"]
        return st.one_of([_values(branch, named, depth) for branch in branches])
    kind = schema["type"] if isinstance(schema, dict) else schema
    match kind:
        case "record":
            strategy = _records(schema, named, depth - 1)
        case "array":
            strategy = st.lists(_values(schema["items"], named, depth), max_size=3)
        case "map":
            strategy = st.dictionaries(_PRIMITIVES["string"], _values(schema["values"], named, depth), max_size=3)
        case "enum":
            strategy = st.sampled_from(schema["symbols"])
        case "fixed":
            strategy = st.binary(min_size=schema["size"], max_size=schema["size"])
        case _:
            strategy = _PRIMITIVES[kind]
    return strategy


def _records(schema: Any, named: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    fields = {field["name"]: _values(field["type"], named, depth) for field in schema["fields"]}
    optional = {field["name"] for field in schema["fields"] if "default" in field}
    required = {name: fields[name] for name in fields.keys() - optional}
    return st.fixed_dictionaries(required, optional={name: fields[name] for name in optional})


def _complete(schema: Any, named: dict[str, Any], value: Any) -> Any:
    schema = named.get(schema, schema) if isinstance(schema, str) else schema
    if isinstance(schema, list):
        others = [branch for branch in schema if branch != "null"]
        return value if value is None or len(others) != 1 else _complete(others[0], named, value)
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind == "record":
        return {
            field["name"]: _complete(field["type"], named, value.get(field["name"], field.get("default")))
            for field in schema["fields"]
        }
    if kind == "array":
        return [_complete(schema["items"], named, item) for item in value]
    if kind == "map":
        return {key: _complete(schema["values"], named, item) for key, item in value.items()}
    return value
