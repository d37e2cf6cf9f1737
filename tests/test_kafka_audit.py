"""What makes a topic unsafe, what is said about it, and that the operators' page says the same."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.kafka.audit import KINDS, TopicFacts, audit

MESSAGE_MAX_BYTES = 1_000_000
CONFIG = {
    "min.insync.replicas": "2",
    "unclean.leader.election.enable": "false",
    "cleanup.policy": "delete",
    "max.message.bytes": "1048588",
    "retention.ms": "2592000000",
}
SAFE = TopicFacts(topic="returns", may_write=True, replication_factor=3, config=CONFIG)
OPERATING = Path(__file__).parent.parent / "docs" / "operating.md"


def configured(**settings: str) -> TopicFacts:
    """The safe topic with other settings; `_` stands for `.`."""
    return replace(SAFE, config=CONFIG | {name.replace("_", "."): text for name, text in settings.items()})


def codes(facts: TopicFacts) -> list[str]:
    return [finding.code for finding in audit(facts, message_max_bytes=MESSAGE_MAX_BYTES)]


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(SAFE, id="the defaults of this project"),
        pytest.param(replace(SAFE, may_write=None), id="a broker that tells no permissions"),
        pytest.param(replace(SAFE, replication_factor=5), id="more replicas"),
        pytest.param(replace(configured(min_insync_replicas="3"), replication_factor=4), id="stricter"),
        pytest.param(configured(retention_ms="-1"), id="kept for ever"),
        pytest.param(configured(max_message_bytes="1000000"), id="exactly large enough"),
    ],
)
def test_audit_when_the_topic_is_safe(facts: TopicFacts) -> None:
    """Nothing is found."""
    assert codes(facts) == []


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(replace(SAFE, exists=False), ["topic_missing"], id="missing"),
        pytest.param(
            TopicFacts(topic="t", exists=False, unanswered="INVALID_CONFIG"), ["creation_refused"], id="not created"
        ),
        pytest.param(replace(SAFE, may_write=False), ["write_not_authorized"], id="write"),
        pytest.param(TopicFacts(topic="t", may_write=False), ["write_not_authorized"], id="write and describe"),
        pytest.param(
            TopicFacts(topic="t", exists=False, may_write=False),
            ["write_not_authorized", "topic_missing"],
            id="hidden",
        ),
        pytest.param(TopicFacts(topic="t", unanswered="_TIMED_OUT"), ["not_described"], id="no answer"),
        pytest.param(replace(SAFE, config=None), ["config_not_readable"], id="configuration"),
        pytest.param(
            replace(SAFE, config={name: text for name, text in CONFIG.items() if name != "retention.ms"}),
            ["config_not_readable"],
            id="one setting not told",
        ),
        pytest.param(configured(max_message_bytes="many"), ["config_not_readable"], id="one setting not understood"),
        pytest.param(
            replace(SAFE, replication_factor=2), ["replication_factor_low", "min_insync_replicas_high"], id="2"
        ),
        pytest.param(
            replace(SAFE, replication_factor=1, config=CONFIG | {"min.insync.replicas": "1"}),
            ["replication_factor_low", "min_insync_replicas_low", "min_insync_replicas_high"],
            id="one node",
        ),
        pytest.param(configured(min_insync_replicas="1"), ["min_insync_replicas_low"], id="min.insync 1"),
        pytest.param(configured(min_insync_replicas="3"), ["min_insync_replicas_high"], id="min.insync 3"),
        pytest.param(
            configured(unclean_leader_election_enable="true"), ["unclean_leader_election"], id="unclean election"
        ),
        pytest.param(configured(cleanup_policy="compact"), ["compacted"], id="compact"),
        pytest.param(configured(cleanup_policy="compact,delete"), ["compacted"], id="compact and delete"),
        pytest.param(configured(max_message_bytes="999999"), ["max_message_bytes_low"], id="small messages"),
        pytest.param(configured(retention_ms="2591999999"), ["retention_short"], id="short retention"),
    ],
)
def test_audit_when_something_is_wrong(facts: TopicFacts, expected: list[str]) -> None:
    """Exactly that is found."""
    assert codes(facts) == expected


def test_audit_when_everything_is_wrong() -> None:
    """All of it is found at once, so that it can be mended at once."""
    settings = {
        "min_insync_replicas": "1",
        "unclean_leader_election_enable": "true",
        "cleanup_policy": "compact",
        "max_message_bytes": "1000",
        "retention_ms": "1000",
    }

    found = codes(replace(configured(**settings), may_write=False, replication_factor=1))
    assert set(found) == KINDS.keys() - {"topic_missing", "creation_refused", "not_described", "config_not_readable"}


def test_findings_when_read() -> None:
    """Each says which topic, what was seen, why it matters and what to do."""
    [finding] = audit(configured(unclean_leader_election_enable="true"), message_max_bytes=MESSAGE_MAX_BYTES)

    assert str(finding) == (
        "returns: unclean.leader.election.enable=true: a replica that lags may become the leader, and confirmed "
        "records are gone; set the topic's unclean.leader.election.enable=false"
    )


def test_retention_is_never_a_refusal() -> None:
    """Everything else is one in strict mode."""
    assert [code for code, kind in KINDS.items() if not kind.refuses] == ["retention_short"]


def test_operating_page_when_findings_change() -> None:
    """The table of docs/operating.md is the table of the code."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", OPERATING.read_text(), re.MULTILINE)

    assert {code: (reason, remedy) for code, reason, remedy in rows if code in KINDS} == {
        code: (kind.reason, kind.remedy) for code, kind in KINDS.items()
    }
