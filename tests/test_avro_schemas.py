"""Our schemas: how they are found, and the modelling rules every one of them keeps."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.avro.compatibility import CompatibilityLevel, violations
from bridge.avro.schemas import load_schema, parse_schema, released_schemas, same_schema, schema_names
from bridge.errors import ConfigurationRefused

RMA = "returns.rma.v1-value"
NAMES = schema_names()


def _records(schema: Any) -> Iterator[Any]:
    if isinstance(schema, list):
        for branch in schema:
            yield from _records(branch)
    elif isinstance(schema, dict):
        if schema["type"] == "record":
            yield schema
        for field in schema.get("fields", ()):
            yield from _records(field["type"])
        yield from _records(schema.get("items"))
        yield from _records(schema.get("values"))


def _fields(name: str) -> Iterator[Any]:
    for record in _records(load_schema(name).parsed):
        yield from record["fields"]


def test_schema_names_has_the_rma_when_running_from_source() -> None:
    """The RMA's schema is there."""
    assert RMA in NAMES


def test_load_schema_names_what_there_is_when_the_name_is_unknown() -> None:
    """An unknown name is refused with the known ones, and no file outside the folder can be named."""
    for name in ("nonsense-value", "../schemas/returns.rma.v1-value"):
        with pytest.raises(ConfigurationRefused, match=RMA):
            load_schema(name)


def test_load_schema_takes_another_subject_when_the_topic_has_another_name() -> None:
    """The subject follows the topic, the schema does not change."""
    schema = load_schema(RMA, subject="acme.returns-value")
    assert (schema.subject, schema.text) == ("acme.returns-value", load_schema(RMA).text)


def test_schema_text_is_one_line_with_everything_when_loaded() -> None:
    """What is registered is the file's content, annotations included."""
    schema = load_schema(RMA)
    assert "\n" not in schema.text
    assert json.loads(schema.text)["doc"]
    assert '"confluent:tags":["PII"]' in schema.text


@pytest.mark.parametrize("name", NAMES)
def test_schema_may_follow_every_release_when_it_differs_from_the_newest(name: str) -> None:
    """The working schema is the newest release, or FULL_TRANSITIVE allows it after all of them."""
    schema, released = load_schema(name), released_schemas(name)
    assert released
    newest = json.loads(released[-1].text) == json.loads(schema.text)
    assert newest or violations(CompatibilityLevel.FULL_TRANSITIVE, schema, released) == []


@pytest.mark.parametrize("name", NAMES)
def test_releases_may_follow_each_other_when_in_order(name: str) -> None:
    """No release broke FULL_TRANSITIVE."""
    released = released_schemas(name)
    for count, schema in enumerate(released):
        assert violations(CompatibilityLevel.FULL_TRANSITIVE, schema, released[:count]) == []


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_documented_when_loaded(name: str) -> None:
    """Every record and every field has a doc."""
    undocumented = [
        part["name"] for part in (*_records(load_schema(name).parsed), *_fields(name)) if not part.get("doc")
    ]
    assert undocumented == []


@pytest.mark.parametrize("name", NAMES)
def test_optional_fields_default_to_null_when_nullable(name: str) -> None:
    """A nullable field is null first and defaults to null; no other field has a default, no union a third branch."""
    for field in _fields(name):
        if isinstance(field["type"], list):
            assert (field["type"][0], len(field["type"]), field.get("default", "absent")) == ("null", 2, None)
        else:
            assert "default" not in field


@pytest.mark.parametrize("name", NAMES)
def test_logical_types_stand_inside_the_type_when_used(name: str) -> None:
    """A logicalType beside a field's type would be ignored by readers."""
    assert [field["name"] for field in _fields(name) if "logicalType" in field] == []


def test_times_are_timestamps_and_amounts_longs_when_in_the_rma() -> None:
    """Times are timestamp-millis and amounts 64-bit cents, nullable or not."""
    timestamp = {"type": "long", "logicalType": "timestamp-millis"}
    for field in _fields(RMA):
        kind = field["type"][1] if isinstance(field["type"], list) else field["type"]
        if field["name"].endswith("_at"):
            assert kind == timestamp
        if field["name"].endswith("_cents"):
            assert kind == "long"


def test_personal_fields_are_tagged_when_in_the_rma() -> None:
    """The address of the gift's receiver is the field that is tagged as personal."""
    assert [field["name"] for field in _fields(RMA) if "PII" in field.get("confluent:tags", ())] == ["giftee_email"]


def test_required_fields_are_those_of_every_document_version_when_in_the_rma() -> None:
    """What a version may leave out is optional."""
    required = {field["name"] for field in load_schema(RMA).parsed["fields"] if "default" not in field}
    assert required == {
        "rma_identifier",
        "status",
        "created_at",
        "items",
        "return_method",
        "return_shipping_cost_cents",
        "gift_refund_only",
        "webhook",
    }


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="cut"),
        pytest.param("3", id="number"),
        pytest.param("null", id="null"),
        pytest.param('"nope"', id="unknown type"),
        pytest.param("{}", id="no type"),
        pytest.param("[" * 100_000, id="too deep"),
        pytest.param('{"type":"record","name":"a b","fields":[]}', id="record name"),
        pytest.param('{"type":"record","name":"R","fields":[{"name":"a\'b","type":"int"}]}', id="field name"),
        pytest.param(
            '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}',
            id="two fields",
        ),
        pytest.param('{"type":"fixed","name":"F","size":"4"}', id="size"),
        pytest.param('{"type":"error","name":"F","fields":[]}', id="error type"),
        pytest.param('["null","null"]', id="a type twice"),
        pytest.param('["null",["int"]]', id="union in a union"),
    ],
)
def test_parse_schema_refuses_when_the_text_is_no_schema(text: str) -> None:
    """Whatever is wrong with the text, it is a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        parse_schema(text)


_BASE = {"type": "record", "name": "n.R", "fields": [{"name": "t", "type": "long", "default": 1}]}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param({**_BASE, "doc": "x", "owner": "y"}, True, id="annotations"),
        pytest.param({**_BASE, "name": "R", "namespace": "n"}, True, id="namespace"),
        pytest.param(
            {**_BASE, "fields": [{"name": "t", "type": {"type": "long"}, "default": 1}]}, True, id="type object"
        ),
        pytest.param({**_BASE, "fields": [{"name": "t", "type": "long", "default": 2}]}, False, id="default"),
        pytest.param({**_BASE, "fields": [{"name": "t", "type": "long"}]}, False, id="no default"),
        pytest.param({**_BASE, "fields": [{"name": "u", "type": "long", "default": 1}]}, False, id="field name"),
        pytest.param(
            {
                **_BASE,
                "fields": [{"name": "t", "type": {"type": "long", "logicalType": "timestamp-millis"}, "default": 1}],
            },
            False,
            id="logical type",
        ),
    ],
)
def test_same_schema_sees_meaning_when_comparing(other: Any, same: bool) -> None:
    """Documentation and spelling do not matter; names, types, defaults and logical types do."""
    assert same_schema(parse_schema(json.dumps(_BASE)), parse_schema(json.dumps(other))) is same
