"""What the configuration makes of the Kafka client, and what an operator may not make of it."""

import pytest
from confluent_kafka import Producer

from bridge.errors import ConfigurationRefused
from bridge.kafka.client_properties import PROTECTED
from bridge.kafka.settings import creation_settings, dead_letter_topic, producer_settings
from bridge.kafka.topics import TopicSettings
from tests.kafka_settings import connector_config, worker_config

PROMISED = {
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",
    "delivery.timeout.ms": 8_000,
    "message.max.bytes": 1_000_000,
    "allow.auto.create.topics": False,
}


def test_producer_settings_keep_the_promise() -> None:
    """All replicas, idempotence, Java's placement and nested times are always set, and the client takes them."""
    made = producer_settings(worker_config(), connector_config())

    assert PROMISED.items() <= made.items()
    assert made["client.id"] == "connector-producer-rma-source-0"
    Producer(made | {"bootstrap.servers": ""})


def test_producer_settings_when_the_operator_tunes() -> None:
    """The worker's producer.* win over ours, the connector's producer.override.* over both."""
    worker = worker_config(**{"producer.linger.ms": "1", "producer.compression.type": "zstd"})
    connector = connector_config(**{"producer.override.linger.ms": "2"})

    made = producer_settings(worker, connector)
    assert (made["linger.ms"], made["compression.type"]) == ("2", "zstd")


@pytest.mark.parametrize("name", sorted(PROTECTED))
def test_configuration_when_a_protected_property_is_set(name: str) -> None:
    """It is refused in both places, with the reason."""
    with pytest.raises(ConfigurationRefused) as in_worker:
        worker_config(**{f"producer.{name}": "1"})
    with pytest.raises(ConfigurationRefused) as in_connector:
        connector_config(**{f"producer.override.{name}": "1"})

    for refused, key in ((in_worker, f"producer.{name}"), (in_connector, f"producer.override.{name}")):
        [problem] = refused.value.problems
        assert problem.startswith(f"{key}: ")
        assert PROTECTED[name] in problem


@pytest.mark.parametrize(
    ("texts", "key"),
    [
        pytest.param({"producer.no.such.property": "1"}, "producer.no.such.property", id="unknown"),
        pytest.param({"producer.linger.ms": "soon"}, "producer.linger.ms", id="no number"),
        pytest.param({"bootstrap.servers": "kafka"}, "bootstrap.servers", id="no port"),
        pytest.param({"security.protocol": "TLS"}, "security.protocol", id="unknown protocol"),
    ],
)
def test_worker_when_a_kafka_key_is_wrong(texts: dict[str, str], key: str) -> None:
    """The configuration is refused before anything is opened, naming the key."""
    with pytest.raises(ConfigurationRefused, match=key):
        worker_config(**texts)


@pytest.mark.parametrize(
    ("texts", "key"),
    [
        pytest.param({"topic": "a b"}, "topic", id="no topic name"),
        pytest.param(
            {"topic": "t", "errors.deadletterqueue.topic.name": "t"},
            "errors.deadletterqueue.topic.name",
            id="one topic for both",
        ),
        pytest.param(
            {"topic.creation.default.partitions": "3"},
            "topic.creation.default.replication.factor",
            id="half of the creation keys",
        ),
        pytest.param(
            {"topic.creation.default.retention.ms": "1"}, "topic.creation.default.partitions", id="settings only"
        ),
        pytest.param(
            {"topic.creation.default.cleanup.policy": "compact"}, "topic.creation.default.cleanup.policy", id="compact"
        ),
    ],
)
def test_connector_when_a_kafka_key_is_wrong(texts: dict[str, str], key: str) -> None:
    """The configuration is refused, naming the key."""
    with pytest.raises(ConfigurationRefused, match=key):
        connector_config(**texts)


def test_dead_letter_topic_when_not_named() -> None:
    """It is the topic's name with .dlq."""
    assert dead_letter_topic(connector_config(topic="returns")) == "returns.dlq"


def test_creation_settings_when_nothing_is_said() -> None:
    """Nothing is created."""
    assert creation_settings(worker_config(), connector_config()) == ()


def test_creation_settings_when_the_worker_forbids_it() -> None:
    """topic.creation.enable=false wins over the connector."""
    texts = {"topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "1"}

    assert creation_settings(worker_config(topic_creation_enable="false"), connector_config(**texts)) == ()


def test_creation_settings_when_asked_for() -> None:
    """Both topics, each with its own partitions and replication, never compacted."""
    texts = {
        "topic": "t",
        "topic.creation.default.partitions": "12",
        "topic.creation.default.replication.factor": "3",
        "topic.creation.default.retention.ms": "5",
    }

    config = {"cleanup.policy": "delete", "retention.ms": "5", "min.insync.replicas": "2"}
    assert creation_settings(worker_config(), connector_config(**texts)) == (
        TopicSettings("t", 12, 3, config),
        TopicSettings("t.dlq", 3, 3, config),
    )
