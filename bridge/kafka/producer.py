"""Producing with an answer: a record goes in, its metadata comes out once all in-sync replicas have it.

A thread polls the client for delivery reports and hands them to the event loop in batches; the loop resolves the
futures that the pipeline awaits. What is retried, and for how long, is the client's business (`delivery.timeout.ms`).
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from bridge.errors import DeliveryFailed, NotReady, RecordRefused
from bridge.kafka.breaker import CircuitBreaker
from bridge.kafka.client import MakeClient, PolledClient
from bridge.kafka.delivery import failure, queue_full
from bridge.records import ProducerRecord, RecordMetadata

MAX_RECORD_BYTES: Final = 900 * 1024
DELIVERY_TIMEOUT_MS: Final = 8_000
WATCH_SECONDS: Final = 1.0
_LOGIN: Final = (
    "bootstrap.servers",
    "security.",
    "sasl.",
    "ssl.",
    "https.",
    "socket.",
    "broker.",
    "client.dns.",
    "reconnect.",
)

logger = logging.getLogger(__name__)

_Report = tuple[asyncio.Future[RecordMetadata], KafkaError | None, RecordMetadata]


class KafkaProducer:
    """One idempotent client and its poll thread. Open it with `async with`, in the process and loop that use it.

    `settings` are librdkafka properties. A fatal client error fails what is in flight and replaces the client; nothing
    that was confirmed is touched by it. Each topic has a circuit breaker.
    """

    def __init__(self, settings: Mapping[str, Any], make_client: MakeClient = Producer) -> None:
        self._settings = settings
        self._make_client = make_client
        self._reports: deque[_Report] = deque()
        self._breakers: defaultdict[str, CircuitBreaker] = defaultdict(CircuitBreaker)
        self._in_flight = 0
        self._closed = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._client = PolledClient(
            self._settings,
            on_served=self._wake,
            on_all_brokers_down=lambda: _soon(self._loop, self._note_brokers_away),
            on_replaced=lambda: _soon(self._loop, self._breakers.clear),
            make_client=self._make_client,
        )
        self._watchdog = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close(0)

    @property
    def login(self) -> dict[str, Any]:
        """The properties with which any client gets in as this producer does now."""
        return {name: value for name, value in self._settings.items() if name.startswith(_LOGIN)}

    @property
    def open_circuits(self) -> list[str]:
        """The topics that let only probes through, since nothing gets into them."""
        return [topic for topic, breaker in self._breakers.items() if breaker.is_open]

    async def send(self, record: ProducerRecord, deadline: float) -> RecordMetadata:
        """Return where the record is stored, once all in-sync replicas have it.

        `deadline` is in the event loop's time. Raises RecordRefused where it can never be written, NotReady once close
        was called, and DeliveryFailed or Overloaded otherwise; after DeliveryFailed the record may have been written
        all the same, but for the code `circuit_open`: then nothing was tried.
        """
        if self._closed:
            raise NotReady("the producer is closed")
        _check_size(record)
        breaker = self._breakers[record.topic]
        if not breaker.admits(self._loop.time()):
            raise DeliveryFailed(f"nothing gets into {record.topic} at the moment", code="circuit_open")
        try:
            metadata = await self._deliver(record, deadline)
        except DeliveryFailed:
            breaker.failed(self._loop.time())
            raise
        except RecordRefused:
            breaker.succeeded()
            raise
        breaker.succeeded()
        return metadata

    async def topics(self, timeout_seconds: float) -> Mapping[str, int]:
        """Return the cluster's topics with their number of partitions, and never create one by asking.

        Raises DeliveryFailed when no broker answers in time.
        """
        try:
            listed = await asyncio.to_thread(self._client.current.list_topics, timeout=timeout_seconds)
        except KafkaException as exc:
            raise failure(exc.args[0]) from exc
        return {name: len(topic.partitions) for name, topic in listed.topics.items() if topic.error is None}

    async def replace(self, settings: Mapping[str, Any]) -> None:
        """Go over to other settings, new credentials for example, without losing a record.

        Raises DeliveryFailed where the client refuses them; then the former settings stay.
        """
        try:
            await self._client.replace(settings, DELIVERY_TIMEOUT_MS / 1000)
        except KafkaException as exc:
            raise failure(exc.args[0]) from exc
        self._settings = settings

    async def close(self, flush_seconds: float) -> int:
        """Wait for what is queued, give up the rest, stop the thread; return how many records were given up."""
        if self._closed:
            return 0
        self._closed = True
        self._watchdog.cancel()
        unflushed = await self._client.close(flush_seconds)
        self._resolve_reports()
        return unflushed

    async def _deliver(self, record: ProducerRecord, deadline: float) -> RecordMetadata:
        future: asyncio.Future[RecordMetadata] = self._loop.create_future()
        timer = self._loop.call_at(deadline, _expire, future)
        self._in_flight += 1
        try:
            self._client.current.produce(
                record.topic,
                record.value,
                record.key,
                headers=record.headers,  # type: ignore[arg-type]  # the client only reads the list
                on_delivery=partial(self._report, future),
            )
            return await future
        except BufferError:
            raise queue_full() from None
        except KafkaException as exc:
            raise failure(exc.args[0]) from exc
        finally:
            self._in_flight -= 1
            timer.cancel()

    def _report(self, future: asyncio.Future[RecordMetadata], error: KafkaError | None, message: Message) -> None:
        metadata = RecordMetadata(message.topic() or "", message.partition() or 0, message.offset())
        self._reports.append((future, error, metadata))

    def _wake(self) -> None:
        if self._reports:
            _soon(self._loop, self._resolve_reports)

    def _resolve_reports(self) -> None:
        while self._reports:
            future, error, metadata = self._reports.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(metadata)
            else:
                future.set_exception(failure(error))

    def _note_brokers_away(self) -> None:
        # A broker closes idle connections too; that matters to nobody while nothing is in flight.
        if self._in_flight:
            for breaker in self._breakers.values():
                breaker.brokers_away(self._loop.time())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            self._client.revive()


def _soon(loop: asyncio.AbstractEventLoop, action: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(action)


def _check_size(record: ProducerRecord) -> None:
    size = len(record.value) + len(record.key)
    if size < MAX_RECORD_BYTES // 2:
        return
    size += sum(len(name) + len(value) for name, value in record.headers)
    if size > MAX_RECORD_BYTES:
        raise RecordRefused("record_too_large", f"{size} bytes, more than the {MAX_RECORD_BYTES} of one record")


def _expire(future: asyncio.Future[RecordMetadata]) -> None:
    if not future.done():
        future.set_exception(DeliveryFailed("no delivery report in time", code="delivery_timed_out"))
