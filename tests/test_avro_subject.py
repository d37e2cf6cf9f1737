"""Resolving our schema's id: what is asked, what is checked, and when to ask again."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from bridge.avro.registry import RegistryClient, RegistrySettings
from bridge.avro.schemas import load_schema
from bridge.avro.subject import resolve_schema_id
from bridge.embedded.registry import embedded_registry
from bridge.errors import RegistryError, SchemaIncompatible

SCHEMA = load_schema("returns.rma.v1-value")


class _Lying(httpx2.AsyncBaseTransport):
    """The embedded registry, except that every id leads to `text`; it remembers what was asked."""

    def __init__(self, text: str | None = None) -> None:
        self._text = text
        self._registry = httpx2.ASGITransport(embedded_registry())
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if self._text is not None and request.url.path.startswith("/schemas/ids/"):
            return httpx2.Response(200, json={"schema": self._text})
        return await self._registry.handle_async_request(request)


def _resolve(transport: _Lying, *, times: int = 1) -> int:
    async def run() -> int:
        async with RegistryClient(RegistrySettings(urls=("http://registry.test",)), transport=transport) as client:
            return [await resolve_schema_id(client, SCHEMA, auto_register=True) for _ in range(times)][-1]

    return asyncio.run(run())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('"string"', id="another schema"),
        pytest.param("nonsense", id="no schema"),
        pytest.param(SCHEMA.text.replace("timestamp-millis", "timestamp-micros"), id="another unit"),
    ],
)
def test_resolve_refuses_when_the_id_is_another_schema(text: str) -> None:
    """An id is used only after the registry showed our schema under it."""
    with pytest.raises(RegistryError) as caught:
        _resolve(_Lying(text))
    assert caught.value.code == "schema_mismatch"


def test_resolve_takes_the_id_when_only_the_documentation_differs() -> None:
    """Words about a field do not change what the bytes mean."""
    assert _resolve(_Lying(SCHEMA.text.replace("One returned order line.", "An item."))) == 1


def test_resolve_sets_the_level_once_when_the_subject_is_new() -> None:
    """The level is set before the first version, and never again."""
    transport = _Lying()
    _resolve(transport, times=2)
    changes = [asked for asked in transport.asked if asked.startswith("PUT") or asked.endswith("/versions")]
    assert changes == [f"PUT /config/{SCHEMA.subject}", f"POST /subjects/{SCHEMA.subject}/versions"]


def test_resolve_leaves_the_level_when_the_subject_has_versions() -> None:
    """Who keeps a subject keeps its level: a new version of ours does not change it."""
    earlier = json.loads(SCHEMA.text)
    earlier["fields"] = [field for field in earlier["fields"] if field["name"] != "vendor"]

    async def run() -> str:
        transport = httpx2.ASGITransport(embedded_registry())
        async with RegistryClient(RegistrySettings(urls=("http://registry.test",)), transport=transport) as client:
            await client.set_compatibility_level(SCHEMA.subject, "BACKWARD")
            await client.register(SCHEMA.subject, json.dumps(earlier))
            await resolve_schema_id(client, SCHEMA, auto_register=True)
            return await client.compatibility_level(SCHEMA.subject)

    assert asyncio.run(run()) == "BACKWARD"


def test_resolve_raises_when_the_subject_holds_something_incompatible() -> None:
    """Auto-register does not force its way past the subject's level."""
    other: dict[str, Any] = {"type": "record", "name": "Rma", "fields": [{"name": "status", "type": "long"}]}

    async def run() -> None:
        transport = httpx2.ASGITransport(embedded_registry())
        async with RegistryClient(RegistrySettings(urls=("http://registry.test",)), transport=transport) as client:
            await client.register(SCHEMA.subject, json.dumps(other))
            await resolve_schema_id(client, SCHEMA, auto_register=True)

    with pytest.raises(SchemaIncompatible):
        asyncio.run(run())
