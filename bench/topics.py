"""The topics of a run: made alike for both services, read to the end afterwards, and removed."""

import contextlib
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bridge.avro.converter import decode
from bridge.avro.schemas import load_schema

PARTITIONS: Final = 6
_DEAD_LETTER_PARTITIONS: Final = 3
_ADMIN_SECONDS: Final = 30
_BATCH: Final = 5_000
_DECODE_EVERY: Final = 500


@dataclass(frozen=True)
class Content:
    """What a topic held: how often each key was there, and how many records were decoded and found right."""

    keys: Counter[str]
    decoded: int


@contextlib.contextmanager
def topic(bootstrap_servers: str) -> Iterator[str]:
    """Make a topic and its dead letter topic for the length of the block."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 3})
    name = f"bench.{uuid.uuid4().hex[:12]}"
    new = [NewTopic(name, PARTITIONS, 1), NewTopic(f"{name}.dlq", _DEAD_LETTER_PARTITIONS, 1)]
    for future in admin.create_topics(new).values():
        future.result(_ADMIN_SECONDS)
    try:
        yield name
    finally:
        for future in admin.delete_topics([each.topic for each in new]).values():
            future.result(_ADMIN_SECONDS)


def read(bootstrap_servers: str, name: str) -> Content:
    """Return all that the topic holds now. Raises RuntimeError where a sampled record is not the event of its key."""
    settings = {"bootstrap.servers": bootstrap_servers, "group.id": name, "enable.auto.commit": False, "log_level": 3}
    consumer = Consumer({**settings, "auto.offset.reset": "earliest", "enable.partition.eof": False})
    keys: Counter[str] = Counter()
    decoded = 0
    try:
        expected = _assign_all(consumer, name)
        while (count := keys.total()) < expected:
            messages = consumer.consume(_BATCH, timeout=10)
            if not messages:
                raise RuntimeError(f"{name} has {expected} records, but only {count} could be read")
            keys.update(_key(message) for message in messages)
            decoded += sum(_check(message) for message in messages[::_DECODE_EVERY])
    finally:
        consumer.close()
    return Content(keys, decoded)


def _assign_all(consumer: Consumer, name: str) -> int:
    partitions = [TopicPartition(name, number, 0) for number in range(PARTITIONS)]
    watermarks = [consumer.get_watermark_offsets(partition, timeout=10) for partition in partitions]
    consumer.assign(partitions)
    return sum(high - low for low, high in watermarks)


def _key(message: Message) -> str:
    error = message.error()
    if error is not None:
        raise RuntimeError(f"reading failed: {error}")
    key: Any = message.key()
    return str(key, "utf-8")


def _check(message: Message) -> bool:
    payload: Any = message.value()
    value = decode(payload, lambda _: load_schema("returns.rma.v1-value").text)
    if value["rma_identifier"] != _key(message):
        raise RuntimeError("a record's value is not the event of its key")
    return True
