"""The oracle: it knows every event that was sent and every answer, and judges what the topics hold.

It reads with a plain consumer and with fastavro, and shares no code with the bridge.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any, Final, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from fastavro import parse_schema, schemaless_reader

from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.samples import SAMPLE

READ_SECONDS: Final = 30.0
_AVRO_FRAME_BYTES: Final = 5
_OWN_FIELDS: Final = ("webhook", "additional_fields")
_TIMES: Final = ("created_at", "updated_at")


class Stored(NamedTuple):
    """A record as it lies in a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]

    @property
    def size(self) -> int:
        return len(self.key) + len(self.value) + sum(len(name) + len(value) for name, value in self.headers)


@dataclass
class Entry:
    """One event, and what its sender heard: the topics that a 200 told of, and how often it heard none."""

    identifier: str
    document: dict[str, Any]
    body: bytes
    confirmed_in: set[str] = field(default_factory=set)
    unknown: int = 0

    def answered(self, status: int, body: bytes) -> None:
        if status == 200:
            accepted = json.loads(body)["status"] == "accepted"
            self.confirmed_in.add(TOPIC if accepted else DEAD_LETTER_TOPIC)
        else:
            self.unknown += 1


@dataclass(frozen=True)
class Verdict:
    """Identifiers of events, but for `invented`, which are records of no event.

    `order` has for each key the events of its records as they lie in the main topic.
    """

    records: int
    lost: list[str]
    invented: list[Stored]
    corrupted: list[str]
    duplicates: int
    unexplained: list[str]
    order: dict[bytes, list[str]]

    def assert_kept(self) -> None:
        """Nothing confirmed is missing, nothing is there that was not sent, and copies have a reason."""
        assert (self.lost, self.invented, self.corrupted, self.unexplained) == ([], [], [], [])


class Ledger:
    """Issues events and judges records. The event's own id stands in `concept`."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._sample = json.loads(SAMPLE)

    def issue(self, *, valid: bool = True, **fields: Any) -> Entry:
        """A new event; by default it has a key of its own. One that is not valid lacks its status."""
        identifier = f"event-{len(self.entries)}"
        document = self._sample | {"rma_identifier": identifier} | fields | {"concept": identifier}
        if not valid:
            del document["status"]
        entry = self.entries[identifier] = Entry(identifier, document, json.dumps(document).encode())
        return entry

    @property
    def confirmed(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if entry.confirmed_in]

    def judge(self, records: Sequence[Stored], schema: str) -> Verdict:
        """The run is void where the broker has forgotten the start of a partition."""
        _assert_whole(records)
        copies: defaultdict[tuple[str, str], int] = defaultdict(int)
        invented, corrupted = [], []
        order: defaultdict[bytes, list[str]] = defaultdict(list)
        reader = parse_schema(json.loads(schema))
        for record in records:
            value = _value(record, reader)
            entry = self.entries.get(value.get("concept", ""))
            if entry is None:
                invented.append(record)
                continue
            copies[entry.identifier, record.topic] += 1
            if record.topic == TOPIC:
                order[record.key].append(entry.identifier)
            if value != (entry.document if record.topic == DEAD_LETTER_TOPIC else _expected(entry.document)):
                corrupted.append(entry.identifier)
        return Verdict(
            records=len(records),
            lost=[e.identifier for e in self.confirmed for topic in e.confirmed_in if not copies[e.identifier, topic]],
            invented=invented,
            corrupted=corrupted,
            duplicates=sum(count - 1 for count in copies.values() if count > 1),
            unexplained=[
                identifier for (identifier, _), count in copies.items() if count > 1 + self.entries[identifier].unknown
            ],
            order=order,
        )


def read(bootstrap_servers: str, *topics: str) -> list[Stored]:
    """All records of the topics, partition by partition in order. Blocks."""
    settings = {"bootstrap.servers": bootstrap_servers, "group.id": "ledger", "enable.partition.eof": True}
    consumer = Consumer(settings | {"enable.auto.commit": False, "log_level": 3})
    try:
        return sorted(_read(consumer, topics), key=lambda record: record[:3])
    finally:
        consumer.close()


def _read(consumer: Consumer, topics: Sequence[str]) -> Iterable[Stored]:
    listed = consumer.list_topics(timeout=10).topics
    unread = {(topic, partition) for topic in topics for partition in listed[topic].partitions}
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in unread])
    deadline = time.monotonic() + READ_SECONDS
    while unread:
        assert time.monotonic() < deadline, f"the ends of {unread} were not reached"
        for message in consumer.consume(1_000, 0.2):
            error, raw = message.error(), message
            if error is None:
                yield _stored(raw)
            elif error.code() == KafkaError._PARTITION_EOF:
                unread.discard((message.topic(), message.partition()))


def _stored(message: Any) -> Stored:
    place = message.topic(), message.partition(), message.offset()
    return Stored(*place, message.key(), message.value(), message.headers() or [])


def _assert_whole(records: Sequence[Stored]) -> None:
    first: dict[tuple[str, int], int] = {}
    for record in records:
        first.setdefault((record.topic, record.partition), record.offset)
    forgotten = {place: offset for place, offset in first.items() if offset > 0}
    assert not forgotten, f"void: the broker has forgotten records: {forgotten}"


def _value(record: Stored, reader: Any) -> dict[str, Any]:
    value: Any
    if record.topic == DEAD_LETTER_TOPIC:
        value = json.loads(record.value)
    else:
        value = schemaless_reader(BytesIO(record.value[_AVRO_FRAME_BYTES:]), reader, None)
        value = _without_nulls({name: each for name, each in value.items() if name not in _OWN_FIELDS})
    return dict(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _expected(document: dict[str, Any]) -> dict[str, Any]:
    return document | {name: datetime.fromisoformat(document[name]) for name in _TIMES}
