"""A real process on real servers of one node: what it says about its topics, and how it outlives them."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bridge.embedded.consumer import read_all
from tests.bridge_process import BridgeProcess, bridge_process, post, request, write_configuration
from tests.conftest import RealKafka
from tests.samples import NOT_JSON, rma

ADMIN_SECONDS = 15
AWAY_SECONDS = 12  # longer than a record waits for its report
BACK_SECONDS = 15
FINDINGS_OF_ONE_NODE = {
    "replication_factor_low",
    "min_insync_replicas_low",
    "min_insync_replicas_high",
    "retention_short",
}


@dataclass
class Answer:
    """One event's answer, with the monotonic times of its request and of the answer."""

    asked_at: float
    answered_at: float
    status: int
    event_id: str | None


@dataclass
class Senders:
    """Several that post without a pause, each a new event every time."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, sender: int) -> None:
        number = 0
        while not self.stop.wait(0.1):
            number += 1
            asked_at = time.monotonic()
            reply = post(self.url, rma(rma_identifier=f"{sender}-{number}"))
            event_id = reply.json().get("event_id") if reply.status == 200 else None
            self.answers.append(Answer(asked_at, time.monotonic(), reply.status, event_id))


@pytest.fixture
def topic(kafka_admin: AdminClient) -> Iterator[str]:
    """A name; what a test makes of it is removed."""
    name = f"test.{uuid.uuid4().hex}"
    yield name
    made = [each for each in (name, f"{name}.dlq") if each in kafka_admin.list_topics(timeout=10).topics]
    for deleted in kafka_admin.delete_topics(made).values() if made else ():
        deleted.result(ADMIN_SECONDS)


def create(kafka_admin: AdminClient, *names: str) -> None:
    new = [NewTopic(name, num_partitions=3, replication_factor=1) for name in names]
    for created in kafka_admin.create_topics(new).values():
        created.result(ADMIN_SECONDS)


def configuration(folder: Path, kafka: RealKafka, registry_url: str, topic: str, audit: str) -> list[Path]:
    files = write_configuration(
        folder,
        bootstrap_servers=kafka.bootstrap_servers,
        schema_registry_url=registry_url,
        topic=topic,
        topic_audit=audit,
    )
    return list(files)


def findings(rest: str) -> set[str]:
    """The codes that the metrics show."""
    lines = request(f"{rest}/metrics").body.decode().splitlines()
    return {line.split('code="')[1].split('"')[0] for line in lines if line.startswith("rma_bridge_topic_findings{")}


def until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        pause.wait(0.1)


def test_process_when_its_topics_are_unsafe(
    tmp_path: Path, real_kafka: RealKafka, real_registry_url: str, kafka_admin: AdminClient, topic: str
) -> None:
    """By default it is not ready: /readyz and the metrics say why, and the webhook answers 503."""
    create(kafka_admin, topic, f"{topic}.dlq")
    files = configuration(tmp_path, real_kafka, real_registry_url, topic, "strict")
    with bridge_process(tmp_path, *files) as bridge:
        listening = bridge.listening()
        until(lambda: findings(listening["rest"]) == FINDINGS_OF_ONE_NODE, 20)
        ready = request(f"{listening['rest']}/readyz")
        assert (ready.status, post(listening["webhooks"]["rma-source"]).status) == (503, 503)
        [reason] = ready.json()["reasons"]["rma-source"]
        assert reason.startswith(f"topic_unsafe: {topic}: replication factor 1: ")
        assert bridge.stop() == 0


def test_process_when_its_topics_come_later(
    tmp_path: Path, real_kafka: RealKafka, real_registry_url: str, kafka_admin: AdminClient, topic: str
) -> None:
    """DEV-015: it does not make them; once somebody does, a lenient one is ready without a restart, and warns."""
    files = configuration(tmp_path, real_kafka, real_registry_url, topic, "lenient")
    with bridge_process(tmp_path, *files) as bridge:
        listening = bridge.listening()
        until(lambda: findings(listening["rest"]) == {"topic_missing"}, 20)
        assert post(listening["webhooks"]["rma-source"]).status == 503
        assert topic not in kafka_admin.list_topics(timeout=10).topics
        create(kafka_admin, topic, f"{topic}.dlq")
        ready = bridge.ready_line()
        assert [post(ready["webhook"], body).status for body in (rma(), NOT_JSON)] == [200, 200]
        assert findings(ready["rest"]) == FINDINGS_OF_ONE_NODE
        assert bridge.stop() == 0
        assert _warned(bridge) == {(name, code) for name in (topic, f"{topic}.dlq") for code in FINDINGS_OF_ONE_NODE}


def _warned(bridge: BridgeProcess) -> set[tuple[str, str]]:
    entries = [entry for entry in bridge.log_entries() if entry["message"].startswith("unsafe topic: ")]
    assert {(entry["level"], entry["connector"]) for entry in entries} == {("WARNING", "rma-source")}
    return {(entry["topic"], entry["reason"]) for entry in entries}


def test_process_when_its_topic_is_deleted_and_made_again(
    tmp_path: Path, real_kafka: RealKafka, real_registry_url: str, kafka_admin: AdminClient, topic: str
) -> None:
    """503 while it is away, 200 within seconds after it is back, each 200 in the new topic; never a restart."""
    create(kafka_admin, topic, f"{topic}.dlq")
    files = configuration(tmp_path, real_kafka, real_registry_url, topic, "lenient")
    with bridge_process(tmp_path, *files) as bridge:
        senders = Senders(bridge.ready_line()["webhook"])
        threads = [threading.Thread(target=senders.run, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: len(senders.answers) > 20, 10)
        gone_at, back_at = _delete_and_make_again(kafka_admin, topic)
        until(lambda: any(each.asked_at > back_at and each.status == 200 for each in senders.answers), BACK_SECONDS)
        senders.stop.set()
        for thread in threads:
            thread.join()
        assert bridge.stop() == 0
    assert {each.status for each in senders.answers} == {200, 503}
    away = [each for each in senders.answers if each.asked_at > gone_at and each.answered_at < back_at]
    assert {each.status for each in away} <= {503}
    after = {each.event_id for each in senders.answers if each.answered_at > back_at and each.status == 200}
    records = read_all(
        real_kafka.bootstrap_servers, [topic], real_registry_url, at_least={topic: len(after)}, timeout_seconds=20
    )
    assert after <= {(dict(record.headers)["ce_id"] or b"").decode() for record in records}


def _delete_and_make_again(kafka_admin: AdminClient, topic: str) -> tuple[float, float]:
    """When it was gone, and when it was about to be back; nobody else makes it in between."""
    kafka_admin.delete_topics([topic])[topic].result(ADMIN_SECONDS)
    until(lambda: topic not in kafka_admin.list_topics(timeout=10).topics, ADMIN_SECONDS)
    gone_at = time.monotonic()
    threading.Event().wait(AWAY_SECONDS)
    assert topic not in kafka_admin.list_topics(timeout=10).topics
    back_at = time.monotonic()
    create(kafka_admin, topic)
    return gone_at, back_at
