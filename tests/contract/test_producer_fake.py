"""The fake producer keeps the producer contract."""

import asyncio

import pytest

from bridge.testing import FakeProducer, Reports, StoredRecord
from tests.contract.producer_contract import (
    FACTS,
    FACTS_OF_FIXED_TOPICS,
    FACTS_WITHOUT_REPORTS,
    PARTITIONS,
    Fact,
    Subject,
)


@pytest.mark.parametrize("fact", [*FACTS, *FACTS_OF_FIXED_TOPICS], ids=lambda fact: fact.__name__)
def test_fake_producer_keeps_the_contract(fact: Fact) -> None:
    """Every fact holds on the fake."""
    asyncio.run(_run(fact, "prompt"))


@pytest.mark.parametrize("fact", FACTS_WITHOUT_REPORTS, ids=lambda fact: fact.__name__)
def test_fake_producer_keeps_the_contract_when_reports_are_held(fact: Fact) -> None:
    """Every fact about missing reports holds on the fake."""
    asyncio.run(_run(fact, "held"))


async def _run(fact: Fact, reports: Reports) -> None:
    async with FakeProducer({"contract": PARTITIONS}, reports=reports) as producer:

        async def stored() -> list[StoredRecord]:
            return producer.stored

        await fact(Subject(producer, "contract", stored))
