"""The consumer's view keeps its contract on the embedded broker and registry."""

import asyncio

import pytest

from bridge.embedded.stack import embedded_stack
from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.contract.consumer_contract import FACTS, Fact, Stand


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_consumer_keeps_the_contract_on_embedded_parts(fact: Fact) -> None:
    """Every fact holds on the embedded parts."""
    asyncio.run(_run(fact))


async def _run(fact: Fact) -> None:
    async with embedded_stack([TOPIC, DEAD_LETTER_TOPIC]) as addresses:
        await fact(Stand(*addresses, TOPIC, DEAD_LETTER_TOPIC))
