"""A producer that looks after itself: dead threads, failed clients, closed circuits, new credentials."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
from confluent_kafka import KafkaError, Producer

from bridge.errors import BridgeError, DeliveryFailed, RecordRefused
from bridge.kafka.breaker import FAILURES_TO_OPEN, PROBE_SECONDS
from bridge.kafka.producer import WATCH_SECONDS, KafkaProducer
from bridge.records import ProducerRecord, RecordMetadata
from tests.kafka_settings import settings
from tests.mock_cluster import MockCluster, mock_cluster

TOPIC, OTHER = "events", "dead-letters"
T = TypeVar("T")


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster(TOPIC, OTHER) as mock:
        yield mock


class FatefulClient:
    """A real client whose next polls end as the test wants."""

    def __init__(self, properties: dict[str, Any], fates: list[BaseException]) -> None:
        self._client = Producer(properties)
        self._fates = fates

    def poll(self, seconds: float) -> int:
        if self._fates:
            raise self._fates.pop(0)
        return self._client.poll(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def __len__(self) -> int:
        return len(self._client)


def run(
    cluster: MockCluster, use: Callable[[KafkaProducer], Awaitable[T]], fates: list[BaseException] | None = None
) -> T:
    async def opened() -> T:
        make: Any = lambda properties: FatefulClient(properties, fates if fates is not None else [])  # noqa: E731
        async with KafkaProducer(settings(cluster.bootstrap_servers), make) as producer:
            return await use(producer)

    return asyncio.run(asyncio.wait_for(opened(), 60))


async def send(producer: KafkaProducer, topic: str = TOPIC, seconds: float = 9.0) -> RecordMetadata:
    deadline = asyncio.get_running_loop().time() + seconds
    return await producer.send(ProducerRecord(topic, b"RMA-1", b"value", []), deadline)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_poll_thread_when_it_dies(cluster: MockCluster, caplog: pytest.LogCaptureFixture) -> None:
    """A watchdog starts it again within two seconds, and the report that waited arrives."""
    fates: list[BaseException] = []

    async def use(producer: KafkaProducer) -> float:
        await send(producer)
        fates.append(SystemExit())
        await asyncio.sleep(0.3)
        started = time.monotonic()
        await send(producer)
        return time.monotonic() - started

    assert run(cluster, use, fates) <= WATCH_SECONDS + 1.0
    assert "the poll thread had died" in caplog.text


def test_send_when_three_in_a_row_failed(cluster: MockCluster) -> None:
    """Further requests are turned away at once, in the topic that fails and in no other."""

    async def use(producer: KafkaProducer) -> None:
        await send(producer)
        await send(producer, OTHER)
        for _ in range(FAILURES_TO_OPEN):
            cluster.fail_next([KafkaError.THROTTLING_QUOTA_EXCEEDED])
            with pytest.raises(DeliveryFailed):
                await send(producer)
        assert producer.open_circuits == [TOPIC]
        started = time.monotonic()
        for _ in range(100):
            with pytest.raises(DeliveryFailed) as refused:
                await send(producer)
            assert refused.value.code == "circuit_open"
        assert time.monotonic() - started < 0.5
        await send(producer, OTHER)

    run(cluster, use)


def test_send_when_all_brokers_go_away_and_return(cluster: MockCluster) -> None:
    """Two seconds after the client's word the rest is turned away at once; a probe after the return heals."""

    async def use(producer: KafkaProducer) -> float:
        await send(producer)
        cluster.set_down()
        waiting = asyncio.create_task(send(producer, seconds=30))
        while not producer.open_circuits:
            await asyncio.sleep(0.1)
            probe = asyncio.create_task(send(producer, seconds=0.05))
            await asyncio.wait({probe})
            assert probe.exception() is not None
        assert not waiting.done()
        cluster.set_up()
        started = time.monotonic()
        await asyncio.wait({waiting})
        await send(producer)
        return time.monotonic() - started

    assert run(cluster, use) <= 15


def test_send_when_the_circuit_is_open(cluster: MockCluster) -> None:
    """After five seconds one request goes through as a probe, and its delivery closes the circuit for all."""

    async def use(producer: KafkaProducer) -> float:
        await send(producer)
        for _ in range(FAILURES_TO_OPEN):
            cluster.fail_next([KafkaError.THROTTLING_QUOTA_EXCEEDED])
            with pytest.raises(DeliveryFailed):
                await send(producer)
        started = time.monotonic()
        while producer.open_circuits:
            await asyncio.gather(*(send(producer) for _ in range(5)), return_exceptions=True)
            await asyncio.sleep(0.1)
        return time.monotonic() - started

    assert run(cluster, use) == pytest.approx(PROBE_SECONDS, abs=1.5)


@pytest.mark.parametrize(
    ("code", "error"),
    [(KafkaError.MSG_SIZE_TOO_LARGE, RecordRefused), (KafkaError.INVALID_RECORD, RecordRefused)],
    ids=["too large", "invalid"],
)
def test_circuit_when_records_are_refused(cluster: MockCluster, code: int, error: type[BridgeError]) -> None:
    """A broker that says no to a record is there: any number of bad records leaves the circuit closed."""

    async def use(producer: KafkaProducer) -> None:
        await send(producer)
        for _ in range(FAILURES_TO_OPEN + 2):
            cluster.fail_next([code])
            with pytest.raises(error):
                await send(producer)
        assert producer.open_circuits == []

    run(cluster, use)


def test_replace_when_records_are_in_flight(cluster: MockCluster) -> None:
    """New credentials lose nothing: what the former client holds is delivered, what comes after goes by the new one."""

    async def use(producer: KafkaProducer) -> None:
        cluster.set_round_trip_ms(300)
        fresh = settings(cluster.bootstrap_servers, **{"client.id": "rotated", "sasl.username": "rotated"})
        waiting = [asyncio.create_task(send(producer)) for _ in range(50)]
        await asyncio.sleep(0)
        await asyncio.gather(
            producer.replace(fresh),
            *(send(producer) for _ in range(50)),
            *waiting,
        )
        await send(producer)
        assert producer.login["sasl.username"] == "rotated"

    run(cluster, use)


def test_replace_when_the_settings_are_no_good(cluster: MockCluster) -> None:
    """Settings that the client refuses change nothing."""

    async def use(producer: KafkaProducer) -> None:
        await send(producer)
        with pytest.raises(DeliveryFailed):
            await producer.replace(settings(cluster.bootstrap_servers, **{"no.such.property": "1"}))
        await send(producer)

    run(cluster, use)
