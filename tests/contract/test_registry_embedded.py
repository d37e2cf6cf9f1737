"""The embedded registry keeps the registry contract."""

import asyncio

import httpx2
import pytest

from bridge.avro.registry import RegistryClient, RegistrySettings
from bridge.embedded.registry import embedded_registry
from tests.contract.registry_contract import EVOLUTIONS, FACTS, Evolution, Fact


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_embedded_registry_keeps_the_contract(fact: Fact) -> None:
    """Every fact holds on the embedded registry."""
    asyncio.run(_run(fact))


@pytest.mark.parametrize("evolution", EVOLUTIONS, ids=lambda evolution: evolution.name)
def test_embedded_registry_judges_compatibility_as_stated(evolution: Evolution) -> None:
    """The embedded registry takes exactly the schemas that may follow."""
    asyncio.run(_run(evolution))


async def _run(fact: Fact) -> None:
    settings = RegistrySettings(urls=("http://registry.test",))
    transport = httpx2.ASGITransport(embedded_registry())
    async with RegistryClient(settings, transport=transport) as client:
        await fact(client, "contract-value")
