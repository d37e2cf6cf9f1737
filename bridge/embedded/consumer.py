"""The consumer's view: what any consumer reads who knows nothing but the brokers and the registry."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from bridge.avro.converter import decode
from bridge.errors import RegistryRefused, RegistryUnreachable, TemporarilyUnavailable

_AVRO: Final = ("content-type", b"application/avro")
_DEAD_LETTER_HEADER: Final = "error-code"
_REQUEST_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.2


class ConsumedRecord(NamedTuple):
    """A record as it was read. `value` is decoded where its headers say Avro, else the bytes as they are."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: list[tuple[str, bytes | None]]
    value: Any


def read_all(
    bootstrap_servers: str,
    topics: Sequence[str],
    schema_registry_url: str,
    *,
    at_least: Mapping[str, int],
    timeout_seconds: float,
) -> list[ConsumedRecord]:
    """Return every committed record of the topics, partition by partition in order, once each has `at_least` so many.

    Blocks. Raises TemporarilyUnavailable where brokers, topics or records are not there in time, RegistryError where
    the registry does not tell a schema, and ConversionFailed where a record is not what its schema says.
    """
    deadline = time.monotonic() + timeout_seconds
    settings = {
        "bootstrap.servers": bootstrap_servers,
        "group.id": "rma-bridge-consumer-view",  # required, though partitions are assigned by hand and none committed
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "log_level": 3,
    }
    consumer = Consumer(settings)
    try:
        messages = _messages(consumer, _partitions(consumer, topics, deadline), at_least, deadline)
    finally:
        consumer.close()
    schema_for_id = _registry(schema_registry_url)
    return sorted((_record(message, schema_for_id) for message in messages), key=lambda record: record[:3])


def _partitions(consumer: Consumer, topics: Sequence[str], deadline: float) -> list[TopicPartition]:
    """Return the topics' partitions. All topics are listed: asking for one by name may create it."""
    try:
        listed = consumer.list_topics(timeout=max(deadline - time.monotonic(), 0.1)).topics
    except KafkaException as exc:
        raise TemporarilyUnavailable(f"no broker answers: {exc.args[0].str()}") from exc
    missing = [topic for topic in topics if topic not in listed]
    if missing:
        raise TemporarilyUnavailable(f"no such topic: {', '.join(missing)}", code="topic_missing")
    return [TopicPartition(topic, number, OFFSET_BEGINNING) for topic in topics for number in listed[topic].partitions]


def _messages(
    consumer: Consumer, partitions: Sequence[TopicPartition], at_least: Mapping[str, int], deadline: float
) -> list[Message]:
    """Read until every partition's end was seen and there are enough messages of each topic."""
    consumer.assign(list(partitions))
    unread = {(partition.topic, partition.partition) for partition in partitions}
    messages: list[Message] = []
    while unread or _missing(messages, at_least):
        if time.monotonic() > deadline:
            raise TemporarilyUnavailable(f"not there in time: {_missing(messages, at_least) or 'the topics end'}")
        message = consumer.poll(_POLL_SECONDS)
        if message is None:
            continue
        error = message.error()
        if error is None:
            messages.append(message)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001, the client's public names start with an underscore
            unread.discard((message.topic(), message.partition()))
    return messages


def _missing(messages: Sequence[Message], at_least: Mapping[str, int]) -> str:
    counts = Counter(message.topic() for message in messages)
    short = {topic: count for topic, count in at_least.items() if counts[topic] < count}
    return ", ".join(f"{counts[topic]} of {count} records in {topic}" for topic, count in short.items())


def _record(message: Message, schema_for_id: Callable[[int], str]) -> ConsumedRecord:
    headers: Any = message.headers() or []
    value: Any = message.value()
    if value is not None and _AVRO in headers and all(name != _DEAD_LETTER_HEADER for name, _ in headers):
        value = decode(value, schema_for_id)
    topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
    return ConsumedRecord(topic, partition, offset, _bytes(message.key()), headers, value)


def _bytes(key: str | bytes | None) -> bytes | None:
    return key.encode() if isinstance(key, str) else key


def _registry(url: str) -> Callable[[int], str]:
    """Return what asks the registry for a schema's text by its id, once for each id."""
    opener = build_opener(ProxyHandler({}))

    @cache
    def schema_for_id(schema_id: int) -> str:
        try:
            with opener.open(f"{url.rstrip('/')}/schemas/ids/{schema_id}", timeout=_REQUEST_SECONDS) as response:
                text: str = json.load(response)["schema"]
        except HTTPError as exc:
            exc.close()
            raise RegistryRefused(f"the registry answered {exc.code} for schema id {schema_id}") from exc
        except (URLError, OSError, ValueError, KeyError) as exc:
            raise RegistryUnreachable(f"the registry does not tell schema id {schema_id}") from exc
        return text

    return schema_for_id
