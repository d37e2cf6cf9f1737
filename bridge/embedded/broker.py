"""librdkafka's mock cluster as a broker that ordinary clients on this machine can use.

It keeps about 5 MiB a partition and no topic configuration, and it has no controller: topics come with four partitions.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from confluent_kafka import Producer

_TIMEOUT_SECONDS: Final = 10.0


class EmbeddedBroker:
    """One broker on a free loopback port, from entering to leaving the block."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def __enter__(self) -> Self:
        self._host = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 3})
        for topic in self._topics:
            self._host.list_topics(topic, timeout=_TIMEOUT_SECONDS)  # asking for it creates it
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        del self._host

    @property
    def bootstrap_servers(self) -> str:
        """Return host:port."""
        brokers = self._host.list_topics(timeout=_TIMEOUT_SECONDS).brokers.values()
        return ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
