"""Is a topic safe for records that were answered 200? A judgement on what Kafka says of it; nothing is asked here."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

REPLICATION_FACTOR: Final = 3
MIN_INSYNC_REPLICAS: Final = 2
RETENTION_MS: Final = 30 * 24 * 60 * 60 * 1000
_FOREVER: Final = -1
_SETTINGS: Final[Mapping[str, str]] = {
    "min.insync.replicas": r"\d+",
    "unclean.leader.election.enable": "true|false",
    "cleanup.policy": "[a-z,]*",
    "max.message.bytes": r"\d+",
    "retention.ms": r"-?\d+",
}


class Audit(StrEnum):
    """What findings lead to: a refusal, warnings, or nothing since nobody looks for them."""

    STRICT = "strict"
    LENIENT = "lenient"
    OFF = "off"


@dataclass(frozen=True)
class Kind:
    """What a finding means and what to do about it; one that does not refuse is only ever a warning."""

    reason: str
    remedy: str
    refuses: bool = True


MISSING: Final = "topic_missing"
CREATION_REFUSED: Final = "creation_refused"
ABSENT: Final = frozenset({MISSING, CREATION_REFUSED})
NOT_AUTHORIZED: Final = "write_not_authorized"
NOT_DESCRIBED: Final = "not_described"
CONFIG_NOT_READABLE: Final = "config_not_readable"

KINDS: Final[Mapping[str, Kind]] = {
    MISSING: Kind(
        "nothing can be written",
        "create it, or set topic.creation.default.partitions and topic.creation.default.replication.factor",
    ),
    CREATION_REFUSED: Kind(
        "it is missing, and nothing can be written",
        "do as Kafka's words say, or create it by other means",
    ),
    NOT_AUTHORIZED: Kind(
        "Kafka would refuse every record",
        "grant WRITE on the topic, which brings DESCRIBE, to the user that the connector's producer logs in as",
    ),
    NOT_DESCRIBED: Kind(
        "nobody knows whether it is safe",
        "look at the brokers; where they cannot describe topics, set topic.audit=lenient or off",
    ),
    CONFIG_NOT_READABLE: Kind(
        "nobody knows whether it is safe",
        "grant DESCRIBE_CONFIGS on the topic to the user that the connector's producer logs in as, "
        "or set topic.audit=lenient",
    ),
    "replication_factor_low": Kind(
        "brokers that fail together take confirmed records with them",
        f"give every partition {REPLICATION_FACTOR} replicas (kafka-reassign-partitions)",
    ),
    "min_insync_replicas_low": Kind(
        "a record is confirmed while one broker alone has it",
        f"set the topic's min.insync.replicas={MIN_INSYNC_REPLICAS}",
    ),
    "min_insync_replicas_high": Kind(
        "nothing can be written while one broker is away",
        "set the topic's min.insync.replicas below its replication factor",
    ),
    "unclean_leader_election": Kind(
        "a replica that lags may become the leader, and confirmed records are gone",
        "set the topic's unclean.leader.election.enable=false",
    ),
    "compacted": Kind(
        "delivery is unordered: an old event would erase a newer one",
        "set the topic's cleanup.policy=delete; the latest state belongs into another topic",
    ),
    "max_message_bytes_low": Kind(
        "large events would become dead letters, or not even those",
        "set the topic's max.message.bytes to what the producer may send",
    ),
    "retention_short": Kind(
        "a consumer that is away for long misses events",
        "set the topic's retention.ms to at least 30 days",
        refuses=False,
    ),
}


@dataclass(frozen=True, kw_only=True)
class TopicFacts:
    """What Kafka says of a topic.

    `may_write` is None where it does not tell. `replication_factor` is that of the worst partition, and None like
    `config` where Kafka did not answer; its words are in `unanswered` then.
    """

    topic: str
    exists: bool = True
    may_write: bool | None = None
    replication_factor: int | None = None
    config: Mapping[str, str] | None = None
    unanswered: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a topic; `observed` is what was seen."""

    topic: str
    code: str
    observed: str

    @property
    def kind(self) -> Kind:
        """What it means."""
        return KINDS[self.code]

    def __str__(self) -> str:
        return f"{self.topic}: {self.observed}: {self.kind.reason}; {self.kind.remedy}"


def audit(facts: TopicFacts, *, message_max_bytes: int) -> tuple[Finding, ...]:
    """Return everything that is wrong with a topic whose producer sends up to `message_max_bytes` at once."""
    return tuple(Finding(facts.topic, code, observed) for code, observed in _wrongs(facts, message_max_bytes))


def _wrongs(facts: TopicFacts, message_max_bytes: int) -> Iterator[tuple[str, str]]:
    if facts.may_write is False:
        yield NOT_AUTHORIZED, "WRITE is not allowed"
    if not facts.exists:
        yield _absence(facts)
        return
    if facts.replication_factor is None:
        if facts.may_write is None:
            yield NOT_DESCRIBED, f"Kafka does not describe it: {facts.unanswered}"
        return
    if facts.replication_factor < REPLICATION_FACTOR:
        yield "replication_factor_low", f"replication factor {facts.replication_factor}"
    if facts.config is None:
        yield CONFIG_NOT_READABLE, f"its configuration cannot be read: {facts.unanswered}"
        return
    yield from _wrong_settings(facts.config, facts.replication_factor, message_max_bytes)


def _absence(facts: TopicFacts) -> tuple[str, str]:
    if facts.unanswered:
        return CREATION_REFUSED, f"it was not created: {facts.unanswered}"
    return MISSING, "it is missing in Kafka, or may not be seen"


def _wrong_settings(
    config: Mapping[str, str], replication_factor: int, message_max_bytes: int
) -> Iterator[tuple[str, str]]:
    told = {name: config[name] for name, form in _SETTINGS.items() if re.fullmatch(form, config.get(name, ""))}
    if untold := _SETTINGS.keys() - told:
        yield CONFIG_NOT_READABLE, f"Kafka does not tell {', '.join(sorted(untold))}"
    rules: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
        ("min_insync_replicas_low", "min.insync.replicas", lambda text: int(text) < MIN_INSYNC_REPLICAS),
        ("min_insync_replicas_high", "min.insync.replicas", lambda text: int(text) >= replication_factor),
        ("unclean_leader_election", "unclean.leader.election.enable", lambda text: text == "true"),
        ("compacted", "cleanup.policy", lambda text: "compact" in text),
        ("max_message_bytes_low", "max.message.bytes", lambda text: int(text) < message_max_bytes),
        ("retention_short", "retention.ms", lambda text: _FOREVER < int(text) < RETENTION_MS),
    )
    for code, name, is_wrong in rules:
        if name in told and is_wrong(told[name]):
            yield code, f"{name}={told[name]}"
