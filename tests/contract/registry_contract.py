"""What our client expects of any Schema Registry, as facts to be run on the embedded one and on a real one.

A fact takes a client and the name of a subject that nobody else uses.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

import pytest

from bridge.avro.compatibility import CompatibilityLevel
from bridge.avro.registry import RegistryClient
from bridge.avro.schemas import load_schema, parse_schema, same_schema
from bridge.avro.subject import resolve_schema_id
from bridge.errors import RegistryRefused, SchemaIncompatible, SchemaMissing

Fact = Callable[[RegistryClient, str], Awaitable[None]]


def record(*fields: Any, name: str = "R", **more: Any) -> Any:
    return {"type": "record", "name": name, "namespace": "contract", "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def optional(name: str, kind: Any) -> dict[str, Any]:
    return field(name, ["null", kind], default=None)


def text(schema: Any) -> str:
    return json.dumps(schema)


ONE: Final = text(record(field("a", "string")))
ONE_AND_OPTIONAL: Final = text(record(field("a", "string"), optional("b", "long")))
OTHER_TYPE: Final = text(record(field("a", "long")))


async def answers_a_ping(client: RegistryClient, subject: str) -> None:
    """A registry that is there answers."""
    del subject
    await client.ping()


async def misses_an_unknown_subject(client: RegistryClient, subject: str) -> None:
    """Neither look-up nor latest finds anything under a new subject."""
    with pytest.raises(SchemaMissing):
        await client.lookup(subject, ONE)
    with pytest.raises(SchemaMissing):
        await client.latest(subject)


async def registers_as_version_one(client: RegistryClient, subject: str) -> None:
    """The first schema is version 1, and look-up and latest say the same of it."""
    registered = await client.register(subject, ONE)
    assert (registered.subject, registered.version) == (subject, 1)
    assert await client.lookup(subject, ONE) == registered
    assert await client.latest(subject) == registered


async def registers_the_same_schema_once(client: RegistryClient, subject: str) -> None:
    """Registering again gives the same id and version."""
    assert await client.register(subject, ONE) == await client.register(subject, ONE)


async def gives_one_id_to_many_at_once(client: RegistryClient, subject: str) -> None:
    """Workers that register a new schema at the same moment get one id; its version may differ (seen on Apicurio)."""
    unseen = text(record(field("a", "string"), name=f"R{uuid.uuid4().hex}"))
    registered = await asyncio.gather(*(client.register(subject, unseen) for _ in range(4)))
    assert len({found.id for found in registered}) == 1


async def finds_another_formatting(client: RegistryClient, subject: str) -> None:
    """White space and the order of a type's properties do not matter to a look-up."""
    registered = await client.register(subject, ONE)
    reordered = json.dumps(json.loads(ONE), indent=2, sort_keys=True)
    assert (await client.lookup(subject, reordered)).id == registered.id


async def misses_another_schema(client: RegistryClient, subject: str) -> None:
    """A known subject does not have a schema that was never registered under it."""
    await client.register(subject, ONE)
    with pytest.raises(SchemaMissing):
        await client.lookup(subject, OTHER_TYPE)


async def shares_ids_between_subjects(client: RegistryClient, subject: str) -> None:
    """The same schema has the same id under two subjects."""
    first = await client.register(subject, ONE)
    assert (await client.register(f"{subject}-other", ONE)).id == first.id


async def returns_a_schema_by_id(client: RegistryClient, subject: str) -> None:
    """An id leads back to the schema that got it."""
    registered = await client.register(subject, ONE)
    assert same_schema(parse_schema(await client.schema_by_id(registered.id)), parse_schema(ONE))


async def misses_an_unknown_id(client: RegistryClient, subject: str) -> None:
    """An id nobody was given is missing."""
    del subject
    with pytest.raises(SchemaMissing):
        await client.schema_by_id(2_000_000_000)


async def refuses_what_is_no_schema(client: RegistryClient, subject: str) -> None:
    """An invalid schema is refused for good and leaves no subject behind."""
    with pytest.raises(RegistryRefused):
        await client.register(subject, text({"type": "no such type"}))
    with pytest.raises(SchemaMissing):
        await client.latest(subject)


async def falls_back_to_the_global_level(client: RegistryClient, subject: str) -> None:
    """A subject without a level of its own has the global one, which is one of Avro's levels."""
    await client.register(subject, ONE)
    assert await client.compatibility_level(subject) in set(CompatibilityLevel)


async def keeps_a_level_set_before_the_subject(client: RegistryClient, subject: str) -> None:
    """A level can be set first, and counts once the subject is there."""
    await client.set_compatibility_level(subject, "FORWARD_TRANSITIVE")
    await client.register(subject, ONE)
    assert await client.compatibility_level(subject) == "FORWARD_TRANSITIVE"


async def refuses_an_incompatible_schema(client: RegistryClient, subject: str) -> None:
    """A schema that breaks the level is refused as incompatible, and the latest stays what it was."""
    await client.set_compatibility_level(subject, "FULL_TRANSITIVE")
    registered = await client.register(subject, ONE)
    with pytest.raises(SchemaIncompatible):
        await client.register(subject, OTHER_TYPE)
    assert await client.latest(subject) == registered


async def takes_a_compatible_schema_as_the_next_version(client: RegistryClient, subject: str) -> None:
    """An added optional field is version 2 with an id of its own."""
    await client.set_compatibility_level(subject, "FULL_TRANSITIVE")
    first = await client.register(subject, ONE)
    second = await client.register(subject, ONE_AND_OPTIONAL)
    assert (second.version, await client.latest(subject)) == (2, second)
    assert second.id != first.id


async def explains_an_incompatibility(client: RegistryClient, subject: str) -> None:
    """The check says yes without reasons, or no with at least one, and registers nothing."""
    await client.set_compatibility_level(subject, "FULL_TRANSITIVE")
    registered = await client.register(subject, ONE)
    assert await client.check_compatibility(subject, ONE_AND_OPTIONAL) == []
    assert await client.check_compatibility(subject, OTHER_TYPE) != []
    assert await client.latest(subject) == registered


async def finds_everything_compatible_with_nothing(client: RegistryClient, subject: str) -> None:
    """A new subject takes any schema."""
    assert await client.check_compatibility(subject, ONE) == []


async def resolves_by_registering(client: RegistryClient, subject: str) -> None:
    """With auto-register our schema gets an id under FULL_TRANSITIVE, and the next start finds the same id."""
    schema = load_schema("returns.rma.v1-value", subject=subject)
    schema_id = await resolve_schema_id(client, schema, auto_register=True)
    assert await client.compatibility_level(subject) == "FULL_TRANSITIVE"
    assert await resolve_schema_id(client, schema, auto_register=False) == schema_id


async def resolves_what_a_pipeline_registered(client: RegistryClient, subject: str) -> None:
    """Our schema is found although somebody registered it with other white space."""
    schema = load_schema("returns.rma.v1-value", subject=subject)
    indented = json.dumps(json.loads(schema.text), indent=4)
    registered = await client.register(subject, indented)
    assert await resolve_schema_id(client, schema, auto_register=False) == registered.id


async def resolves_nothing_without_permission(client: RegistryClient, subject: str) -> None:
    """Without auto-register a missing schema is an error that names the command, and nothing is registered."""
    schema = load_schema("returns.rma.v1-value", subject=subject)
    with pytest.raises(SchemaMissing, match="rma-bridge schema register"):
        await resolve_schema_id(client, schema, auto_register=False)
    with pytest.raises(SchemaMissing):
        await client.latest(subject)


FACTS: Final[tuple[Fact, ...]] = (
    answers_a_ping,
    misses_an_unknown_subject,
    registers_as_version_one,
    registers_the_same_schema_once,
    gives_one_id_to_many_at_once,
    finds_another_formatting,
    misses_another_schema,
    shares_ids_between_subjects,
    returns_a_schema_by_id,
    misses_an_unknown_id,
    refuses_what_is_no_schema,
    falls_back_to_the_global_level,
    keeps_a_level_set_before_the_subject,
    refuses_an_incompatible_schema,
    takes_a_compatible_schema_as_the_next_version,
    explains_an_incompatibility,
    finds_everything_compatible_with_nothing,
    resolves_by_registering,
    resolves_what_a_pipeline_registered,
    resolves_nothing_without_permission,
)


@dataclass(frozen=True)
class Evolution:
    """Schemas registered in turn at one level; `accepted` is whether the last one may follow."""

    name: str
    level: str
    schemas: tuple[Any, ...]
    accepted: bool

    async def __call__(self, client: RegistryClient, subject: str) -> None:
        first, *between, last = self.schemas
        await client.register(subject, text(first))
        await client.set_compatibility_level(subject, "NONE")
        for schema in between:
            await client.register(subject, text(schema))
        await client.set_compatibility_level(subject, self.level)
        with nullcontext() if self.accepted else pytest.raises(SchemaIncompatible):
            await client.register(subject, text(last))


_A: Final = field("a", "string")
_ENUM: Final = {"type": "enum", "name": "E", "symbols": ["X", "Y"]}
_ENUM_MORE: Final = {"type": "enum", "name": "E", "symbols": ["X", "Y", "Z"]}
_ENUM_DEFAULT: Final = {"type": "enum", "name": "E", "symbols": ["X", "Y"], "default": "X"}
_INNER: Final = record(field("n", "int"), name="Inner")
_INNER_MORE: Final = record(field("n", "int"), optional("m", "int"), name="Inner")
_INNER_REQUIRED: Final = record(field("n", "int"), field("m", "int"), name="Inner")
_TREE: Final = record(field("n", "int"), optional("next", "R"))


def _evolution(name: str, level: str, *schemas: Any, accepted: bool) -> Evolution:
    return Evolution(name, level, schemas, accepted)


EVOLUTIONS: Final = (
    _evolution("none takes anything", "NONE", record(_A), record(field("b", "long")), accepted=True),
    _evolution("optional added", "FULL", record(_A), record(_A, optional("b", "long")), accepted=True),
    _evolution("optional removed", "FULL", record(_A, optional("b", "long")), record(_A), accepted=True),
    _evolution("required added backward", "BACKWARD", record(_A), record(_A, field("b", "long")), accepted=False),
    _evolution("required added forward", "FORWARD", record(_A), record(_A, field("b", "long")), accepted=True),
    _evolution("required removed backward", "BACKWARD", record(_A, field("b", "long")), record(_A), accepted=True),
    _evolution("required removed forward", "FORWARD", record(_A, field("b", "long")), record(_A), accepted=False),
    _evolution(
        "int to long backward", "BACKWARD", record(field("n", "int")), record(field("n", "long")), accepted=True
    ),
    _evolution("int to long forward", "FORWARD", record(field("n", "int")), record(field("n", "long")), accepted=False),
    _evolution("long to double", "BACKWARD", record(field("n", "long")), record(field("n", "double")), accepted=True),
    _evolution("double to long", "BACKWARD", record(field("n", "double")), record(field("n", "long")), accepted=False),
    _evolution("string to bytes", "FULL", record(_A), record(field("a", "bytes")), accepted=True),
    _evolution("boolean to int", "BACKWARD", record(field("n", "boolean")), record(field("n", "int")), accepted=False),
    _evolution("made nullable backward", "BACKWARD", record(_A), record(optional("a", "string")), accepted=True),
    _evolution("made nullable forward", "FORWARD", record(_A), record(optional("a", "string")), accepted=False),
    _evolution(
        "widened in a union", "BACKWARD", record(optional("a", "int")), record(optional("a", "long")), accepted=True
    ),
    _evolution(
        "changed in a union", "FULL", record(optional("a", "int")), record(optional("a", "string")), accepted=False
    ),
    _evolution(
        "symbol added backward", "BACKWARD", record(field("e", _ENUM)), record(field("e", _ENUM_MORE)), accepted=True
    ),
    _evolution(
        "symbol added forward", "FORWARD", record(field("e", _ENUM)), record(field("e", _ENUM_MORE)), accepted=False
    ),
    _evolution(
        "symbol removed with default",
        "BACKWARD",
        record(field("e", _ENUM_MORE)),
        record(field("e", _ENUM_DEFAULT)),
        accepted=True,
    ),
    _evolution(
        "fixed resized",
        "BACKWARD",
        *(record(field("f", {"type": "fixed", "name": "F", "size": n})) for n in (4, 8)),
        accepted=False,
    ),
    _evolution(
        "items widened",
        "FULL",
        *(record(field("l", {"type": "array", "items": i})) for i in (_INNER, _INNER_MORE)),
        accepted=True,
    ),
    _evolution(
        "items narrowed",
        "FULL",
        *(record(field("l", {"type": "array", "items": i})) for i in (_INNER, _INNER_REQUIRED)),
        accepted=False,
    ),
    _evolution(
        "values changed",
        "FULL",
        *(record(field("m", {"type": "map", "values": v})) for v in ("int", "string")),
        accepted=False,
    ),
    _evolution(
        "array to map",
        "BACKWARD",
        *(record(field("m", {"type": t, k: "int"})) for t, k in (("array", "items"), ("map", "values"))),
        accepted=False,
    ),
    _evolution(
        "field renamed with alias", "BACKWARD", record(_A), record(field("b", "string", aliases=["a"])), accepted=True
    ),
    _evolution(
        "recursive grown", "FULL", _TREE, {**_TREE, "fields": [*_TREE["fields"], optional("m", "int")]}, accepted=True
    ),
    _evolution("record renamed", "BACKWARD", record(_A), record(_A, name="Other"), accepted=False),
    _evolution(
        "only the latest counts",
        "FULL",
        record(_A, optional("b", "int")),
        record(_A),
        record(_A, optional("b", "string")),
        accepted=True,
    ),
    _evolution(
        "all versions count",
        "FULL_TRANSITIVE",
        record(_A, optional("b", "int")),
        record(_A),
        record(_A, optional("b", "string")),
        accepted=False,
    ),
)
