"""A real Schema Registry keeps the registry contract: what the embedded one promises is true of the real thing."""

import asyncio
import uuid

import pytest

from bridge.avro.registry import RegistryClient, RegistrySettings
from tests.contract.registry_contract import EVOLUTIONS, FACTS, Evolution, Fact


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_real_registry_keeps_the_contract(fact: Fact, real_registry_url: str) -> None:
    """Every fact holds on the real registry."""
    asyncio.run(_run(fact, real_registry_url))


@pytest.mark.parametrize("evolution", EVOLUTIONS, ids=lambda evolution: evolution.name)
def test_real_registry_judges_compatibility_as_stated(evolution: Evolution, real_registry_url: str) -> None:
    """The real registry takes exactly the schemas that may follow."""
    asyncio.run(_run(evolution, real_registry_url))


async def _run(fact: Fact, url: str) -> None:
    async with RegistryClient(RegistrySettings(urls=(url,), timeout_seconds=20)) as client:
        await fact(client, f"contract-{uuid.uuid4().hex}-value")
