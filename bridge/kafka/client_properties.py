"""What librdkafka's own properties may be: which are ours, which are secret, which are only the Java client's."""

from collections.abc import Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaException, Producer

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
SECRETS: Final = frozenset(
    {
        "sasl.password",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
    }
)
JAVA_ONLY: Final[Mapping[str, str]] = {
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
SILENT: Final = {"bootstrap.servers": "", "log_level": 0}  # a client without brokers opens no socket


def secrets_beneath(prefix: str) -> frozenset[str]:
    return frozenset(name.removeprefix(prefix) for name in SECRETS if name.startswith(prefix))


def unknown_properties(properties: Mapping[str, str], prefix: str = "") -> Sequence[tuple[str, str]]:
    """Ask the client itself about each property."""
    problems = []
    for name, value in properties.items():
        try:
            Producer({**SILENT, prefix + name: value})
        except KafkaException as exc:
            if not exc.args[0].str().startswith("Failed to create producer"):  # that one is about several properties
                problems.append((name, _refusal(prefix + name, value, exc)))
    return problems


def _refusal(name: str, value: str, exc: KafkaException) -> str:
    if name in JAVA_ONLY:
        return f"the Java client's; librdkafka has {JAVA_ONLY[name]}"
    return f"the Kafka client (librdkafka) refuses it: {_reason(exc, value)}"


def _reason(exc: KafkaException, value: str) -> str:
    text: str = exc.args[0].str()
    return text.replace(value, "…") if value else text
