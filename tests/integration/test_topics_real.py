"""Topics on real brokers: what the audit says of them, what is created and what is not, who may write.

DEV-014, DEV-015, DEV-056: three local brokers with ACLs, on which a topic can be safe and strict can be satisfied.
"""

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from logging.handlers import BufferingHandler
from typing import NamedTuple

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.cimpl import NewTopic

from bridge.errors import BridgeError, DeliveryFailed, NotReady
from bridge.kafka.audit import Finding
from bridge.kafka.producer import KafkaProducer
from bridge.kafka.settings import connector_topics, producer_settings
from bridge.kafka.topics import prepare
from bridge.records import ProducerRecord
from tests.kafka_settings import connector_config, worker_config
from tests.servers.choice import Unavailable
from tests.servers.requirement import not_run
from tests.servers.secured import ACLS, SecuredKafka, plain_login, secured_kafka

USER, PASSWORD = "bridge", "secret-of-the-bridge"
ADMIN_SECONDS = 15
AUDIT_SECONDS = 10
SETTLE_SECONDS = 10
BACK_SECONDS = 15
SAFE = {"min.insync.replicas": "2", "retention.ms": "2592000000"}
EVERYTHING = (AclOperation.WRITE, AclOperation.DESCRIBE_CONFIGS)
CREATION = {"topic_creation_default_partitions": "2", "topic_creation_default_replication_factor": "3"}


Codes = set[tuple[str, str]]


class Seen(NamedTuple):
    """How one attempt to get ready ended: the refusal, None where it was none, all findings, and what was logged."""

    refusal: BridgeError | None
    findings: list[Finding]
    warnings: list[logging.LogRecord]

    @property
    def codes(self) -> Codes:
        return {(finding.topic, finding.code) for finding in self.findings}


class Cluster:
    """The brokers, seen from inside: topics and permissions as a test wants them."""

    def __init__(self, kafka: SecuredKafka) -> None:
        self.kafka = kafka
        self._admin = AdminClient({"bootstrap.servers": kafka.inside, "log_level": 0})

    def topics(self) -> set[str]:
        return set(self._admin.list_topics(timeout=ADMIN_SECONDS).topics)

    def create(self, name: str, *, replicas: int = 3, **config: str) -> str:
        settings = SAFE | {key.replace("_", "."): text for key, text in config.items()}
        new = NewTopic(name, num_partitions=2, replication_factor=replicas, config=settings)
        self._admin.create_topics([new])[name].result(ADMIN_SECONDS)
        return name

    def delete(self, name: str) -> None:
        self._admin.delete_topics([name])[name].result(ADMIN_SECONDS)

    def config(self, name: str) -> dict[str, str]:
        resource = ConfigResource(ResourceType.TOPIC, name)
        entries = self._admin.describe_configs([resource])[resource].result(ADMIN_SECONDS)
        return {key: entry.value for key, entry in entries.items()}

    def allow(self, name: str, *operations: AclOperation) -> None:
        bindings = [_binding(name, operation) for operation in operations]
        for created in self._admin.create_acls(bindings).values() if bindings else ():
            created.result(ADMIN_SECONDS)

    def settings(self) -> dict[str, str]:
        """A worker's configuration for the user of the bridge."""
        return {
            "bootstrap_servers": self.kafka.address,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanisms": "PLAIN",
            "sasl_username": USER,
            "sasl_password": PASSWORD,
        }


def _binding(name: str, operation: AclOperation) -> AclBinding:
    allow = AclPermissionType.ALLOW
    return AclBinding(ResourceType.TOPIC, name, ResourcePatternType.LITERAL, f"User:{USER}", "*", operation, allow)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Three brokers that make topics by themselves for whoever lets them, which the bridge must not."""
    users = {USER: PASSWORD}
    properties = ACLS | {"auto.create.topics.enable": "true", "default.replication.factor": "3"}
    try:
        with secured_kafka(brokers=3, jaas=plain_login(users), properties=properties) as kafka:
            yield Cluster(kafka)
    except Unavailable as exc:
        not_run(f"secured Kafka: {exc}")


@pytest.fixture
def name() -> str:
    return f"test.{uuid.uuid4().hex}"


def get_ready(cluster: Cluster, topic: str, expected: Codes, **texts: str) -> Seen:
    """Try until it ends as expected, as the bridge tries again: brokers learn of topics and permissions one by one."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        seen = _try_once(cluster, topic, texts)
        if seen.codes == expected or time.monotonic() > deadline:
            assert seen.codes == expected
            return seen
        time.sleep(0.2)


def _try_once(cluster: Cluster, topic: str, texts: Mapping[str, str]) -> Seen:
    """With the bridge's own login; it must not take longer than the audit may."""
    worker = worker_config(**cluster.settings())
    connector = connector_config(topic=topic, **texts)
    reports: list[list[Finding]] = []
    refusal: BridgeError | None = None

    async def main() -> None:
        async with KafkaProducer(producer_settings(worker, connector)) as producer:
            started = time.monotonic()
            try:
                await prepare(producer, connector_topics(worker, connector), lambda each: reports.append(list(each)))
            finally:
                assert time.monotonic() - started < AUDIT_SECONDS

    with _warnings() as warnings:
        try:
            asyncio.run(main())
        except NotReady as error:
            refusal = error
    return Seen(refusal, reports[0], warnings)


@contextmanager
def _warnings() -> Iterator[list[logging.LogRecord]]:
    """What is logged about topics while the block runs."""
    handler = BufferingHandler(capacity=1_000)
    logger = logging.getLogger("bridge.kafka.topics")
    logger.addHandler(handler)
    try:
        yield handler.buffer
    finally:
        logger.removeHandler(handler)


@pytest.mark.parametrize("mode", ["strict", "lenient", "off"])
def test_topics_when_safe(cluster: Cluster, name: str, mode: str) -> None:
    """No mode finds anything or warns."""
    for topic in (name, f"{name}.dlq"):
        cluster.allow(cluster.create(topic), *EVERYTHING)

    assert get_ready(cluster, name, set(), topic_audit=mode) == Seen(None, [], [])


UNSAFE = [
    pytest.param({"replicas": 1}, {"replication_factor_low", "min_insync_replicas_high"}, id="RF 1"),
    pytest.param({"min_insync_replicas": "1"}, {"min_insync_replicas_low"}, id="min.insync 1"),
    pytest.param({"unclean_leader_election_enable": "true"}, {"unclean_leader_election"}, id="unclean election"),
    pytest.param({"cleanup_policy": "compact"}, {"compacted"}, id="compact"),
    pytest.param({"max_message_bytes": "900000"}, {"max_message_bytes_low"}, id="small max.message.bytes"),
]


@pytest.mark.parametrize("dead_letters", [False, True], ids=["main", "dead letters"])
@pytest.mark.parametrize(("settings", "codes"), UNSAFE)
def test_topics_when_one_is_unsafe(
    cluster: Cluster, name: str, settings: dict[str, str], codes: set[str], dead_letters: bool
) -> None:
    """DEV-056: strict is not ready, with exactly that reason."""
    unsafe, safe = (f"{name}.dlq", name) if dead_letters else (name, f"{name}.dlq")
    cluster.allow(cluster.create(unsafe, **settings), *EVERYTHING)  # type: ignore[arg-type]
    cluster.allow(cluster.create(safe), *EVERYTHING)

    seen = get_ready(cluster, name, {(unsafe, code) for code in codes})
    assert isinstance(seen.refusal, NotReady)
    assert seen.refusal.code == "topic_unsafe"
    assert all(str(finding) in str(seen.refusal) for finding in seen.findings)


@pytest.mark.parametrize(("settings", "codes"), UNSAFE)
def test_topics_when_one_is_unsafe_and_the_audit_lenient(
    cluster: Cluster, name: str, settings: dict[str, str], codes: set[str]
) -> None:
    """DEV-056: lenient is ready, with a warning for each finding."""
    cluster.allow(cluster.create(name, **settings), *EVERYTHING)  # type: ignore[arg-type]
    cluster.allow(cluster.create(f"{name}.dlq"), *EVERYTHING)

    seen = get_ready(cluster, name, {(name, code) for code in codes}, topic_audit="lenient")
    assert seen.refusal is None
    assert {record.levelno for record in seen.warnings} == {logging.WARNING}
    assert {(getattr(record, "topic", ""), getattr(record, "reason", "")) for record in seen.warnings} == seen.codes


def test_topics_when_retention_is_short(cluster: Cluster, name: str) -> None:
    """Even strict only warns."""
    cluster.allow(cluster.create(name, retention_ms="604800000"), *EVERYTHING)
    cluster.allow(cluster.create(f"{name}.dlq"), *EVERYTHING)

    seen = get_ready(cluster, name, {(name, "retention_short")})
    assert seen.refusal is None
    assert ["retention.ms=604800000" in record.getMessage() for record in seen.warnings] == [True]


@pytest.mark.parametrize("mode", ["strict", "lenient", "off"])
def test_topics_when_one_is_missing(cluster: Cluster, name: str, mode: str) -> None:
    """DEV-015, DEV-056: no mode is ready, and the broker that would make the topic by itself is not led to do so."""
    for topic in (name, f"{name}.dlq"):
        cluster.allow(topic, *EVERYTHING, AclOperation.CREATE)
    cluster.create(f"{name}.dlq")

    seen = get_ready(cluster, name, {(name, "topic_missing")}, topic_audit=mode)
    assert isinstance(seen.refusal, NotReady)
    assert seen.refusal.code == "topic_missing"
    assert name not in cluster.topics()


def test_topics_when_produced_to_and_missing(cluster: Cluster, name: str) -> None:
    """DEV-015: a record for a topic that is not there is no reason to make one, either."""
    cluster.allow(name, *EVERYTHING, AclOperation.CREATE)

    with pytest.raises(DeliveryFailed):
        asyncio.run(_send(cluster, name, seconds=3))
    assert name not in cluster.topics()


class Permissions(NamedTuple):
    """What the bridge may do with a topic, and what comes of it."""

    allowed: tuple[AclOperation, ...]
    mode: str
    refusal: str | None
    codes: tuple[str, ...]


NO_WRITE = (AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)
ONLY_WRITE = (AclOperation.WRITE,)
HIDDEN = ("write_not_authorized", "topic_missing")


@pytest.mark.parametrize("dead_letters", [False, True], ids=["main", "dead letters"])
@pytest.mark.parametrize(
    "permissions",
    [
        Permissions(NO_WRITE, "strict", "not_authorized", ("write_not_authorized",)),
        Permissions(NO_WRITE, "lenient", None, ("write_not_authorized",)),
        Permissions(NO_WRITE, "off", None, ()),
        Permissions((), "strict", "not_authorized", HIDDEN),
        Permissions((), "lenient", "topic_missing", HIDDEN),
        Permissions((), "off", "topic_missing", ("topic_missing",)),
        Permissions(ONLY_WRITE, "strict", "topic_unsafe", ("config_not_readable",)),
        Permissions(ONLY_WRITE, "lenient", None, ("config_not_readable",)),
    ],
    ids=lambda each: f"{'+'.join(operation.name for operation in each.allowed) or 'nothing'}, {each.mode}",
)
def test_topics_when_a_permission_is_missing(
    cluster: Cluster, name: str, permissions: Permissions, dead_letters: bool
) -> None:
    """DEV-014, DEV-056: what strict says of it, what lenient lets pass, and what to grant."""
    closed, open_ = (f"{name}.dlq", name) if dead_letters else (name, f"{name}.dlq")
    cluster.allow(cluster.create(open_), *EVERYTHING)
    cluster.allow(cluster.create(closed), *permissions.allowed)

    seen = get_ready(cluster, name, {(closed, code) for code in permissions.codes}, topic_audit=permissions.mode)
    assert getattr(seen.refusal, "code", None) == permissions.refusal
    assert permissions.mode != "strict" or "grant " in str(seen.refusal)


def test_topics_when_created(cluster: Cluster, name: str) -> None:
    """With CREATE, both are made exactly as configured, and strict is content with what it made."""
    for topic in (name, f"{name}.dlq"):
        cluster.allow(topic, *EVERYTHING, AclOperation.CREATE)
    texts = CREATION | {"topic_creation_default_segment_ms": "86400000"}

    assert get_ready(cluster, name, set(), **texts) == Seen(None, [], [])
    wanted = SAFE | {"cleanup.policy": "delete", "segment.ms": "86400000"}
    assert [wanted.items() <= cluster.config(topic).items() for topic in (name, f"{name}.dlq")] == [True, True]


@pytest.mark.parametrize(
    ("operations", "texts", "words"),
    [
        pytest.param(EVERYTHING, {}, ["TOPIC_AUTHORIZATION_FAILED", "grant CREATE"], id="no CREATE"),
        pytest.param(
            (*EVERYTHING, AclOperation.CREATE),
            {"topic_creation_default_retention_ms": "soon"},
            ["INVALID_CONFIG", "retention.ms", "correct topic.creation.default.*"],
            id="bad value",
        ),
        pytest.param(
            (*EVERYTHING, AclOperation.CREATE),
            {"topic_creation_default_replication_factor": "4"},
            ["INVALID_REPLICATION_FACTOR", "add brokers"],
            id="too few brokers",
        ),
    ],
)
def test_topics_when_creation_is_refused(
    cluster: Cluster, name: str, operations: tuple[AclOperation, ...], texts: dict[str, str], words: list[str]
) -> None:
    """Not ready, with Kafka's words and what to do about them."""
    cluster.allow(name, *operations)
    cluster.allow(cluster.create(f"{name}.dlq"), *EVERYTHING)

    seen = get_ready(cluster, name, {(name, "creation_refused")}, **CREATION | texts)
    assert isinstance(seen.refusal, NotReady)
    assert seen.refusal.code == "topic_missing"
    assert [word for word in words if word not in str(seen.refusal)] == []


def test_topics_when_two_create_at_once(cluster: Cluster, name: str) -> None:
    """Of several workers that start together, each is content: a topic made by another is as good."""
    for topic in (name, f"{name}.dlq"):
        cluster.allow(topic, *EVERYTHING, AclOperation.CREATE)
    seen: list[Seen] = []
    threads = [
        threading.Thread(target=lambda: seen.append(get_ready(cluster, name, set(), **CREATION))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    refused = [each.refusal for each in seen if each.refusal is not None]
    assert (len(seen), refused) == (4, [])
    assert get_ready(cluster, name, set()) == Seen(None, [], [])


def test_producing_when_permission_comes_late(cluster: Cluster, name: str) -> None:
    """DEV-014: a record that may not be written is not_authorized, never confirmed, and passes once it may."""
    cluster.create(name)
    cluster.allow(name, AclOperation.DESCRIBE)

    async def main() -> None:
        async with _producer(cluster) as producer:
            with pytest.raises(DeliveryFailed) as refused:
                await producer.send(_record(name), asyncio.get_running_loop().time() + 9)
            assert refused.value.code == "not_authorized"
            await asyncio.to_thread(cluster.allow, name, AclOperation.WRITE)
            await _until_sent(producer, name)

    asyncio.run(main())


async def _send(cluster: Cluster, topic: str, *, seconds: float) -> None:
    async with _producer(cluster) as producer:
        await producer.send(_record(topic), asyncio.get_running_loop().time() + seconds)


async def _until_sent(producer: KafkaProducer, topic: str) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + BACK_SECONDS
    while True:
        try:
            await producer.send(_record(topic), loop.time() + 9)
        except DeliveryFailed:
            assert loop.time() < deadline
            await asyncio.sleep(0.2)
        else:
            return


def _producer(cluster: Cluster) -> KafkaProducer:
    return KafkaProducer(producer_settings(worker_config(**cluster.settings()), connector_config()))


def _record(topic: str) -> ProducerRecord:
    return ProducerRecord(topic, b"key", b"value", [])
