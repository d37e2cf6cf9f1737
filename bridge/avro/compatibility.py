"""Whether one schema can read what another wrote, by the schema resolution rules of the Avro specification.

Where the outcome depends on the value (the branches of a writer's union) every case must work, as in Java.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

from bridge.avro.schemas import Schema

_PROMOTIONS: Final[dict[str, tuple[str, ...]]] = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}


class CompatibilityLevel(StrEnum):
    """Confluent's levels: BACKWARD, the new schema reads old data; FORWARD, the old ones read new data; FULL, both."""

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"


def violations(level: CompatibilityLevel, schema: Schema, earlier: Sequence[Schema]) -> list[str]:
    """Return why `schema` may not follow `earlier` (oldest first) at `level`; empty where it may."""
    direction, _, transitive = level.partition("_")
    compared = enumerate(earlier, 1) if transitive else list(enumerate(earlier, 1))[-1:]
    found = []
    for version, old in compared:
        if direction in ("BACKWARD", "FULL"):
            found += [f"cannot read data of version {version}: {why}" for why in incompatibilities(schema, old)]
        if direction in ("FORWARD", "FULL"):
            found += [f"version {version} cannot read its data: {why}" for why in incompatibilities(old, schema)]
    return found


def incompatibilities(reader: Schema, writer: Schema) -> list[str]:
    """Return why `reader` cannot read what `writer` wrote, each with the path of the place; empty where it can."""
    return list(_Resolution(reader.named, writer.named).faults(reader.parsed, writer.parsed, ""))


class _Resolution:
    """One comparison; it remembers the pairs of records under way, because records may contain themselves."""

    def __init__(self, reader_named: dict[str, Any], writer_named: dict[str, Any]) -> None:
        self._reader_named = reader_named
        self._writer_named = writer_named
        self._under_way: set[tuple[str, str]] = set()

    def faults(self, reader: Any, writer: Any, path: str) -> Iterator[str]:
        reader, writer = _definition(reader, self._reader_named), _definition(writer, self._writer_named)
        if isinstance(writer, list):
            for branch in writer:
                yield from self.faults(reader, branch, path)
        elif isinstance(reader, list):
            yield from self._reader_union(reader, writer, path)
        else:
            yield from self._types(reader, writer, path)

    def _reader_union(self, branches: list[Any], writer: Any, path: str) -> Iterator[str]:
        found = [list(self.faults(branch, writer, path)) for branch in branches]
        if all(found):
            kinds = [_kind(_definition(branch, self._reader_named)) for branch in branches]
            same = [faults for faults, kind in zip(found, kinds, strict=True) if kind == _kind(writer)]
            yield from same[0] if same else [f"{_at(path)}: no branch of the reader's union takes {_kind(writer)}"]

    def _types(self, reader: Any, writer: Any, path: str) -> Iterator[str]:
        kind = _kind(reader)
        if kind != _kind(writer):
            if kind not in _PROMOTIONS.get(_kind(writer), ()):
                yield f"{_at(path)}: the reader has {kind}, the writer {_kind(writer)}"
        elif kind == "array":
            yield from self.faults(reader["items"], writer["items"], f"{path}/items")
        elif kind == "map":
            yield from self.faults(reader["values"], writer["values"], f"{path}/values")
        elif kind in ("record", "enum", "fixed"):
            yield from self._named_types(kind, reader, writer, path)

    def _named_types(self, kind: str, reader: Any, writer: Any, path: str) -> Iterator[str]:
        if not _same_name(reader, writer):
            yield f"{_at(path)}: the reader's {kind} is named {reader['name']}, the writer's {writer['name']}"
        elif kind == "record":
            yield from self._records(reader, writer, path)
        elif kind == "enum":
            missing = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
            if missing and "default" not in reader:
                yield f"{_at(path)}: the reader's enum lacks {', '.join(missing)} and has no default"
        elif reader["size"] != writer["size"]:
            yield f"{_at(path)}: the reader's fixed has {reader['size']} bytes, the writer's {writer['size']}"

    def _records(self, reader: Any, writer: Any, path: str) -> Iterator[str]:
        pair = (reader["name"], writer["name"])
        if pair in self._under_way:
            return
        self._under_way.add(pair)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            names = [field["name"], *field.get("aliases", ())]
            found = next((written[name] for name in names if name in written), None)
            if found is not None:
                yield from self.faults(field["type"], found["type"], f"{path}/{field['name']}")
            elif "default" not in field:
                yield f"{path}/{field['name']}: the writer lacks it and the reader has no default"
        self._under_way.discard(pair)


def _definition(schema: Any, named: dict[str, Any]) -> Any:
    return named.get(schema, schema) if isinstance(schema, str) else schema


def _kind(schema: Any) -> str:
    if isinstance(schema, list):
        return "union"
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _same_name(reader: Any, writer: Any) -> bool:
    """As the specification: unqualified names are equal, or an alias of the reader is the writer's full name."""
    namespace, _, name = reader["name"].rpartition(".")
    prefix = f"{namespace}." if namespace else ""
    aliases = [alias if "." in alias else prefix + alias for alias in reader.get("aliases", ())]
    return bool(name == writer["name"].rpartition(".")[2] or writer["name"] in aliases)


def _at(path: str) -> str:
    return path or "the top"
