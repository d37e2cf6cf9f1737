"""Our schema under its subject: which id it has; it is registered where that is allowed."""

from bridge.avro.compatibility import CompatibilityLevel
from bridge.avro.registry import RegisteredSchema, RegistryClient
from bridge.avro.schemas import Schema, parse_schema, same_schema
from bridge.errors import RegistryError, SchemaMissing


async def resolve_schema_id(
    client: RegistryClient,
    schema: Schema,
    *,
    auto_register: bool,
    level: str = CompatibilityLevel.FULL_TRANSITIVE,
) -> int:
    """Return the id under which the registry has `schema`, after checking that the id really is this schema.

    A missing schema is registered only with `auto_register`, and a new subject is given `level` before. Raises
    SchemaMissing without it, SchemaIncompatible, or another RegistryError; its code is schema_mismatch where the id
    stands for something else.
    """
    try:
        registered = await _find(client, schema)
    except SchemaMissing:
        if not auto_register:
            raise
        registered = await _register(client, schema, level)
    await _check_identity(client, schema, registered.id)
    return registered.id


async def _find(client: RegistryClient, schema: Schema) -> RegisteredSchema:
    try:
        return await client.lookup(schema.subject, schema.text)
    except SchemaMissing as missing:
        # Some registries look up by text: ours may stand there in another formatting.
        latest = await _latest(client, schema.subject)
        if latest is not None and _means(latest.schema_text, schema):
            return latest
        raise SchemaMissing(f"the schema of subject {schema.subject} is not registered: {missing}") from missing


async def _latest(client: RegistryClient, subject: str) -> RegisteredSchema | None:
    try:
        return await client.latest(subject)
    except SchemaMissing:
        return None


async def _register(client: RegistryClient, schema: Schema, level: str) -> RegisteredSchema:
    if await _latest(client, schema.subject) is None:
        await client.set_compatibility_level(schema.subject, level)
    return await client.register(schema.subject, schema.text)


async def _check_identity(client: RegistryClient, schema: Schema, schema_id: int) -> None:
    try:
        text = await client.schema_by_id(schema_id)
    except SchemaMissing:
        text = ""
    if not _means(text, schema):
        raise RegistryError(
            f"{client.address}: id {schema_id} of subject {schema.subject} is another schema than ours, or none; "
            "is every address in schema.registry.url the same registry?",
            code="schema_mismatch",
        )


def _means(text: str, schema: Schema) -> bool:
    try:
        return same_schema(parse_schema(text), schema)
    except ValueError:
        return False
