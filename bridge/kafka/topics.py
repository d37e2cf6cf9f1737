"""The topics a connector writes to: they are there, created by `topic.creation.*` where they are not, and safe.

Nothing is created that the configuration does not ask for, and nothing that is there is changed.
"""

import asyncio
import concurrent.futures
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, says the client, but not to type checkers
    AclOperation,
    AdminClient,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from bridge.errors import NotReady
from bridge.kafka.audit import ABSENT, NOT_AUTHORIZED, Audit, Finding, TopicFacts, audit
from bridge.kafka.delivery import failure

TIMEOUT_SECONDS: Final = 3.0  # each of at most three questions: listing, creating, describing
_HINTS: Final = {
    KafkaError.INVALID_CONFIG: "correct topic.creation.default.*",
    KafkaError.INVALID_PARTITIONS: "correct the number of partitions in topic.creation.default.partitions or "
    "errors.deadletterqueue.topic.partitions",
    KafkaError.INVALID_REPLICATION_FACTOR: "add brokers, or correct topic.creation.default.replication.factor and "
    "errors.deadletterqueue.topic.replication.factor",
    KafkaError.POLICY_VIOLATION: "correct topic.creation.default.* by the policy of the brokers",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "grant CREATE on the topic, or create it yourself",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "grant CREATE on the topic, or create it yourself",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TopicSettings:
    """A topic as it should be created; -1 means the broker's default."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Topics:
    """A connector's topics, how those that are missing are created, and how hard they are looked at."""

    connector: str
    names: Sequence[str]
    creation: Sequence[TopicSettings]
    audit: Audit
    message_max_bytes: int


class Cluster(Protocol):
    """Whoever can say which topics there are."""

    @property
    def login(self) -> Mapping[str, Any]:
        """The librdkafka properties with which it gets in now: what is said of permissions must be true of it."""

    async def topics(self, timeout_seconds: float) -> Mapping[str, int]:
        """Return topic names with their number of partitions; creates none. Raises TemporarilyUnavailable."""


async def prepare(cluster: Cluster, topics: Topics, report: Callable[[Sequence[Finding]], None]) -> None:
    """Return once every topic is there and safe enough, after creating what is missing and described in `creation`.

    Takes 10 s at most. `report` gets what was found, each time. Raises TemporarilyUnavailable while a topic is missing,
    no broker answers, or the audit refuses.
    """
    client = {**cluster.login, "client.id": f"connector-adminclient-{topics.connector}-0"}
    existing = await cluster.topics(TIMEOUT_SECONDS)
    wanted = [topic for topic in topics.creation if topic.name not in existing]
    refusals = await asyncio.to_thread(_create, client, wanted) if wanted else {}
    listed = existing.keys() | {topic.name for topic in wanted} - refusals.keys()
    facts = [TopicFacts(topic=name, exists=name in listed, unanswered=refusals.get(name, "")) for name in topics.names]
    if topics.audit is Audit.OFF:
        facts = [each for each in facts if not each.exists]
    else:
        facts = await asyncio.to_thread(_describe, client, facts)
    findings = [found for each in facts for found in audit(each, message_max_bytes=topics.message_max_bytes)]
    report(findings)
    _refuse(findings, topics.audit)
    _warn(findings, topics.connector)


def _refuse(findings: Sequence[Finding], mode: Audit) -> None:
    """Raise NotReady where the mode does not let a finding pass; a topic that is not there, none does."""
    strict = mode is Audit.STRICT
    refusing = [found for found in findings if (found.kind.refuses if strict else found.code in ABSENT)]
    if not refusing:
        return
    raise NotReady("; ".join(map(str, refusing)), code=_refusal_code({found.code for found in refusing}))


def _refusal_code(codes: set[str]) -> str:
    """A topic that may not be written to may also be hidden, so the permission comes first."""
    if NOT_AUTHORIZED in codes:
        return "not_authorized"
    return "topic_missing" if codes & ABSENT else "topic_unsafe"


def _warn(findings: Sequence[Finding], connector: str) -> None:
    for found in findings:
        extra = {"connector": connector, "topic": found.topic, "reason": found.code}
        logger.warning("unsafe topic: %s", found, extra=extra)


def _create(client: Mapping[str, Any], topics: Sequence[TopicSettings]) -> dict[str, str]:
    """Create what is not there, and return Kafka's words and a hint by topic where it refused."""
    wanted = [NewTopic(t.name, t.partitions, t.replication_factor, config=dict(t.config)) for t in topics]
    timeouts = {"operation_timeout": TIMEOUT_SECONDS, "request_timeout": TIMEOUT_SECONDS}
    refusals = {}
    admin = _admin(client)  # kept until the last answer: a client that is collected gives up its questions
    for name, future in admin.create_topics(wanted, **timeouts).items():
        error = _answer(future)
        if isinstance(error, KafkaError) and error.code() != KafkaError.TOPIC_ALREADY_EXISTS:
            hint = _HINTS.get(error.code())
            refusals[name] = f"{failure(error)} ({hint})" if hint else str(failure(error))
    return refusals


def _describe(client: Mapping[str, Any], topics: Sequence[TopicFacts]) -> list[TopicFacts]:
    """Return more facts of the same topics: who may write, how they are replicated, how they are configured."""
    admin = _admin(client)
    names = [facts.topic for facts in topics]
    resources = {name: ConfigResource(ResourceType.TOPIC, name) for name in names}
    described = admin.describe_topics(
        TopicCollection(names), include_authorized_operations=True, request_timeout=TIMEOUT_SECONDS
    )
    configured = admin.describe_configs(list(resources.values()), request_timeout=TIMEOUT_SECONDS)
    return [
        _configured(_described(facts, described[facts.topic]), configured[resources[facts.topic]]) for facts in topics
    ]


def _described(facts: TopicFacts, future: concurrent.futures.Future[Any]) -> TopicFacts:
    described = _answer(future)
    if isinstance(described, KafkaError):
        return _undescribed(facts, described)
    operations = described.authorized_operations
    return replace(
        facts,
        exists=True,
        may_write=None if operations is None else AclOperation.WRITE in operations,
        replication_factor=min(len(partition.replicas) for partition in described.partitions),
    )


def _undescribed(facts: TopicFacts, error: KafkaError) -> TopicFacts:
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return replace(facts, may_write=False)  # WRITE brings DESCRIBE
    if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return replace(facts, exists=False)
    return replace(facts, unanswered=facts.unanswered or str(failure(error)))


def _configured(facts: TopicFacts, future: concurrent.futures.Future[Any]) -> TopicFacts:
    entries = _answer(future)
    if isinstance(entries, KafkaError):
        return facts if facts.replication_factor is None else replace(facts, unanswered=str(failure(entries)))
    return replace(facts, config={name: entry.value for name, entry in entries.items() if entry.value is not None})


def _answer(future: concurrent.futures.Future[Any]) -> Any:
    """Return what the future holds, or the error that Kafka answered."""
    try:
        return future.result()
    except KafkaException as exc:
        return exc.args[0]


def _admin(client: Mapping[str, Any]) -> AdminClient:
    try:
        return AdminClient(dict(client), logger=logging.getLogger("librdkafka"))
    except KafkaException as exc:
        raise NotReady(f"no Kafka client for the topics: {exc.args[0].str()}", code="topic_missing") from exc
