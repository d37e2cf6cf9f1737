"""The topics a connector writes to: are they there, and may they be created with the settings of `topic.creation.*`?

Nothing is created that the configuration does not ask for.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bridge.errors import NotReady
from bridge.kafka.delivery import failure

TIMEOUT_SECONDS: Final = 5.0


@dataclass(frozen=True)
class TopicSettings:
    """A topic as it should be created; -1 means the broker's default."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)


class Cluster(Protocol):
    """Whoever can say which topics there are."""

    async def topics(self, timeout_seconds: float) -> Mapping[str, int]:
        """Return topic names with their number of partitions; creates none. Raises TemporarilyUnavailable."""


async def ensure(
    cluster: Cluster, names: Sequence[str], creation: Sequence[TopicSettings], client: Mapping[str, Any]
) -> None:
    """Return once every topic is there, after creating what `creation` describes and is missing.

    `client` are librdkafka properties. Raises TemporarilyUnavailable while a topic is missing or no broker answers.
    """
    existing = await cluster.topics(TIMEOUT_SECONDS)
    wanted = [topic for topic in creation if topic.name not in existing]
    if wanted:
        await asyncio.to_thread(_create, client, wanted)
        existing = await cluster.topics(TIMEOUT_SECONDS)
    absent = [name for name in names if name not in existing]
    if absent:
        raise NotReady(
            f"missing in Kafka: {', '.join(absent)}; create what is missing, or set topic.creation.default.partitions "
            "and topic.creation.default.replication.factor",
            code="topic_missing",
        )


def _create(client: Mapping[str, Any], topics: Sequence[TopicSettings]) -> None:
    admin = AdminClient(dict(client))
    wanted = [NewTopic(t.name, t.partitions, t.replication_factor, config=dict(t.config)) for t in topics]
    created = admin.create_topics(wanted, operation_timeout=TIMEOUT_SECONDS, request_timeout=TIMEOUT_SECONDS)
    for name, future in created.items():
        try:
            future.result()
        except KafkaException as exc:
            error = exc.args[0]
            if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                continue
            raise NotReady(f"could not create the topic {name}: {failure(error)}", code="topic_missing") from exc
