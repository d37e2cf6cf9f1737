"""A Kafka producer with a poll thread, and an asyncio future for each record."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer


class Producing:
    """Open it in the loop that uses it."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._producer = Producer(dict(settings))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()

    async def send(self, topic: str, key: str, value: bytes) -> None:
        """Return once the broker has acknowledged the record. Raises KafkaException or BufferError."""
        future: asyncio.Future[None] = self._loop.create_future()

        def on_delivery(error: KafkaError | None, _message: Message) -> None:
            self._loop.call_soon_threadsafe(_resolve, future, error)

        self._producer.produce(topic, value, key, on_delivery=on_delivery)
        await future

    def close(self) -> None:
        """Deliver what is queued and stop the thread."""
        self._producer.flush(10)
        self._stopping.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(0.1)


def _resolve(future: asyncio.Future[None], error: KafkaError | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(KafkaException(error))
