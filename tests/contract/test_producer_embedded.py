"""KafkaProducer keeps the producer contract on the embedded broker."""

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest

from bridge.embedded.broker import EmbeddedBroker
from bridge.kafka.producer import KafkaProducer
from tests.contract.producer_contract import FACTS, FACTS_WITHOUT_REPORTS, Fact, Subject, read_back
from tests.kafka_settings import SLOW, settings

TOPIC = "contract"


@pytest.fixture
def bootstrap_servers() -> Iterator[str]:
    with EmbeddedBroker([TOPIC]) as broker:
        yield broker.bootstrap_servers


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_producer_keeps_the_contract_on_the_embedded_broker(fact: Fact, bootstrap_servers: str) -> None:
    """Every fact holds on the embedded broker."""
    asyncio.run(_run(fact, bootstrap_servers))


@pytest.mark.parametrize("fact", FACTS_WITHOUT_REPORTS, ids=lambda fact: fact.__name__)
def test_producer_keeps_the_contract_on_the_embedded_broker_when_it_lingers(fact: Fact, bootstrap_servers: str) -> None:
    """Every fact about missing reports holds on the embedded broker."""
    asyncio.run(_run(fact, bootstrap_servers, **SLOW))


async def _run(fact: Fact, bootstrap_servers: str, **overrides: object) -> None:
    async with KafkaProducer(settings(bootstrap_servers, **overrides)) as producer:
        await fact(Subject(producer, TOPIC, partial(read_back, bootstrap_servers, TOPIC)))
