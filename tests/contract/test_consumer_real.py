"""The consumer's view keeps its contract on real Kafka and a real Schema Registry."""

import asyncio
from collections.abc import Callable

import pytest

from tests.conftest import RealKafka
from tests.contract.consumer_contract import FACTS, Fact, Stand


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_consumer_keeps_the_contract_on_real_servers(
    fact: Fact, real_kafka: RealKafka, real_registry_url: str, make_topic: Callable[..., str]
) -> None:
    """Every fact holds on real servers."""
    stand = Stand(real_kafka.bootstrap_servers, real_registry_url, make_topic(3), make_topic())
    asyncio.run(fact(stand))  # type: ignore[arg-type]
