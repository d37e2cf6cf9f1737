"""The configuration keys of producing, and the client properties that follow from them."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaException, Producer

from bridge.config.keys import ConfigKey, Configuration, Importance, KeyFamily, Problem, Type
from bridge.config.validators import all_of, at_least, between, each, matches, non_empty, one_of, topic_name
from bridge.errors import ConfigurationRefused
from bridge.kafka.audit import MIN_INSYNC_REPLICAS, REPLICATION_FACTOR, RETENTION_MS, Audit
from bridge.kafka.producer import DELIVERY_TIMEOUT_MS
from bridge.kafka.topics import Topics, TopicSettings

MESSAGE_MAX_BYTES: Final = 1_000_000

_PROMISE: Final = "the promise behind a 200 depends on it"
_PLACEMENT: Final = "the same key must meet the same partition as with Java producers, for ever"
_OWN_KEY: Final = "set the worker's own key of that name"
PROTECTED: Final[Mapping[str, str]] = {
    "acks": _PROMISE,
    "request.required.acks": _PROMISE,
    "enable.idempotence": _PROMISE,
    "enable.gapless.guarantee": _PROMISE,
    "partitioner": _PLACEMENT,
    "delivery.timeout.ms": "the sender is answered within 15 s, and the time-outs nest",
    "message.timeout.ms": "the sender is answered within 15 s, and the time-outs nest",
    "message.max.bytes": "it nests with the limit of one record",
    "transactional.id": "a webhook has no transaction",
    "bootstrap.servers": _OWN_KEY,
    "metadata.broker.list": "set bootstrap.servers",
    "client.id": "it names the connector in the brokers' logs",
    "allow.auto.create.topics": "topics are never created silently; see topic.creation.default.partitions",
    "test.mock.num.brokers": "it would replace the cluster",
}
_SECRETS: Final = frozenset(
    {
        "sasl.password",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
    }
)

GROUP: Final = "Kafka"
_LOGIN: Final = ("security.", "sasl.", "ssl.", "https.", "socket.", "broker.", "client.dns.")
_JAVA_ONLY: Final[Mapping[str, str]] = {
    "sasl.jaas.config": "sasl.username and sasl.password, or sasl.oauthbearer.client.id with its secret",
    "sasl.login.callback.handler.class": "sasl.oauthbearer.method=oidc",
    "sasl.client.callback.handler.class": "sasl.oauthbearer.method=oidc",
    "sasl.login.class": "sasl.mechanism",
    "sasl.oauthbearer.jwks.endpoint.url": "nothing: it is the broker's own",
    "ssl.truststore.location": "ssl.ca.location, a PEM file",
    "ssl.truststore.certificates": "ssl.ca.pem",
    "ssl.truststore.password": "ssl.ca.location, a PEM file without a password",
    "ssl.truststore.type": "ssl.ca.location, a PEM file",
    "ssl.keystore.type": "ssl.keystore.location for PKCS#12, or ssl.certificate.location and ssl.key.location for PEM",
    "ssl.keystore.key": "ssl.key.pem",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.enabled.protocols": "nothing: the newest that both sides speak is used",
    "ssl.protocol": "nothing: the newest that both sides speak is used",
    "ssl.provider": "ssl.providers",
    "buffer.memory": "queue.buffering.max.kbytes",
    "max.block.ms": "nothing: a full queue is answered 503 at once",
    "max.request.size": "nothing: one record has 900 KiB at most",
    "send.buffer.bytes": "socket.send.buffer.bytes",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
    "partitioner.class": "nothing: keys are placed as Java's default does",
    "key.serializer": "nothing: keys are bytes",
    "value.serializer": "nothing: values are what the connector's value.converter makes",
    "interceptor.classes": "nothing: the client has no interceptors",
    "metric.reporters": "nothing: see /metrics",
}
_SILENT: Final = {"bootstrap.servers": "", "log_level": 0}  # a client without brokers opens no socket


def _beneath(prefix: str) -> frozenset[str]:
    return frozenset(name.removeprefix(prefix) for name in _SECRETS if name.startswith(prefix))


def _unknown_properties(properties: Mapping[str, str], prefix: str = "") -> Sequence[tuple[str, str]]:
    """Ask the client itself about each property."""
    problems = []
    for name, value in properties.items():
        try:
            Producer({**_SILENT, prefix + name: value})
        except KafkaException as exc:
            if not exc.args[0].str().startswith("Failed to create producer"):  # that one is about several properties
                problems.append((name, _refusal(prefix + name, value, exc)))
    return problems


def _refusal(name: str, value: str, exc: KafkaException) -> str:
    if name in _JAVA_ONLY:
        return f"the Java client's; librdkafka has {_JAVA_ONLY[name]}"
    return f"the Kafka client (librdkafka) refuses it: {_reason(exc, value)}"


def _reason(exc: KafkaException, value: str) -> str:
    text: str = exc.args[0].str()
    return text.replace(value, "…") if value else text


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
        secrets=_beneath("sasl."),
        check=partial(_unknown_properties, prefix="sasl."),
    ),
    KeyFamily(
        prefix="ssl.",
        group=GROUP,
        documentation="librdkafka's ssl.* properties, for every Kafka client of the worker.",
        secrets=_beneath("ssl."),
        check=partial(_unknown_properties, prefix="ssl."),
    ),
    KeyFamily(
        prefix="producer.",
        group=GROUP,
        documentation="librdkafka properties for the producers, for example producer.linger.ms.",
        protected=PROTECTED,
        secrets=_SECRETS,
        check=_unknown_properties,
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
        secrets=_SECRETS,
        check=_unknown_properties,
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
        Producer({**producer_settings(worker, connector), **_SILENT})
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
        client=_admin_settings(worker, connector),
    )


def _admin_settings(worker: Configuration, connector: Configuration) -> dict[str, Any]:
    """Return the properties of a client that logs in as the connector's producer does."""
    ours = client_settings(worker)
    producing = producer_settings(worker, connector)
    login = {name: value for name, value in producing.items() if name.startswith(_LOGIN)}
    return {**ours, **login, "client.id": f"connector-adminclient-{connector['name']}-0"}


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
