"""Producing with an answer: a record goes in, its metadata comes out once all in-sync replicas have it.

A thread polls the client for delivery reports and hands them to the event loop in batches; the loop resolves the
futures that the pipeline awaits. What is retried, and for how long, is the client's business (`delivery.timeout.ms`).
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from bridge.errors import DeliveryFailed, NotReady, RecordRefused
from bridge.kafka.delivery import failure, queue_full
from bridge.records import ProducerRecord, RecordMetadata

MAX_RECORD_BYTES: Final = 900 * 1024
DELIVERY_TIMEOUT_MS: Final = 8_000
_CLOSE_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.1
_REPLACE_AFTER_SECONDS: Final = 1.0

logger = logging.getLogger(__name__)

_Report = tuple[asyncio.Future[RecordMetadata], KafkaError | None, RecordMetadata]


class KafkaProducer:
    """One idempotent client and its poll thread. Open it with `async with`, in the process and loop that use it.

    `settings` are librdkafka properties. A fatal client error fails what is in flight and replaces the client; nothing
    that was confirmed is touched by it.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = {**settings, "logger": logging.getLogger("librdkafka"), "error_cb": _log_client_error}
        self._reports: deque[_Report] = deque()
        self._stopping = threading.Event()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._client = Producer(self._settings)
        self._thread = threading.Thread(target=self._poll_until_stopped, name="delivery-reports", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close(0)

    async def send(self, record: ProducerRecord, deadline: float) -> RecordMetadata:
        """Return where the record is stored, once all in-sync replicas have it.

        `deadline` is in the event loop's time. Raises RecordRefused where it can never be written, and DeliveryFailed
        or Overloaded otherwise; after DeliveryFailed the record may have been written all the same.
        """
        _check_size(record)
        future: asyncio.Future[RecordMetadata] = self._loop.create_future()
        timer = self._loop.call_at(deadline, _expire, future)
        try:
            self._client.produce(
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
        except RuntimeError as exc:
            raise NotReady(f"the producer is closed: {exc}") from exc
        finally:
            timer.cancel()

    async def topics(self, timeout_seconds: float) -> Mapping[str, int]:
        """Return the cluster's topics with their number of partitions, and never create one by asking.

        Raises DeliveryFailed when no broker answers in time.
        """
        try:
            listed = await asyncio.to_thread(self._client.list_topics, timeout=timeout_seconds)
        except KafkaException as exc:
            raise failure(exc.args[0]) from exc
        return {name: len(topic.partitions) for name, topic in listed.topics.items() if topic.error is None}

    async def close(self, flush_seconds: float) -> int:
        """Wait for what is queued, give up the rest, stop the thread; return how many records were given up."""
        if self._stopping.is_set():
            return 0
        unflushed = await asyncio.to_thread(self._client.flush, flush_seconds)
        if unflushed:
            self._client.purge()
            await asyncio.to_thread(self._client.flush, _CLOSE_SECONDS)
        self._stopping.set()
        await asyncio.to_thread(self._thread.join, _CLOSE_SECONDS)
        self._resolve_reports()
        return unflushed

    def _report(self, future: asyncio.Future[RecordMetadata], error: KafkaError | None, message: Message) -> None:
        metadata = RecordMetadata(message.topic() or "", message.partition() or 0, message.offset())
        self._reports.append((future, error, metadata))

    def _poll_until_stopped(self) -> None:
        while not self._stopping.is_set():
            try:
                self._client.poll(_POLL_SECONDS)
            except KafkaException as exc:
                self._replace_client(exc)
            except Exception:
                logger.exception("the poll thread goes on after an unexpected error")
            if self._reports:
                self._loop.call_soon_threadsafe(self._resolve_reports)

    def _replace_client(self, exc: KafkaException) -> None:
        """Start again with a new client: a fatal error is raised out of poll(), and error_cb is not called for it."""
        logger.error("the producer failed and is replaced: %s", exc.args[0].str())
        failed, self._client = self._client, Producer(self._settings)
        failed.purge()
        try:
            failed.flush(_CLOSE_SECONDS)
        except KafkaException:
            logger.debug("the failed producer still says so while flushing")
        self._stopping.wait(_REPLACE_AFTER_SECONDS)

    def _resolve_reports(self) -> None:
        while self._reports:
            future, error, metadata = self._reports.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(metadata)
            else:
                future.set_exception(failure(error))


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


def _log_client_error(error: KafkaError) -> None:
    logger.warning("Kafka client: %s", error.str(), extra={"kafka_error": error.name()})
