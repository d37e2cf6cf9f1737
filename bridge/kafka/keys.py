"""The configuration keys of producing and of its topics."""

from collections.abc import Iterable
from functools import partial
from typing import Final

from bridge.config.keys import ConfigKey, Configuration, Importance, KeyFamily, Problem, Type
from bridge.config.validators import all_of, at_least, between, each, matches, non_empty, one_of, topic_name
from bridge.kafka.audit import Audit
from bridge.kafka.client_properties import PROTECTED, SECRETS, secrets_beneath, unknown_properties

GROUP: Final = "Kafka"

WORKER_KEYS: Final = (
    ConfigKey(
        name="bootstrap.servers",
        type=Type.LIST,
        importance=Importance.HIGH,
        group=GROUP,
        documentation="The brokers to ask first, as host:port.",
        validator=all_of(non_empty, each(matches(r"[^\s:]+:\d+|\[[0-9a-fA-F:]+\]:\d+", "host:port"))),
    ),
    ConfigKey(
        name="security.protocol",
        type=Type.STRING,
        default="PLAINTEXT",
        group=GROUP,
        documentation="How to speak to the brokers.",
        validator=one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    ),
    ConfigKey(
        name="topic.creation.enable",
        type=Type.BOOLEAN,
        default=True,
        group=GROUP,
        documentation="Whether connectors may create missing topics by their topic.creation.* keys.",
    ),
)

WORKER_FAMILIES: Final = (
    KeyFamily(
        prefix="sasl.",
        group=GROUP,
        documentation="librdkafka's sasl.* properties, for every Kafka client of the worker.",
        secrets=secrets_beneath("sasl."),
        check=partial(unknown_properties, prefix="sasl."),
    ),
    KeyFamily(
        prefix="ssl.",
        group=GROUP,
        documentation="librdkafka's ssl.* properties, for every Kafka client of the worker.",
        secrets=secrets_beneath("ssl."),
        check=partial(unknown_properties, prefix="ssl."),
    ),
    KeyFamily(
        prefix="producer.",
        group=GROUP,
        documentation="librdkafka properties for the producers, for example producer.linger.ms.",
        protected=PROTECTED,
        secrets=SECRETS,
        check=unknown_properties,
    ),
)

CONNECTOR_KEYS: Final = (
    ConfigKey(
        name="topic",
        type=Type.STRING,
        default="returns.rma.v1",
        importance=Importance.HIGH,
        group=GROUP,
        documentation="The topic of the records. Its value's subject is this name with -value.",
        validator=topic_name,
    ),
    ConfigKey(
        name="errors.deadletterqueue.topic.name",
        type=Type.STRING,
        default=None,
        group="Errors",
        documentation="The topic of the dead letters; by default the topic's name with .dlq.",
        validator=topic_name,
    ),
    ConfigKey(
        name="errors.deadletterqueue.topic.partitions",
        type=Type.INT,
        default=3,
        importance=Importance.LOW,
        group="Errors",
        documentation="Partitions of the dead letter topic where it is created; -1 is the broker's default.",
        validator=at_least(-1),
    ),
    ConfigKey(
        name="errors.deadletterqueue.topic.replication.factor",
        type=Type.SHORT,
        default=3,
        group="Errors",
        documentation="Replication of the dead letter topic where it is created; -1 is the broker's default.",
        validator=between(-1, 32767),
    ),
    ConfigKey(
        name="topic.audit",
        type=Type.STRING,
        default=Audit.STRICT.value,
        importance=Importance.HIGH,
        group=GROUP,
        documentation="What becomes of a topic that is no safe place for confirmed records, see docs/operating.md. "
        "strict does not get ready with it, lenient warns, off looks only whether it is there.",
        validator=one_of(*Audit),
    ),
    ConfigKey(
        name="topic.creation.default.partitions",
        type=Type.INT,
        default=None,
        group="Topic creation",
        documentation="Partitions of a topic that is created; -1 is the broker's default. "
        "Nothing is created unless this and the replication factor are set.",
        validator=at_least(-1),
    ),
    ConfigKey(
        name="topic.creation.default.replication.factor",
        type=Type.SHORT,
        default=None,
        group="Topic creation",
        documentation="Replication of a topic that is created; -1 is the broker's default.",
        validator=between(-1, 32767),
    ),
)

CONNECTOR_FAMILIES: Final = (
    KeyFamily(
        prefix="topic.creation.default.",
        group="Topic creation",
        documentation="Topic configuration for topics that are created, for example "
        "topic.creation.default.retention.ms, by default 30 days; min.insync.replicas is 2 by default where there are "
        "three replicas or more; cleanup.policy stays delete.",
        protected={"cleanup.policy": "delivery is unordered: compaction would let an old event erase a newer one"},
    ),
    KeyFamily(
        prefix="producer.override.",
        group=GROUP,
        documentation="librdkafka properties for this connector's producer; they win over the worker's producer.*.",
        protected=PROTECTED,
        secrets=SECRETS,
        check=unknown_properties,
    ),
)


def creation_is_whole(connector: Configuration) -> Iterable[Problem]:
    """Yield a problem where topic.creation.* is used without the two keys it needs."""
    needed = ("topic.creation.default.partitions", "topic.creation.default.replication.factor")
    used = [name for name in needed if connector[name] is not None]
    if used or connector.family("topic.creation.default."):
        for name in needed:
            if connector[name] is None:
                yield Problem(name, "required as soon as any topic.creation.* key is set")


def topics_differ(connector: Configuration) -> Iterable[Problem]:
    """Yield a problem where records and dead letters would share a topic."""
    if connector["errors.deadletterqueue.topic.name"] == connector["topic"]:
        yield Problem("errors.deadletterqueue.topic.name", "dead letters need a topic of their own")
