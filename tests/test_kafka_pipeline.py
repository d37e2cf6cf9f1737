"""The pipeline over the real client: what each kind of broker error means for the sender."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import pytest
from confluent_kafka import KafkaError

from bridge.embedded.consumer import ConsumedRecord, read_all
from bridge.kafka.producer import KafkaProducer
from bridge.pipeline import Pipeline
from bridge.records import Outcome
from bridge.testing import DEAD_LETTER_TOPIC, TOPIC, FakeProducer, pipeline
from tests.kafka_settings import settings
from tests.mock_cluster import MockCluster, mock_cluster
from tests.samples import NOT_JSON, SAMPLE, verified

T = TypeVar("T")


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC) as mock:
        yield mock


@pytest.mark.parametrize(
    ("errors", "status", "reason"),
    [
        pytest.param([], "accepted", None, id="no error"),
        pytest.param([KafkaError.NOT_ENOUGH_REPLICAS] * 2, "accepted", None, id="not enough replicas, twice"),
        pytest.param([KafkaError.DUPLICATE_SEQUENCE_NUMBER], "accepted", None, id="it has it already"),
        pytest.param([KafkaError.MSG_SIZE_TOO_LARGE], "quarantined", "record_too_large", id="too large"),
        pytest.param([KafkaError.INVALID_RECORD], "quarantined", "record_rejected", id="invalid"),
        pytest.param([KafkaError.POLICY_VIOLATION], "quarantined", "record_rejected", id="policy"),
        pytest.param([KafkaError.TOPIC_AUTHORIZATION_FAILED], "unavailable", "not_authorized", id="not allowed"),
        pytest.param([KafkaError.THROTTLING_QUOTA_EXCEEDED], "unavailable", "delivery_failed", id="throttled"),
        pytest.param([KafkaError.INVALID_PRODUCER_EPOCH], "unavailable", "delivery_failed", id="producer epoch"),
        pytest.param([KafkaError.UNKNOWN], "unavailable", "delivery_failed", id="unknown error"),
    ],
)
def test_process_when_the_broker_answers(
    cluster: MockCluster, errors: list[int], status: str, reason: str | None
) -> None:
    """Only what can never be written is quarantined, and the sender hears of success only of what is stored."""

    async def use(pipeline: Pipeline) -> Outcome:
        await pipeline.process(verified(SAMPLE))
        cluster.fail_next(errors)
        return await pipeline.process(verified(SAMPLE))

    outcome = run(cluster, use)
    assert (outcome.status, outcome.reason) == (status, reason)
    letters = read(cluster, DEAD_LETTER_TOPIC)
    assert [letter.value for letter in letters] == ([SAMPLE] if status == "quarantined" else [])


def test_process_when_the_client_fails_for_good(cluster: MockCluster) -> None:
    """The event in flight is to be sent again; sent again, it is accepted by the client that came after."""

    async def use(pipeline: Pipeline) -> list[str]:
        await pipeline.process(verified(SAMPLE))
        cluster.fail_next([KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER])
        statuses: list[str] = [(await pipeline.process(verified(SAMPLE))).status]
        while statuses[-1] != "accepted":
            statuses.append((await pipeline.process(verified(SAMPLE))).status)
        return statuses

    first, *_, last = run(cluster, use)
    assert (first, last) == ("unavailable", "accepted")


def test_process_when_the_dead_letter_cannot_be_written_at_first(cluster: MockCluster) -> None:
    """The unusable event is to be sent again; sent again, it is quarantined, once."""

    async def use(pipeline: Pipeline) -> list[str]:
        await pipeline.process(verified(SAMPLE))
        cluster.fail_next([KafkaError.CLUSTER_AUTHORIZATION_FAILED])
        return [(await pipeline.process(verified(NOT_JSON))).status for _ in range(2)]

    assert run(cluster, use) == ["unavailable", "quarantined"]
    assert [letter.value for letter in read(cluster, DEAD_LETTER_TOPIC)] == [NOT_JSON]


def test_process_when_replicas_are_missing_for_long(cluster: MockCluster) -> None:
    """Within its budget the sender is told to send again; when the replicas are back, the event is accepted."""

    async def use(pipeline: Pipeline) -> tuple[Outcome, float, str]:
        await pipeline.process(verified(SAMPLE))
        cluster.fail_next([KafkaError.NOT_ENOUGH_REPLICAS] * 1_000)
        started = asyncio.get_running_loop().time()
        outcome = await pipeline.process(verified(SAMPLE))
        seconds = asyncio.get_running_loop().time() - started
        cluster.recover()
        return outcome, seconds, (await pipeline.process(verified(SAMPLE))).status

    outcome, seconds, later = run(cluster, use)
    assert (outcome.status, outcome.reason, later) == ("unavailable", "delivery_timed_out", "accepted")
    assert 7 < seconds < 9.5


def run(cluster: MockCluster, use: Callable[[Pipeline], Awaitable[T]]) -> T:
    async def opened() -> T:
        async with KafkaProducer(settings(cluster.bootstrap_servers)) as producer:
            return await use(replace(pipeline(FakeProducer()), producer=producer))

    return asyncio.run(asyncio.wait_for(opened(), 40))


def read(cluster: MockCluster, topic: str) -> list[ConsumedRecord]:
    return read_all(cluster.bootstrap_servers, [topic], "http://127.0.0.1:1", at_least={}, timeout_seconds=10)
