"""Schemas by name: parsed once, with the one text that is registered, looked up and compared."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fastavro.schema import SchemaParseException, UnknownType
from fastavro.schema import parse_schema as fastavro_parse

from bridge.errors import ConfigurationRefused

_PACKAGED: Final = Path(__file__).parent.parent / "_schemas"
_CHECKOUT: Final = Path(__file__).parent.parent.parent / "schemas"

_PRIMITIVES: Final = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}
_KINDS: Final = frozenset(_PRIMITIVES | {"record", "enum", "array", "map", "fixed"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MEANING: Final = frozenset(
    {"type", "name", "fields", "default", "items", "values", "symbols", "size", "logicalType", "precision", "scale"}
)


@dataclass(frozen=True)
class Schema:
    """An Avro schema under its subject.

    `text` is its JSON on one line in the author's order. `parsed` has every named type under its full name, later uses
    being that name; `named` has the definitions by full name.
    """

    subject: str
    text: str
    parsed: Any = field(repr=False, compare=False)
    named: dict[str, Any] = field(repr=False, compare=False)


def parse_schema(text: str, *, subject: str = "") -> Schema:
    """Return the schema that `text` is. Raises ValueError, with the reason, where it is none."""
    try:
        document = json.loads(text)
        named: dict[str, Any] = {}
        parsed = fastavro_parse(document, named, _write_hint=False)
        _check(parsed)
    except (SchemaParseException, UnknownType, LookupError, TypeError, AttributeError, RecursionError) as exc:
        raise ValueError(f"not an Avro schema: {type(exc).__name__}: {exc}") from exc
    return Schema(subject, json.dumps(document, separators=(",", ":"), ensure_ascii=False), parsed, named)


def load_schema(name: str, *, subject: str | None = None) -> Schema:
    """Return our schema `name`, to be registered under `subject` (by default its name).

    Raises ConfigurationRefused where the bridge has no such schema.
    """
    path = _folder() / f"{name}.avsc"
    if name not in schema_names():
        known = ", ".join(schema_names())
        raise ConfigurationRefused([f"the bridge has no Avro schema named {name!r}; it has: {known}"])
    return parse_schema(path.read_text(encoding="utf-8"), subject=subject or name)


def schema_names() -> list[str]:
    """Return the names `load_schema` knows, sorted."""
    return sorted(path.stem for path in _folder().glob("*.avsc"))


def released_schemas(name: str) -> list[Schema]:
    """Return the released versions of our schema `name`, oldest first; empty before the first release."""
    paths = sorted((_folder() / "released" / name).glob("*.avsc"), key=lambda path: int(path.stem))
    return [parse_schema(path.read_text(encoding="utf-8"), subject=name) for path in paths]


def same_schema(one: Schema, other: Schema) -> bool:
    """Whether both mean the same bytes and values; documentation and other annotations may differ."""
    return bool(_essence(one.parsed) == _essence(other.parsed))


def _check(schema: Any) -> None:
    """Raise ValueError for what the specification forbids and fastavro lets pass."""
    if isinstance(schema, list):
        _check_union(schema)
    elif isinstance(schema, dict):
        for part in (schema, *schema.get("fields", ())):
            if not _NAME.fullmatch(part.get("name", "_").rpartition(".")[2]):
                raise ValueError(f"not an Avro name: {part['name']!r}")
        names = [field["name"] for field in schema.get("fields", ())]
        if len(names) != len(set(names)):
            raise ValueError(f"{schema['name']} has two fields of one name")
        if (
            not isinstance(schema["type"], str)
            or schema["type"] not in _KINDS
            or type(schema.get("size", 0)) is not int
        ):
            raise ValueError("a type is wrapped in another, is no type of a record, or has no usable size")
        for part in (schema.get("items"), schema.get("values"), *(field["type"] for field in schema.get("fields", ()))):
            _check(part)


def _check_union(branches: list[Any]) -> None:
    kinds = [branch.get("name", branch["type"]) if isinstance(branch, dict) else branch for branch in branches]
    if any(isinstance(kind, list) for kind in kinds) or len(kinds) != len(set(kinds)):
        raise ValueError("a union holds a union, or one type twice")
    for branch in branches:
        _check(branch)


def _folder() -> Path:
    # An installed package carries its schemas; a folder beside it in site-packages would be somebody else's.
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def _essence(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_essence(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value if key == "default" else _essence(value) for key, value in schema.items() if key in _MEANING}
    return kept["type"] if kept.keys() == {"type"} else kept
