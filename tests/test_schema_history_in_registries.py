"""FULL_TRANSITIVE as registries keep it: they take our history in order, and refuse what our own check refuses."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Sequence

import httpx2
import pytest

from bridge.avro.registry import RegistryClient, RegistrySettings
from bridge.avro.releases import LEVEL
from bridge.avro.schemas import Schema, schema_names
from bridge.embedded.registry import embedded_registry
from bridge.errors import SchemaIncompatible
from tests.schema_histories import ALLOWED, FORBIDDEN, UNSEEN_BY_REGISTRIES, Attempt, versions

Run = Callable[[Callable[[RegistryClient, str], Awaitable[None]]], None]


@pytest.fixture(params=["embedded", "real"])
def on_registry(request: pytest.FixtureRequest) -> Run:
    """Runs something with a client and a subject of its own: on the embedded registry, and on a real one."""
    url = request.getfixturevalue("real_registry_url") if request.param == "real" else "http://registry.test"
    transport = httpx2.ASGITransport(embedded_registry()) if request.param == "embedded" else None

    async def run(use: Callable[[RegistryClient, str], Awaitable[None]]) -> None:
        async with RegistryClient(RegistrySettings(urls=(url,), timeout_seconds=20), transport=transport) as client:
            await use(client, f"history-{uuid.uuid4().hex}-value")

    return lambda use: asyncio.run(run(use))


async def _register(client: RegistryClient, subject: str, schemas: Sequence[Schema]) -> None:
    await client.set_compatibility_level(subject, LEVEL)
    for schema in schemas:
        await client.register(subject, schema.text)


@pytest.mark.parametrize("name", schema_names())
def test_registry_takes_our_history_in_order(name: str, on_registry: Run) -> None:
    """Each release and then the working schema is registered in a subject that is FULL_TRANSITIVE."""
    schemas = [version.schema for version in versions(name)]

    async def use(client: RegistryClient, subject: str) -> None:
        await _register(client, subject, schemas)
        latest = await client.latest(subject)
        assert json.loads(latest.schema_text)["fields"] == json.loads(schemas[-1].text)["fields"]
        assert latest.version == len({schema.text for schema in schemas})

    on_registry(use)


@pytest.mark.parametrize("attempt", ALLOWED, ids=str)
def test_registry_takes_what_our_check_allows(attempt: Attempt, on_registry: Run) -> None:
    """An allowed change is the next version."""

    async def use(client: RegistryClient, subject: str) -> None:
        await _register(client, subject, attempt.history())

    on_registry(use)


@pytest.mark.parametrize("attempt", FORBIDDEN, ids=str)
def test_registry_refuses_what_our_check_refuses(attempt: Attempt, on_registry: Run) -> None:
    """A forbidden change is answered with reasons when asked about, and with 409 when tried."""
    old, new = attempt.history()

    async def use(client: RegistryClient, subject: str) -> None:
        await _register(client, subject, [old])
        assert await client.check_compatibility(subject, new.text) != []
        with pytest.raises(SchemaIncompatible):
            await client.register(subject, new.text)

    on_registry(use)


@pytest.mark.parametrize("attempt", UNSEEN_BY_REGISTRIES, ids=str)
def test_registry_takes_another_logical_type(attempt: Attempt, on_registry: Run) -> None:
    """Why our own check is stricter: a registry lets the same bytes become other values."""

    async def use(client: RegistryClient, subject: str) -> None:
        await _register(client, subject, attempt.history())

    on_registry(use)
