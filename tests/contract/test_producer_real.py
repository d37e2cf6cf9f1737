"""KafkaProducer keeps the producer contract on real Kafka, as on the embedded broker."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from bridge.kafka.producer import KafkaProducer
from tests.conftest import RealKafka
from tests.contract.producer_contract import (
    FACTS,
    FACTS_OF_FIXED_TOPICS,
    FACTS_WITHOUT_REPORTS,
    PARTITIONS,
    Fact,
    Subject,
    read_back,
)
from tests.kafka_settings import SLOW, settings


@pytest.mark.parametrize("fact", [*FACTS, *FACTS_OF_FIXED_TOPICS], ids=lambda fact: fact.__name__)
def test_producer_keeps_the_contract_on_real_kafka(
    fact: Fact, real_kafka: RealKafka, make_topic: Callable[..., str]
) -> None:
    """Every fact holds on real Kafka."""
    asyncio.run(_run(fact, real_kafka.bootstrap_servers, make_topic(PARTITIONS)))


@pytest.mark.parametrize("fact", FACTS_WITHOUT_REPORTS, ids=lambda fact: fact.__name__)
def test_producer_keeps_the_contract_on_real_kafka_when_it_lingers(
    fact: Fact, real_kafka: RealKafka, make_topic: Callable[..., str]
) -> None:
    """Every fact about missing reports holds on real Kafka."""
    asyncio.run(_run(fact, real_kafka.bootstrap_servers, make_topic(PARTITIONS), **SLOW))


async def _run(fact: Fact, bootstrap_servers: str, topic: str, **overrides: object) -> None:
    async with KafkaProducer(settings(bootstrap_servers, **overrides)) as producer:
        await fact(Subject(producer, topic, partial(read_back, bootstrap_servers, topic)))
