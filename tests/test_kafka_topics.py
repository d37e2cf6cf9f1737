"""Topics at start: there, missing, or to be created as the configuration says and not otherwise."""

import asyncio
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]  # public

from bridge.errors import DeliveryFailed, NotReady, TemporarilyUnavailable
from bridge.kafka.producer import KafkaProducer
from bridge.kafka.settings import connector_topics, producer_settings
from bridge.kafka.topics import Cluster, prepare
from tests.conftest import RealKafka
from tests.kafka_settings import connector_config, settings, worker_config
from tests.mock_cluster import mock_cluster


class Listing:
    """A cluster that has these topics."""

    def __init__(self, *topics: str, **login: str) -> None:
        self._topics = topics
        self.login = login

    async def topics(self, _timeout_seconds: float) -> Mapping[str, int]:
        return dict.fromkeys(self._topics, 3)


class Unreachable:
    login: Mapping[str, str] = {}

    async def topics(self, _timeout_seconds: float) -> Mapping[str, int]:
        raise DeliveryFailed("no broker answers")


def prepare_on(cluster: Cluster, **texts: str) -> None:
    """Prepare a connector's topics where only the cluster's list can be asked for, without the audit."""
    topics = connector_topics(worker_config(), connector_config(topic="a", topic_audit="off", **texts))
    asyncio.run(prepare(cluster, topics, lambda _findings: None))


def test_prepare_when_all_topics_are_there() -> None:
    """Nothing is asked of the brokers but their list, also where topics might be created."""
    creation = {"topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1"}

    prepare_on(Listing("a", "a.dlq", "b"), **creation)


def test_prepare_when_a_topic_is_missing_and_nothing_is_to_be_created() -> None:
    """The missing topic is named, and what is there is not."""
    with pytest.raises(NotReady, match=r"a\.dlq") as missing:
        prepare_on(Listing("a"))

    assert missing.value.code == "topic_missing"


def test_prepare_when_no_broker_answers() -> None:
    """It may work later."""
    with pytest.raises(TemporarilyUnavailable):
        prepare_on(Unreachable())


@pytest.mark.parametrize(
    ("mode", "refusal"),
    [pytest.param("strict", "topic_unsafe", id="strict"), pytest.param("lenient", None, id="lenient")],
)
def test_prepare_when_brokers_cannot_describe(mode: str, refusal: str | None, caplog: pytest.LogCaptureFixture) -> None:
    """After 10 s at most strict refuses and says so, and lenient goes on with a warning for each topic."""
    seen = _on_a_mock("a", "a.dlq", topic_audit=mode)

    assert seen.codes == [("a", "not_described"), ("a.dlq", "not_described")]
    assert (seen.refusal, seen.seconds < 10) == (refusal, True)
    warnings = [record for record in caplog.records if record.name == "bridge.kafka.topics"]
    assert len(warnings) == (2 if mode == "lenient" else 0)


@pytest.mark.parametrize("mode", ["strict", "lenient", "off"])
def test_prepare_when_brokers_neither_create_nor_describe(mode: str) -> None:
    """No mode gets ready without the topic, and none waits longer than 10 s to say so."""
    creation = {"topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1"}

    seen = _on_a_mock("a.dlq", topic_audit=mode, **creation)

    assert ("a", "creation_refused") in seen.codes
    assert (seen.refusal, seen.seconds < 10) == ("topic_missing", True)


class Seen(NamedTuple):
    """One attempt: its refusal's code, what was found, and how long it took."""

    refusal: str | None
    codes: list[tuple[str, str]]
    seconds: float


def _on_a_mock(*present: str, **texts: str) -> Seen:
    """The mock brokers answer no question of an administrator: each takes its whole time-out."""
    codes: list[tuple[str, str]] = []
    refusal = None
    with mock_cluster(*present) as cluster:
        worker = worker_config(bootstrap_servers=cluster.bootstrap_servers)
        topics = connector_topics(worker, connector_config(topic="a", **texts))
        listing = Listing(*present, **{"bootstrap.servers": cluster.bootstrap_servers})
        started = time.monotonic()
        try:
            asyncio.run(prepare(listing, topics, lambda found: codes.extend((f.topic, f.code) for f in found)))
        except NotReady as error:
            refusal = error.code
        seconds = time.monotonic() - started
    return Seen(refusal, codes, seconds)


def test_topics_are_looked_at_with_the_producers_login() -> None:
    """What the audit says of permissions is true of whoever produces; other producer settings are not taken over."""
    worker = worker_config(sasl_mechanisms="PLAIN", sasl_username="worker", sasl_password="1")
    overrides = {"producer.override.sasl.username": "connector", "producer.override.linger.ms": "7"}

    login = KafkaProducer(producer_settings(worker, connector_config(**overrides))).login
    assert (login["sasl.username"], login["sasl.password"], login["sasl.mechanisms"]) == ("connector", "1", "PLAIN")
    assert login["bootstrap.servers"] == "127.0.0.1:1"
    assert not login.keys() & {"linger.ms", "acks", "enable.idempotence", "compression.type", "client.id"}


def test_topics_that_are_created_have_safe_settings() -> None:
    """They keep records for 30 days; two replicas confirm where there are three, and the broker decides where not."""
    replicas = {
        "topic.creation.default.replication.factor": "3",
        "errors.deadletterqueue.topic.replication.factor": "1",
    }
    connector = connector_config(**replicas, **{"topic.creation.default.partitions": "1"})

    main, dead_letters = connector_topics(worker_config(), connector).creation
    common = {"cleanup.policy": "delete", "retention.ms": "2592000000"}
    assert main.config == {**common, "min.insync.replicas": "2"}
    assert dead_letters.config == common


@pytest.fixture
def name(kafka_admin: AdminClient) -> Iterator[str]:
    topic = f"test.{uuid.uuid4().hex}"
    yield topic
    created = [each for each in (topic, f"{topic}.dlq") if each in kafka_admin.list_topics(timeout=10).topics]
    for deleted in kafka_admin.delete_topics(created).values() if created else ():
        deleted.result(15)


def test_prepare_creates_topics_on_real_kafka(real_kafka: RealKafka, kafka_admin: AdminClient, name: str) -> None:
    """What is missing is created with the configured partitions and settings, and a second start changes nothing."""
    creation = {
        "topic.creation.default.partitions": "4",
        "topic.creation.default.replication.factor": "1",
        "topic.creation.default.retention.ms": "86400000",
        "errors.deadletterqueue.topic.partitions": "2",
        "errors.deadletterqueue.topic.replication.factor": "1",
    }

    _start(real_kafka, name, creation)
    _start(real_kafka, name, creation | {"topic.creation.default.partitions": "9"})

    listed = kafka_admin.list_topics(timeout=10).topics
    assert [len(listed[topic].partitions) for topic in (name, f"{name}.dlq")] == [4, 2]
    resource = ConfigResource(ResourceType.TOPIC, name)
    config = kafka_admin.describe_configs([resource])[resource].result(15)
    assert (config["retention.ms"].value, config["cleanup.policy"].value) == ("86400000", "delete")


def test_prepare_creates_nothing_unasked_on_real_kafka(
    real_kafka: RealKafka, kafka_admin: AdminClient, name: str
) -> None:
    """Without topic.creation.* a missing topic stays missing, and the bridge not ready."""
    with pytest.raises(NotReady):
        _start(real_kafka, name, {})

    assert name not in kafka_admin.list_topics(timeout=10).topics


def test_prepare_when_real_kafka_refuses_to_create(real_kafka: RealKafka, name: str) -> None:
    """More replicas than brokers cannot be had: not ready, with Kafka's reason."""
    creation = {"topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "7"}

    with pytest.raises(NotReady, match="replication factor"):
        _start(real_kafka, name, creation)


def _start(real_kafka: RealKafka, topic: str, texts: Mapping[str, str]) -> None:
    worker = worker_config(bootstrap_servers=real_kafka.bootstrap_servers)
    topics = connector_topics(worker, connector_config(topic=topic, topic_audit="off", **texts))

    async def main() -> None:
        async with KafkaProducer(settings(real_kafka.bootstrap_servers)) as producer:
            await prepare(producer, topics, lambda _findings: None)

    asyncio.run(main())
