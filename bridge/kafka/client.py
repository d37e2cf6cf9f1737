"""A Kafka client that outlives its own failures, and the thread that serves its delivery reports.

librdkafka raises a fatal error out of poll() and does not call error_cb for it; after that the client is of no use.
Here it is emptied and replaced. The thread survives whatever a callback does.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from bridge.kafka.client_log import ClientLog

_POLL_SECONDS: Final = 0.1
_PAUSE_SECONDS: Final = 0.01  # short: one failing callback ends a poll(), and reports wait behind it
_DISCARD_SECONDS: Final = 2.0
_TRIAL_SECONDS: Final = 5.0
_FIRST_DELAY_SECONDS: Final = 1.0
_LONGEST_DELAY_SECONDS: Final = 10.0
_CALM_SECONDS: Final = 60.0
_FAILURES: Final = (KafkaException, SystemError)  # the latter where a delivery report comes right behind a fatal error

logger = logging.getLogger(__name__)

MakeClient = Callable[[dict[str, Any]], Producer]


class PolledClient:
    """One librdkafka producer at a time, polled by one thread.

    `on_served` is called in that thread after callbacks may have run, `on_all_brokers_down` likewise when the client
    says so, `on_replaced` after a client made way for a new one. `current` is the client to use now; it may fail and be
    another one the next time.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        on_served: Callable[[], None],
        on_all_brokers_down: Callable[[], None],
        on_replaced: Callable[[], None],
        make_client: MakeClient,
    ) -> None:
        self._log = ClientLog()
        self._callbacks = {"logger": self._log, "error_cb": self._on_error}
        self._settings = {**settings, **self._callbacks}
        self._on_served = on_served
        self._on_all_brokers_down = on_all_brokers_down
        self._on_replaced = on_replaced
        self._make_client = make_client
        self._stopping = threading.Event()
        self._delay_seconds = 0.0
        self._replaced_at = 0.0
        self.current = make_client(self._settings)
        self._start_thread()

    def revive(self) -> bool:
        """Start the thread again if it has died; return whether it had."""
        if self._thread.is_alive() or self._stopping.is_set():
            return False
        logger.error("the poll thread had died and is started again")
        self._start_thread()
        return True

    async def replace(self, settings: Mapping[str, Any], drain_seconds: float) -> None:
        """Go over to a client with other settings once it gets in; the one before may deliver what it holds.

        Raises KafkaException where the settings cannot be used or no broker lets them in, and then nothing has changed.
        """
        settings = {**settings, **self._callbacks}
        successor = await asyncio.to_thread(_tried, self._make_client, settings)
        former = [self.current]
        self._settings, self.current = settings, successor
        self._on_replaced()
        await asyncio.to_thread(_retire, former, drain_seconds)
        self._on_served()

    async def close(self, flush_seconds: float) -> int:
        """Wait for what is queued, give up the rest, stop the thread; return how many records were given up."""
        unflushed = await asyncio.to_thread(_flush, self.current, flush_seconds)
        if unflushed:
            await asyncio.to_thread(_discard, self.current)
        self._stopping.set()
        await asyncio.to_thread(self._thread.join, _DISCARD_SECONDS)
        self._on_served()
        return unflushed

    def _start_thread(self) -> None:
        self._thread = threading.Thread(target=self._poll_until_stopped, name="delivery-reports", daemon=True)
        self._thread.start()

    def _poll_until_stopped(self) -> None:
        while not self._stopping.is_set():
            try:
                self.current.poll(_POLL_SECONDS)
            except KafkaException as exc:
                self._replace_failed(exc)
            except Exception:
                logger.exception("the poll thread goes on after an unexpected error")
                self._stopping.wait(_PAUSE_SECONDS)
            self._on_served()

    def _replace_failed(self, exc: KafkaException) -> None:
        logger.error("the producer failed and is replaced: %s", exc.args[0].str())
        _discard(self.current)
        self._on_served()
        while not self._stopping.wait(self._next_delay()):
            try:
                self.current = self._make_client(self._settings)
            except KafkaException as again:
                logger.error("no new producer: %s", again.args[0].str())  # noqa: TRY400, tried again, trace is no news
            else:
                self._on_replaced()
                return

    def _next_delay(self) -> float:
        """Return 0 after a calm minute, then a second, doubling."""
        now = time.monotonic()
        if now - self._replaced_at > _CALM_SECONDS:
            self._delay_seconds = 0.0
        delay = self._delay_seconds
        self._delay_seconds = min(max(delay * 2, _FIRST_DELAY_SECONDS), _LONGEST_DELAY_SECONDS)
        self._replaced_at = now
        return delay

    def _on_error(self, error: KafkaError) -> None:
        self._log.error(error)
        polled = threading.current_thread() is self._thread  # else a client speaks that is on trial, or retired
        if polled and error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001, the client's public names begin so
            self._on_all_brokers_down()


def _tried(make_client: MakeClient, settings: dict[str, Any]) -> Producer:
    """Return a client that some broker has answered."""
    client = make_client(settings)
    try:
        client.list_topics(timeout=_TRIAL_SECONDS)
    except KafkaException:
        client.poll(0)  # it has the reason for its log
        del client  # before it is raised into the loop's thread, since its end takes a while
        raise
    return client


def _retire(former: list[Producer], seconds: float) -> None:
    """Let the client deliver what it holds, and end it here rather than in the loop's thread: it takes a while."""
    with suppress(*_FAILURES):
        former.pop().flush(seconds)


def _flush(client: Producer, seconds: float) -> int:
    """Return how many records are left, all of them where the client has failed."""
    try:
        return client.flush(seconds)
    except _FAILURES:
        return len(client)


def _discard(client: Producer) -> None:
    """Give up what the client holds; each record's report says so."""
    client.purge()
    with suppress(*_FAILURES):  # a failed client says once more that it failed
        client.flush(_DISCARD_SECONDS)
