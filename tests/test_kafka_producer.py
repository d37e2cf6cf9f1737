"""The producer when brokers answer with errors: what is retried, what fails, and what happens after a fatal one."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest
from confluent_kafka import KafkaError

from bridge.errors import BridgeError, DeliveryFailed, Overloaded, RecordRefused, TemporarilyUnavailable
from bridge.kafka.breaker import PROBE_SECONDS
from bridge.kafka.producer import KafkaProducer
from bridge.records import ProducerRecord, RecordMetadata
from tests.kafka_settings import SLOW, settings
from tests.mock_cluster import MockCluster, mock_cluster

TOPIC = "events"

T = TypeVar("T")


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster(TOPIC) as mock:
        yield mock


@pytest.mark.parametrize(
    "errors",
    [
        pytest.param([KafkaError.NOT_ENOUGH_REPLICAS] * 2, id="not enough replicas, twice"),
        pytest.param([KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND], id="not enough replicas after append"),
        pytest.param([KafkaError.NOT_LEADER_FOR_PARTITION] * 2, id="leader moved, twice"),
        pytest.param([KafkaError.REQUEST_TIMED_OUT], id="request timed out"),
        pytest.param([KafkaError.UNKNOWN_TOPIC_OR_PART], id="topic unknown for a moment"),
    ],
)
def test_send_when_the_broker_recovers(cluster: MockCluster, errors: list[int]) -> None:
    """The client tries again by itself, and the record is written."""

    async def use(producer: KafkaProducer) -> RecordMetadata:
        await send(producer)
        cluster.fail_next(errors)
        return await send(producer)

    assert run(cluster, use).topic == TOPIC


def test_send_when_the_broker_has_the_record_already(cluster: MockCluster) -> None:
    """A duplicate sequence number is a success whose offset is not known."""

    async def use(producer: KafkaProducer) -> RecordMetadata:
        await send(producer)
        cluster.fail_next([KafkaError.DUPLICATE_SEQUENCE_NUMBER])
        return await send(producer)

    metadata = run(cluster, use)
    assert (metadata.topic, metadata.partition) == (TOPIC, 0)


@pytest.mark.parametrize(
    ("code", "error", "reason"),
    [
        pytest.param(KafkaError.MSG_SIZE_TOO_LARGE, RecordRefused, "record_too_large", id="too large"),
        pytest.param(KafkaError.INVALID_RECORD, RecordRefused, "record_rejected", id="invalid record"),
        pytest.param(KafkaError.POLICY_VIOLATION, RecordRefused, "record_rejected", id="policy violation"),
        pytest.param(KafkaError.TOPIC_AUTHORIZATION_FAILED, DeliveryFailed, "not_authorized", id="not allowed"),
        pytest.param(KafkaError.THROTTLING_QUOTA_EXCEEDED, DeliveryFailed, "delivery_failed", id="throttled"),
        pytest.param(KafkaError.UNKNOWN, DeliveryFailed, "delivery_failed", id="unknown error"),
    ],
)
def test_send_when_the_broker_says_no(cluster: MockCluster, code: int, error: type[BridgeError], reason: str) -> None:
    """Only what can never be written is refused; the producer goes on working."""

    async def use(producer: KafkaProducer) -> BridgeError:
        await send(producer)
        cluster.fail_next([code])
        with pytest.raises(error) as failed:
            await send(producer)
        await eventually(lambda: send(producer))
        return failed.value

    assert run(cluster, use).code == reason


def test_send_when_a_fatal_error_ends_the_client(cluster: MockCluster, caplog: pytest.LogCaptureFixture) -> None:
    """What is in flight fails as temporary, the client is replaced, and the next record is written."""

    async def use(producer: KafkaProducer) -> list[RecordMetadata | BaseException]:
        await send(producer)
        cluster.fail_next([KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER])
        in_flight = await asyncio.gather(*(send(producer) for _ in range(5)), return_exceptions=True)
        async with asyncio.timeout(PROBE_SECONDS / 2):  # the circuit does not stay open after the client is new
            await eventually(lambda: send(producer))
        return in_flight

    in_flight = run(cluster, use)
    assert [type(answer) for answer in in_flight] == [DeliveryFailed] * 5
    assert "the producer failed and is replaced" in caplog.text


def test_send_when_a_fatal_error_follows_another(cluster: MockCluster) -> None:
    """A client is replaced as often as it fails, and no second poll thread appears."""

    async def use(producer: KafkaProducer) -> int:
        for _ in range(2):
            await eventually(lambda: send(producer))
            cluster.fail_next([KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER])
            with pytest.raises(TemporarilyUnavailable):
                await send(producer)
        await eventually(lambda: send(producer))
        return poll_threads()

    assert run(cluster, use) == 1


def test_send_when_the_queue_is_full(cluster: MockCluster) -> None:
    """One record more than the queue holds is refused at once as overload; those in the queue are written."""

    async def use(producer: KafkaProducer) -> list[RecordMetadata | BaseException]:
        cluster.set_round_trip_ms(300)
        return await asyncio.gather(*(send(producer) for _ in range(4)), return_exceptions=True)

    *queued, refused = run(cluster, use, **{"queue.buffering.max.messages": 3})
    assert isinstance(refused, Overloaded)
    assert [type(answer) for answer in queued] == [RecordMetadata] * 3


def test_send_when_all_brokers_are_down(cluster: MockCluster) -> None:
    """The sender hears at its deadline; once a broker is back the same producer writes again."""

    async def use(producer: KafkaProducer) -> str:
        await send(producer)
        cluster.set_down()
        with pytest.raises(DeliveryFailed) as failed:
            await send(producer, seconds=0.5)
        cluster.set_up()
        await eventually(lambda: send(producer))
        return failed.value.code

    assert run(cluster, use) == "delivery_timed_out"


def test_send_when_its_sender_gave_up(cluster: MockCluster, caplog: pytest.LogCaptureFixture) -> None:
    """A report for a sender that is gone disturbs nobody: the next one's arrives, and nothing went wrong."""

    async def use(producer: KafkaProducer) -> RecordMetadata:
        sending = asyncio.create_task(send(producer))
        await asyncio.sleep(0)
        sending.cancel()
        return await send(producer)

    assert run(cluster, use, **{"linger.ms": 100}).offset == 1
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_topics_when_no_broker_answers(cluster: MockCluster) -> None:
    """Asking for topics fails as temporary within its time."""

    async def use(producer: KafkaProducer) -> None:
        await producer.topics(5)
        cluster.set_down()
        with pytest.raises(TemporarilyUnavailable):
            await producer.topics(0.5)

    run(cluster, use)


def test_topics_when_a_broker_answers(cluster: MockCluster) -> None:
    """The topics come with their number of partitions."""
    assert run(cluster, lambda producer: producer.topics(5)) == {TOPIC: 1}


def test_close_when_kafka_is_away(cluster: MockCluster) -> None:
    """Closing gives up what cannot be flushed in time, tells how much, and its senders hear that it failed."""

    async def use(producer: KafkaProducer) -> tuple[int, list[type]]:
        await send(producer)
        cluster.set_down()
        sending = [asyncio.create_task(send(producer)) for _ in range(3)]
        await asyncio.sleep(0)
        unflushed = await producer.close(0.3)
        return unflushed, [type(answer) for answer in await asyncio.gather(*sending, return_exceptions=True)]

    assert run(cluster, use, **SLOW) == (3, [DeliveryFailed] * 3)


@pytest.mark.parametrize("attempt", range(4))
def test_close_when_the_client_fails_meanwhile(cluster: MockCluster, attempt: int) -> None:
    """Closing ends well whichever of it and the poll thread meets the fatal error, and the senders hear of it."""
    del attempt

    async def use(producer: KafkaProducer) -> tuple[list[type], int]:
        await send(producer)
        cluster.fail_next([KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER])
        sending = [asyncio.create_task(send(producer, seconds=2)) for _ in range(3)]
        await asyncio.sleep(0)
        await producer.close(2)
        return [type(answer) for answer in await asyncio.gather(*sending, return_exceptions=True)], poll_threads()

    assert run(cluster, use) == ([DeliveryFailed] * 3, 0)


def test_close_leaves_no_thread(cluster: MockCluster) -> None:
    """After closing, the poll thread is gone."""
    run(cluster, send)
    assert poll_threads() == 0


def test_poll_thread_when_a_callback_breaks(cluster: MockCluster, caplog: pytest.LogCaptureFixture) -> None:
    """An error that comes out of polling is logged, and reports go on arriving."""

    def broken(_statistics: str) -> None:
        raise ZeroDivisionError("broken")

    async def use(producer: KafkaProducer) -> RecordMetadata:
        await asyncio.sleep(0.3)
        return await send(producer)

    assert run(cluster, use, **{"statistics.interval.ms": 50, "stats_cb": broken}).topic == TOPIC
    assert "ZeroDivisionError: broken" in caplog.text


def test_client_errors_are_logged(cluster: MockCluster, caplog: pytest.LogCaptureFixture) -> None:
    """What the client says of lost brokers is in the log as a warning, with the error's name."""

    async def use(producer: KafkaProducer) -> None:
        await send(producer)
        cluster.set_down()
        with pytest.raises(DeliveryFailed):
            await send(producer, seconds=1.5)

    run(cluster, use)
    names = {getattr(record, "kafka_error", None) for record in caplog.records if record.levelno == logging.WARNING}
    assert "_ALL_BROKERS_DOWN" in names


def run(cluster: MockCluster, use: Callable[[KafkaProducer], Awaitable[T]], **overrides: object) -> T:
    async def opened() -> T:
        async with KafkaProducer(settings(cluster.bootstrap_servers, **overrides)) as producer:
            return await use(producer)

    return asyncio.run(asyncio.wait_for(opened(), 30))


async def send(producer: KafkaProducer, *, seconds: float = 9.0) -> RecordMetadata:
    deadline = asyncio.get_running_loop().time() + seconds
    return await producer.send(ProducerRecord(TOPIC, b"RMA-1", b"value", []), deadline)


async def eventually(action: Callable[[], Awaitable[T]]) -> T:
    """The action's result once it does not fail as temporary any more, as a sender would see who sends again."""
    async with asyncio.timeout(15):
        while True:
            try:
                return await action()
            except TemporarilyUnavailable:
                await asyncio.sleep(0.05)


def poll_threads() -> int:
    return sum(thread.name == "delivery-reports" for thread in threading.enumerate())
