"""Schema resolution: which schema can read what, and how the reasons read."""

import json
from typing import Any

import pytest

from bridge.avro.compatibility import CompatibilityLevel, incompatibilities, violations
from bridge.avro.schemas import Schema, load_schema, parse_schema
from tests.contract.registry_contract import EVOLUTIONS, Evolution, field, optional, record


def _parsed(schema: Any) -> Schema:
    return parse_schema(json.dumps(schema))


@pytest.mark.parametrize("evolution", EVOLUTIONS, ids=lambda evolution: evolution.name)
def test_violations_are_empty_exactly_when_the_schema_may_follow(evolution: Evolution) -> None:
    """The verdict is the one that real registries give."""
    *earlier, last = map(_parsed, evolution.schemas)
    assert (violations(CompatibilityLevel(evolution.level), last, earlier) == []) is evolution.accepted


def test_incompatibilities_are_none_when_reader_and_writer_are_the_same() -> None:
    """A schema reads its own data."""
    schema = load_schema("returns.rma.v1-value")
    assert incompatibilities(schema, schema) == []


@pytest.mark.parametrize(
    ("reader", "writer", "reasons"),
    [
        pytest.param("string", "long", ["the top: the reader has string, the writer long"], id="types"),
        pytest.param(
            record(field("a", {"type": "array", "items": "int"})),
            record(field("a", {"type": "array", "items": "long"})),
            ["/a/items: the reader has int, the writer long"],
            id="path",
        ),
        pytest.param(
            record(field("a", "int"), field("b", "int")),
            record(field("c", "int")),
            [
                "/a: the writer lacks it and the reader has no default",
                "/b: the writer lacks it and the reader has no default",
            ],
            id="all of them",
        ),
        pytest.param(
            record(field("a", "string")),
            record(optional("a", "string")),
            ["/a: the reader has string, the writer null"],
            id="null for a string",
        ),
        pytest.param(["null", "long"], "string", ["the top: no branch of the reader's union takes string"], id="union"),
        pytest.param(["null", "string", "long"], ["string", "int", "null"], [], id="union in another order"),
        pytest.param(
            record(optional("i", record(field("n", "int"), name="Inner"))),
            record(field("i", record(field("m", "int"), name="Inner"))),
            ["/i/n: the writer lacks it and the reader has no default"],
            id="inside a union",
        ),
        pytest.param(
            {"type": "enum", "name": "E", "symbols": ["A"]},
            {"type": "enum", "name": "E", "symbols": ["A", "B", "C"]},
            ["the top: the reader's enum lacks B, C and has no default"],
            id="symbols",
        ),
        pytest.param(
            record(name="New", aliases=["Old"]), record(name="Old"), [], id="record alias in the same namespace"
        ),
    ],
)
def test_incompatibilities_say_where_and_why_when_there_are_any(reader: Any, writer: Any, reasons: list[str]) -> None:
    """Each reason has the place in the reader's terms and what both sides have."""
    assert incompatibilities(_parsed(reader), _parsed(writer)) == reasons


def test_violations_name_the_version_when_a_level_is_transitive() -> None:
    """A reason says which earlier version it is about, and in which direction."""
    text, number = _parsed(record(field("a", "string"))), _parsed(record(field("a", "long")))
    found = violations(CompatibilityLevel.FULL_TRANSITIVE, text, [text, number])
    assert found == [
        "cannot read data of version 2: /a: the reader has string, the writer long",
        "version 2 cannot read its data: /a: the reader has long, the writer string",
    ]
