"""What the configuration makes of the Kafka clients and of the topics."""

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaException, Producer

from bridge.config.keys import Configuration
from bridge.errors import ConfigurationRefused
from bridge.kafka.audit import MIN_INSYNC_REPLICAS, REPLICATION_FACTOR, RETENTION_MS, Audit
from bridge.kafka.client_properties import SILENT
from bridge.kafka.producer import DELIVERY_TIMEOUT_MS
from bridge.kafka.topics import Topics, TopicSettings

MESSAGE_MAX_BYTES: Final = 1_000_000


def client_settings(worker: Configuration) -> dict[str, Any]:
    """Return the librdkafka properties that every client of the worker shares."""
    return {
        "bootstrap.servers": ",".join(worker["bootstrap.servers"]),
        "security.protocol": worker["security.protocol"],
        **{f"sasl.{suffix}": value for suffix, value in worker.family("sasl.").items()},
        **{f"ssl.{suffix}": value for suffix, value in worker.family("ssl.").items()},
        "socket.keepalive.enable": True,
        "reconnect.backoff.max.ms": 2_000,
    }


def producer_settings(worker: Configuration, connector: Configuration) -> dict[str, Any]:
    """Return one connector's producer properties: ours, the operator's over them, and the protected ones over all."""
    return {
        **client_settings(worker),
        "linger.ms": 5,
        "compression.type": "lz4",
        "queue.buffering.max.messages": 10_000,
        "queue.buffering.max.kbytes": 32_768,
        "request.timeout.ms": 5_000,
        **worker.family("producer."),
        **connector.family("producer.override."),
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "delivery.timeout.ms": DELIVERY_TIMEOUT_MS,
        "message.max.bytes": MESSAGE_MAX_BYTES,
        "allow.auto.create.topics": False,
        "client.id": f"connector-producer-{connector['name']}-0",
    }


def check_client(worker: Configuration, connector: Configuration) -> None:
    """Let the client check all properties together: certificates that are not there, a mechanism without a login.

    Raises ConfigurationRefused.
    """
    try:
        Producer({**producer_settings(worker, connector), **SILENT})
    except KafkaException as exc:
        raise ConfigurationRefused(
            [f"the Kafka client (librdkafka) refuses the configuration: {exc.args[0].str()}"]
        ) from exc


def dead_letter_topic(connector: Configuration) -> str:
    """Return the name of the dead letter topic."""
    return connector["errors.deadletterqueue.topic.name"] or f"{connector['topic']}.dlq"


def connector_topics(worker: Configuration, connector: Configuration) -> Topics:
    """Return the connector's topics, how missing ones are created, and how they are audited."""
    return Topics(
        connector=connector["name"],
        names=(connector["topic"], dead_letter_topic(connector)),
        creation=creation_settings(worker, connector),
        audit=Audit(connector["topic.audit"]),
        message_max_bytes=MESSAGE_MAX_BYTES,
    )


def creation_settings(worker: Configuration, connector: Configuration) -> tuple[TopicSettings, ...]:
    """Return how the connector's topics are to be created where they are missing; empty where they must not be."""
    partitions = connector["topic.creation.default.partitions"]
    if partitions is None or not worker["topic.creation.enable"]:
        return ()
    config = connector.family("topic.creation.default.")
    return (
        _created(connector["topic"], partitions, connector["topic.creation.default.replication.factor"], config),
        _created(
            dead_letter_topic(connector),
            connector["errors.deadletterqueue.topic.partitions"],
            connector["errors.deadletterqueue.topic.replication.factor"],
            config,
        ),
    )


def _created(name: str, partitions: int, replication_factor: int, config: Mapping[str, str]) -> TopicSettings:
    defaults = {"cleanup.policy": "delete", "retention.ms": str(RETENTION_MS)}
    if replication_factor >= REPLICATION_FACTOR:
        defaults["min.insync.replicas"] = str(MIN_INSYNC_REPLICAS)
    return TopicSettings(name, partitions, replication_factor, defaults | dict(config))
