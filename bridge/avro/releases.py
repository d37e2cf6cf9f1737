"""Our released schemas and the one being worked on: what may follow, judged without a registry.

Stricter than a registry: a logical type that changes leaves the bytes readable and makes other values of them.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from bridge.avro.compatibility import CompatibilityLevel, violations
from bridge.avro.schemas import Schema

LEVEL: Final = CompatibilityLevel.FULL_TRANSITIVE

_LOGICAL: Final = ("logicalType", "precision", "scale")


def breaches(schema: Schema, earlier: Sequence[Schema]) -> list[str]:
    """Return why `schema` may not follow the releases `earlier`, oldest first; empty where it may."""
    changed = [
        f"{path}: {was} in version {version}, {now} now; readers would take the same bytes for other values"
        for version, old in enumerate(earlier, 1)
        for path, was, now in _other_meanings(old, schema)
    ]
    return violations(LEVEL, schema, earlier) + changed


def history_breaches(releases: Sequence[Schema]) -> list[str]:
    """Return where a release, oldest first, did not keep to the ones before it."""
    return [
        f"release {number}: {why}"
        for number, schema in enumerate(releases, 1)
        for why in breaches(schema, releases[: number - 1])
    ]


def _other_meanings(old: Schema, new: Schema) -> Iterator[tuple[str, str, str]]:
    was, now = dict(_logical_types(old.parsed, "")), dict(_logical_types(new.parsed, ""))
    for path in was.keys() & now.keys():
        if was[path] != now[path]:
            yield path or "the top", was[path], now[path]


def _logical_types(schema: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield each type that is neither a record nor a union, by its path, as its logical type reads."""
    if isinstance(schema, list):
        branches = [branch for branch in schema if branch != "null"]
        for number, branch in enumerate(branches):
            yield from _logical_types(branch, f"{path}/{number}" if len(branches) > 1 else path)
    elif isinstance(schema, dict):
        for field in schema.get("fields", ()):
            yield from _logical_types(field["type"], f"{path}/{field['name']}")
        for inner in ("items", "values"):
            if inner in schema:
                yield from _logical_types(schema[inner], f"{path}/{inner}")
        if "fields" not in schema:
            yield path, " ".join(str(schema[key]) for key in _LOGICAL if key in schema) or "no logical type"
    else:
        yield path, "no logical type"
