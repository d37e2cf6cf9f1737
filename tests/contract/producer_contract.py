"""What the pipeline expects of any producer, as facts to be run on the fake, the embedded broker and real Kafka."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from bridge.errors import DeliveryFailed, NotReady, RecordRefused, TemporarilyUnavailable
from bridge.kafka.producer import MAX_RECORD_BYTES
from bridge.records import ProducerRecord, RecordMetadata
from bridge.worker import ManagedProducer
from tests.java import murmur2, to_positive

PARTITIONS: Final = 4
HEADERS: Final = [("ce_id", b"1"), ("ce_id", b"2"), ("empty", b""), ("bytes", bytes(range(256)))]
SAMPLE_KEYS: Final = ["RMA-1", "RMA-2", "RMA-3", "RMA-4", "R", "RM", "RMA", "Ünïcode-鍵", "x" * 1_000]


class ListingProducer(ManagedProducer, Protocol):
    """A producer that can also say which topics there are."""

    async def topics(self, timeout_seconds: float) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class Subject:
    """A producer under test and its topic of PARTITIONS partitions; `stored` reads all of the topic back."""

    producer: ListingProducer
    topic: str
    stored: Callable[[], Awaitable[Sequence[tuple[ProducerRecord, RecordMetadata]]]]

    async def send(self, key: str = "RMA-1", value: bytes = b"value", *, seconds: float = 9.0) -> RecordMetadata:
        return await self.producer.send(ProducerRecord(self.topic, key.encode(), value, list(HEADERS)), _in(seconds))


Fact = Callable[[Subject], Awaitable[None]]


async def tells_where_the_record_is(subject: Subject) -> None:
    """The metadata are the place where a consumer finds the record; one key's offsets grow."""
    first = await subject.send(value=b"first")
    second = await subject.send(value=b"second")
    found = {metadata: record.value for record, metadata in await subject.stored()}
    assert (found[first], found[second]) == (b"first", b"second")
    assert (first.partition, first.offset) < (second.partition, second.offset)


async def keeps_every_byte(subject: Subject) -> None:
    """Key, value and headers come back as they went in, in order, repeated and empty ones too."""
    value = bytes(range(256)) * 64
    await subject.send("Ünïcode-鍵", value)
    [(record, _)] = await subject.stored()
    assert record == ProducerRecord(subject.topic, "Ünïcode-鍵".encode(), value, HEADERS)


async def places_as_java_does(subject: Subject) -> None:
    """Each key is on the partition where Java's default partitioner puts it."""
    placed = {key: (await subject.send(key)).partition for key in SAMPLE_KEYS}
    assert placed == {key: to_positive(murmur2(key.encode())) % PARTITIONS for key in SAMPLE_KEYS}


async def answers_each_of_many(subject: Subject) -> None:
    """A hundred at once are answered each with a place of its own, and each is there once."""
    placed = await asyncio.gather(*(subject.send(f"RMA-{n}", b"%d" % n) for n in range(100)))
    found = {metadata: record.value for record, metadata in await subject.stored()}
    assert found == {metadata: b"%d" % n for n, metadata in enumerate(placed)}
    assert len(found) == 100


async def takes_a_record_of_the_greatest_size(subject: Subject) -> None:
    """Key, value and headers of exactly the limit are written."""
    await subject.send("key", bytes(_room_for_value("key")))
    [(record, _)] = await subject.stored()
    assert len(record.value) == _room_for_value("key")


async def refuses_a_byte_more(subject: Subject) -> None:
    """One byte more than the limit can never be written, and is not."""
    with pytest.raises(RecordRefused) as refused:
        await subject.send("key", bytes(_room_for_value("key") + 1))
    assert refused.value.code == "record_too_large"
    assert await subject.stored() == []


async def may_be_closed_twice(subject: Subject) -> None:
    """Closing what is closed gives nothing up."""
    assert (await subject.producer.close(1), await subject.producer.close(1)) == (0, 0)


async def takes_nothing_after_close(subject: Subject) -> None:
    """A send after close is refused at once as not ready."""
    await subject.producer.close(1)
    with pytest.raises(NotReady):
        await asyncio.wait_for(subject.send(), 1)
    assert await subject.stored() == []


async def keeps_to_the_deadline(subject: Subject) -> None:
    """Without a report by the deadline the sender hears so then, not later."""
    with pytest.raises(DeliveryFailed) as failed:
        await asyncio.wait_for(subject.send(seconds=0.1), 0.9)
    assert failed.value.code == "delivery_timed_out"


async def tells_what_it_gave_up(subject: Subject) -> None:
    """Closing without time to flush returns how many records it gave up; their senders hear that it failed."""
    sending = [asyncio.create_task(subject.send()) for _ in range(3)]
    await asyncio.sleep(0)
    assert await subject.producer.close(0) == 3
    answers = await asyncio.gather(*sending, return_exceptions=True)
    assert [type(answer) for answer in answers] == [DeliveryFailed] * 3


async def flushes_at_close(subject: Subject) -> None:
    """Closing with time to flush writes what is queued, and its sender hears where it is."""
    sending = asyncio.create_task(subject.send())
    await asyncio.sleep(0)
    assert await subject.producer.close(8) == 0
    [(_, metadata)] = await subject.stored()
    assert await sending == metadata


async def creates_no_topic(subject: Subject) -> None:
    """A record for a topic that is not there is not written, and the topic is not there afterwards either."""
    unknown = ProducerRecord(f"{subject.topic}.unknown", b"key", b"value", [])
    with pytest.raises(TemporarilyUnavailable):
        await subject.producer.send(unknown, _in(1.0))
    assert unknown.topic not in await subject.producer.topics(5.0)


FACTS: Final[tuple[Fact, ...]] = (
    tells_where_the_record_is,
    keeps_every_byte,
    places_as_java_does,
    answers_each_of_many,
    takes_a_record_of_the_greatest_size,
    refuses_a_byte_more,
    may_be_closed_twice,
    takes_nothing_after_close,
)
# For a producer whose reports do not come by themselves for a second at least.
FACTS_WITHOUT_REPORTS: Final[tuple[Fact, ...]] = (keeps_to_the_deadline, tells_what_it_gave_up, flushes_at_close)
# librdkafka's mock cluster creates whatever it is asked for.
FACTS_OF_FIXED_TOPICS: Final[tuple[Fact, ...]] = (creates_no_topic,)


async def read_back(bootstrap_servers: str, topic: str) -> list[tuple[ProducerRecord, RecordMetadata]]:
    """Return what a plain consumer finds in the topic; it knows nothing of the bridge."""
    return await asyncio.to_thread(_read_back, bootstrap_servers, topic)


def _read_back(bootstrap_servers: str, topic: str) -> list[tuple[ProducerRecord, RecordMetadata]]:
    settings = {"bootstrap.servers": bootstrap_servers, "group.id": "contract", "enable.partition.eof": True}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
        return [_record(message) for message in _until_the_end(consumer)]
    finally:
        consumer.close()


def _until_the_end(consumer: Consumer) -> list[Message]:
    messages: list[Message] = []
    ended: set[int | None] = set()
    while len(ended) < PARTITIONS:
        message = consumer.poll(15)
        assert message is not None, "the broker does not answer the reader"
        error = message.error()
        if error is None:
            messages.append(message)
        elif error.code() == KafkaError._PARTITION_EOF:
            ended.add(message.partition())
    return messages


def _record(message: Message) -> tuple[ProducerRecord, RecordMetadata]:
    topic: str = message.topic()  # type: ignore[assignment]
    record = ProducerRecord(topic, message.key(), message.value(), message.headers())  # type: ignore[arg-type]
    return record, RecordMetadata(topic, message.partition() or 0, message.offset())


def _room_for_value(key: str) -> int:
    return MAX_RECORD_BYTES - len(key.encode()) - sum(len(name) + len(value) for name, value in HEADERS)


def _in(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds
