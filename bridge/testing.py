"""Fakes that keep the contract suites of the real parts, and one RMA connector made of them.

The fake registry is bridge.embedded.registry; nothing in bridge imports this module.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from types import TracebackType
from typing import Final, Literal, NamedTuple, Self

from starlette.types import ASGIApp

from bridge.avro.converter import AvroConverter
from bridge.avro.schemas import load_schema
from bridge.errors import BridgeError, DeliveryFailed, NotReady, RecordRefused
from bridge.kafka.dead_letter import DeadLetterQueue
from bridge.kafka.producer import MAX_RECORD_BYTES
from bridge.optoro.rma import RMA
from bridge.pipeline import Pipeline
from bridge.records import Outcome, ProducerRecord, RecordMetadata, VerifiedRequest
from bridge.telemetry.metrics import ConnectorMetrics, Metrics
from bridge.webhook.acknowledgement import answers
from bridge.webhook.app import webhook_app
from bridge.webhook.authentication import Authenticator
from bridge.webhook.endpoint import Door, WebhookEndpoint
from bridge.worker import Plan

TOPIC: Final = "returns.rma.v1"
DEAD_LETTER_TOPIC: Final = "returns.rma.v1.dlq"
TOPICS: Final[Mapping[str, int]] = {TOPIC: 12, DEAD_LETTER_TOPIC: 3}
CONNECTOR: Final = "rma-source"
SCHEMA_ID: Final = 7
NOW_MS: Final = 1_790_000_000_000
PATH: Final = "/webhooks/rma"

Reports = Literal["prompt", "held", "never"]


def fixed_clock_ms() -> int:
    """Return NOW_MS, whenever it is."""
    return NOW_MS


class StoredRecord(NamedTuple):
    """A record as it lies in the fake, and where."""

    record: ProducerRecord
    metadata: RecordMetadata


class FakeProducer:
    """A producer in memory.

    `topics` are names with their number of partitions. `judge` says how each send goes wrong, None where it does not;
    a record that it turns away is not stored. `reports` may be set at any time: "held" ones wait for `release` or for
    a close that has time to flush, "never" is a broker that says nothing any more.
    """

    def __init__(
        self,
        topics: Mapping[str, int] = TOPICS,
        *,
        judge: Callable[[ProducerRecord], BridgeError | None] = lambda _record: None,
        reports: Reports = "prompt",
    ) -> None:
        self.stored: list[StoredRecord] = []
        self.open_circuits: list[str] = []
        self.replaced_by: list[Mapping[str, object]] = []
        self.deadlines: list[float] = []
        self.reports: Reports = reports
        self._topics = dict(topics)
        self._judge = judge
        self._waiting: list[asyncio.Future[None]] = []
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close(0)

    async def send(self, record: ProducerRecord, deadline: float) -> RecordMetadata:
        """Store the record; see bridge.pipeline.Producer."""
        self.deadlines.append(deadline)
        refusal = self._refusal(record) or self._judge(record)
        if refusal is not None:
            raise refusal
        metadata = self._store(record)
        if self.reports != "prompt":
            await self._until_reported(deadline)
        elif deadline <= asyncio.get_running_loop().time():
            raise _no_report()
        return metadata

    async def topics(self, _timeout_seconds: float) -> Mapping[str, int]:
        """Return the topics with their number of partitions."""
        return dict(self._topics)

    async def replace(self, settings: Mapping[str, object]) -> None:
        """Remember the settings in `replaced_by`."""
        self.replaced_by.append(settings)

    async def close(self, flush_seconds: float) -> int:
        """End it; return how many records had no report by then."""
        self._closed = True
        if self.reports == "held" and flush_seconds > 0:
            self.release()
        given_up = [waiting for waiting in self._waiting if not waiting.done()]
        for waiting in given_up:
            waiting.set_exception(DeliveryFailed("given up at close"))
        return len(given_up)

    def release(self) -> None:
        """Let all held reports arrive."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def records(self, topic: str = TOPIC) -> list[ProducerRecord]:
        """Return what was stored in one topic, in order."""
        return [stored.record for stored in self.stored if stored.record.topic == topic]

    @property
    def unreported(self) -> int:
        """How many senders wait for a report."""
        return sum(not waiting.done() for waiting in self._waiting)

    def _refusal(self, record: ProducerRecord) -> BridgeError | None:
        if self._closed:
            return NotReady("the producer is closed")
        if record.topic not in self._topics:
            return DeliveryFailed("there is no such topic", code="topic_missing")
        headers = sum(len(name) + len(value) for name, value in record.headers)
        if len(record.key) + len(record.value) + headers > MAX_RECORD_BYTES:
            return RecordRefused("record_too_large", "more than one record holds")
        return None

    def _store(self, record: ProducerRecord) -> RecordMetadata:
        partition = murmur2_partition(record.key, self._topics[record.topic])
        place = (record.topic, partition)
        offset = sum((stored.metadata.topic, stored.metadata.partition) == place for stored in self.stored)
        metadata = RecordMetadata(*place, offset)
        self.stored.append(StoredRecord(record, metadata))
        return metadata

    async def _until_reported(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = loop.create_future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout_at(deadline):
                await waiting
        except TimeoutError:
            raise _no_report() from None
        finally:
            self._waiting.remove(waiting)


def _no_report() -> DeliveryFailed:
    return DeliveryFailed("no delivery report in time", code="delivery_timed_out")


def failing_at(number: int, error: BridgeError) -> Callable[[ProducerRecord], BridgeError | None]:
    """Return a judge that turns away the `number`-th send, counted from 1, and no other."""
    sends = 0

    def judge(_record: ProducerRecord) -> BridgeError | None:
        nonlocal sends
        sends += 1
        return error if sends == number else None

    return judge


def refusing(topic: str, error: BridgeError) -> Callable[[ProducerRecord], BridgeError | None]:
    """Return a judge that turns away every record of one topic."""
    return lambda record: error if record.topic == topic else None


def murmur2_partition(key: bytes, partitions: int) -> int:
    """Return the partition that Java's default partitioner gives a key."""
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    value = 0x9747B28C ^ len(key)
    whole = len(key) & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * multiplier & mask
        word = (word ^ (word >> 24)) * multiplier & mask
        value = (value * multiplier & mask) ^ word
    if whole < len(key):
        value = (value ^ int.from_bytes(key[whole:], "little")) * multiplier & mask
    value = (value ^ (value >> 13)) * multiplier & mask
    return ((value ^ (value >> 15)) & 0x7FFFFFFF) % partitions


def converter() -> AvroConverter:
    """Return the RMA's converter under SCHEMA_ID, without a registry."""
    return AvroConverter(load_schema("returns.rma.v1-value", subject=f"{TOPIC}-value"), SCHEMA_ID)


def pipeline(producer: FakeProducer) -> Pipeline:
    """Return an RMA connector's pipeline that produces to the fake."""
    return Pipeline(
        topic=TOPIC,
        contract=RMA,
        converter=converter(),
        producer=producer,
        dead_letters=DeadLetterQueue(DEAD_LETTER_TOPIC, CONNECTOR, TOPIC),
    )


def plan(producer: FakeProducer, *, log_dead_letters: bool = False) -> Plan:
    """Return the plan of an RMA connector whose topics and schema are there at once."""

    async def topics_are_there() -> None:
        """Nothing is missing."""

    async def known() -> AvroConverter:
        return converter()

    return Plan(
        connector=CONNECTOR,
        producer=producer,
        prepare_topics=topics_are_there,
        resolve_schema=known,
        assemble=lambda _converter: pipeline(producer),
        log_dead_letters=log_dead_letters,
    )


class Webhook(NamedTuple):
    """A public port with one connector, and the metrics that it counts in."""

    app: ASGIApp
    metrics: Metrics


def webhook(
    process: Callable[[VerifiedRequest], Awaitable[Outcome]],
    authenticators: list[Authenticator],
    *,
    max_in_flight: int = 1_000,
) -> Webhook:
    """Return a public port whose connector ends requests by `process`."""
    metrics = Metrics()
    door = Door(
        process=process,
        authenticators=authenticators,
        answer=answers([method.challenge for method in authenticators], Random(1)),  # noqa: S311, it spreads retries
        metrics=ConnectorMetrics(metrics, CONNECTOR),
        max_in_flight=max_in_flight,
        wall_clock_ms=fixed_clock_ms,
    )
    return Webhook(webhook_app({PATH: WebhookEndpoint(door)}), metrics)
