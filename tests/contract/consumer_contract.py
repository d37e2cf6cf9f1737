"""What a consumer sees of the bridge's work, as facts to be run on the embedded parts and on real servers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pytest

from bridge.avro.converter import AvroConverter
from bridge.avro.registry import RegistryClient, RegistrySettings
from bridge.avro.schemas import load_schema
from bridge.avro.subject import resolve_schema_id
from bridge.embedded.consumer import ConsumedRecord, read_all
from bridge.errors import ConversionFailed, RegistryError, RegistryUnreachable, TemporarilyUnavailable
from bridge.kafka.dead_letter import DeadLetterQueue
from bridge.kafka.producer import KafkaProducer
from bridge.optoro.rma import RMA
from bridge.pipeline import Pipeline
from bridge.records import Outcome, ProducerRecord, VerifiedRequest
from bridge.testing import CONNECTOR, NOW_MS
from tests.kafka_settings import settings
from tests.samples import NOT_JSON, PAYLOADS, SAMPLE, rma, verified


@dataclass(frozen=True)
class Stand:
    """Brokers, a registry, and two topics that nobody else uses."""

    bootstrap_servers: str
    schema_registry_url: str
    topic: str
    dead_letter_topic: str

    async def process(self, *requests: VerifiedRequest) -> list[Outcome]:
        """Send the requests through a real pipeline, one after the other."""
        schema = load_schema("returns.rma.v1-value", subject=f"{self.topic}-value")
        async with RegistryClient(RegistrySettings(urls=(self.schema_registry_url,), timeout_seconds=20)) as registry:
            schema_id = await resolve_schema_id(registry, schema, auto_register=True)
        async with KafkaProducer(settings(self.bootstrap_servers)) as producer:
            letters = DeadLetterQueue(self.dead_letter_topic, CONNECTOR, self.topic)
            pipeline = Pipeline(self.topic, RMA, AvroConverter(schema, schema_id), producer, letters)
            return [await pipeline.process(request) for request in requests]

    async def produce(self, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        async with KafkaProducer(settings(self.bootstrap_servers)) as producer:
            deadline = asyncio.get_running_loop().time() + 9
            await producer.send(ProducerRecord(self.topic, b"key", value, headers), deadline)

    async def read(self, *topics: str, registry: str | None = None, **at_least: Any) -> list[ConsumedRecord]:
        """Read the topics, the main one where none is named."""
        read = partial(
            read_all,
            self.bootstrap_servers,
            topics or (self.topic,),
            registry or self.schema_registry_url,
            at_least=at_least.get("at_least", {}),
            timeout_seconds=at_least.get("timeout_seconds", 20),
        )
        return await asyncio.to_thread(read)


Fact = Callable[[Stand], Awaitable[None]]

AVRO: Final = [("content-type", b"application/avro")]


async def decodes_by_schema_id(stand: Stand) -> None:
    """An accepted event is one record, decoded with the schema that its id names; the event id is in both places."""
    [outcome] = await stand.process(verified(SAMPLE))
    [record] = await stand.read(at_least={stand.topic: 1})
    assert (record.topic, record.offset, record.key) == (stand.topic, 0, b"rma1234")
    assert dict(record.headers)["ce_id"] == record.value["webhook"]["event_id"].encode()
    assert record.value["webhook"] == {
        "event_id": outcome.event_id,
        "webhook": "rma",
        "tenant": "Modrno",
        "api_version": "3",
        "received_at": NOW_MS,
    }


async def reads_every_version_of_the_document(stand: Stand) -> None:
    """Each sample is there with its own identifier, status and items."""
    bodies = [path.read_bytes() for path in sorted(PAYLOADS.glob("*.json"))]
    outcomes = await stand.process(*(verified(body) for body in bodies))
    records = await stand.read(at_least={stand.topic: len(bodies)})
    assert {outcome.status for outcome in outcomes} == {"accepted"}
    assert sorted(_gist(record.value) for record in records) == sorted(_gist(json.loads(body)) for body in bodies)


async def shows_dead_letters_as_they_came(stand: Stand) -> None:
    """A dead letter's value is the sender's bytes, whatever its headers say they are."""
    lying = b"\0\0\0\0\1{}"
    await stand.process(verified(NOT_JSON), verified(lying, content_type="application/avro"))
    records = await stand.read(stand.dead_letter_topic, at_least={stand.dead_letter_topic: 2})
    assert {record.value for record in records} == {NOT_JSON, lying}
    assert {dict(record.headers)["error-code"] for record in records} == {b"not_json", b"unsupported_content_type"}


async def reads_several_topics(stand: Stand) -> None:
    """Both topics' records come sorted by topic, partition and offset."""
    bodies = [SAMPLE, NOT_JSON, rma(rma_identifier="other"), b"", SAMPLE]
    await stand.process(*(verified(body) for body in bodies))
    wanted = {stand.topic: 3, stand.dead_letter_topic: 2}
    records = await stand.read(stand.topic, stand.dead_letter_topic, at_least=wanted)
    places = [(record.topic, record.partition, record.offset) for record in records]
    assert len(places) == 5
    assert places == sorted(set(places))


async def reads_to_the_end(stand: Stand) -> None:
    """All that is there is read, not only as much as was asked for; and reading changes nothing."""
    await stand.process(*[verified(SAMPLE)] * 3)
    first = await stand.read(at_least={stand.topic: 1})
    assert len(first) == 3
    assert await stand.read() == first


async def reads_nothing_from_empty_topics(stand: Stand) -> None:
    """Topics without records are no error where none are expected."""
    assert await stand.read() == []


async def says_what_is_not_there_in_time(stand: Stand) -> None:
    """Waiting for a record that does not come ends with what is missing."""
    await stand.process(verified(SAMPLE))
    with pytest.raises(TemporarilyUnavailable, match="1 of 2 records"):
        await stand.read(at_least={stand.topic: 2}, timeout_seconds=2)


async def misses_a_topic_that_is_not_there(stand: Stand) -> None:
    """An unknown topic is named, and not created by asking."""
    for _ in range(2):
        with pytest.raises(TemporarilyUnavailable, match="unknown") as missing:
            await stand.read(f"{stand.topic}.unknown")
        assert missing.value.code == "topic_missing"


async def fails_without_the_schema(stand: Stand) -> None:
    """An id that the registry does not know, and a registry that does not answer, are registry errors."""
    await stand.produce(b"\0\x7f\xff\xff\xff\0", AVRO)
    with pytest.raises(RegistryError):
        await stand.read(at_least={stand.topic: 1})
    with pytest.raises(RegistryUnreachable):
        await stand.read(at_least={stand.topic: 1}, registry="http://127.0.0.1:1")


async def fails_on_what_is_no_avro(stand: Stand) -> None:
    """A record that only says it were Avro is an error, not a value."""
    await stand.produce(b"no frame", AVRO)
    with pytest.raises(ConversionFailed):
        await stand.read(at_least={stand.topic: 1})


async def leaves_other_records_alone(stand: Stand) -> None:
    """What does not say that it is Avro stays bytes, also where it begins with a zero byte."""
    await stand.produce(b"\0\0\0\0\1x", [])
    [record] = await stand.read(at_least={stand.topic: 1})
    assert record.value == b"\0\0\0\0\1x"


def _gist(document: Any) -> tuple[Any, ...]:
    items = document["items"] if isinstance(document["items"], list) else [document["items"]]
    return document["rma_identifier"], document["status"], tuple(item["sku"] for item in items)


FACTS: Final[tuple[Fact, ...]] = (
    decodes_by_schema_id,
    reads_every_version_of_the_document,
    shows_dead_letters_as_they_came,
    reads_several_topics,
    reads_to_the_end,
    reads_nothing_from_empty_topics,
    says_what_is_not_there_in_time,
    misses_a_topic_that_is_not_there,
    fails_without_the_schema,
    fails_on_what_is_no_avro,
    leaves_other_records_alone,
)
