"""`docker compose up`, as the README promises it: from nothing to an acknowledged record, and away again."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType

from tests.containers.stack import Stack, stack

SAMPLE = (Path(__file__).parents[1] / "payloads" / "rma_spec5_created.json").read_bytes()
THIRTY_DAYS_MS = str(30 * 24 * 3600 * 1000)


@pytest.fixture(scope="module")
def running(compose: Sequence[str]) -> Iterator[Stack]:
    with stack(compose) as running:
        yield running


@pytest.fixture(scope="module")
def first_answer(running: Stack) -> tuple[str, float]:
    """The first webhook's status, and how many seconds after `up` it was answered."""
    status: str = running.post(SAMPLE)["status"]
    return status, time.monotonic() - running.started_at


def test_first_record_is_acknowledged_within_two_minutes_when_started_from_nothing(
    first_answer: tuple[str, float],
) -> None:
    """A newcomer has a record in Kafka before the coffee is ready, the image's build included."""
    status, seconds = first_answer
    assert (status, seconds < 120) == ("accepted", True)


@pytest.mark.usefixtures("first_answer")
def test_record_is_readable_by_its_schema_id_when_accepted(running: Stack) -> None:
    """Another team's consumer finds the key as text, and the value's schema in the registry."""
    record = running.records("returns.rma.v1", 1)[0]
    value = record.value() or b""
    schema = running.schema(int.from_bytes(value[1:5], "big"))
    assert (record.key(), value[:1], schema["name"]) == (b"rma1234", b"\0", "Rma")


@pytest.mark.parametrize(
    ("topic", "partitions"),
    [
        pytest.param("returns.rma.v1", 12, id="records"),
        pytest.param("returns.rma.v1.dlq", 3, id="dead-letters"),
    ],
)
def test_topic_has_its_intended_settings_when_created(running: Stack, topic: str, partitions: int) -> None:
    """Both topics are made as decided, not by the broker's defaults."""
    admin = AdminClient({"bootstrap.servers": running.bootstrap_servers})
    resource = ConfigResource(ResourceType.TOPIC, topic)
    config = admin.describe_configs([resource])[resource].result(10)
    assert len(admin.list_topics(topic, timeout=10).topics[topic].partitions) == partitions
    assert config["cleanup.policy"].value == "delete"
    assert config["retention.ms"].value == THIRTY_DAYS_MS


def test_every_service_is_healthy_when_up_returns(running: Stack) -> None:
    """Each service has a health check, and it passes."""
    services = [json.loads(line) for line in running.run("ps", "--format", "json").splitlines()]
    assert {service["Service"]: service["Health"] for service in services} == {
        "kafka": "healthy",
        "registry": "healthy",
        "bridge": "healthy",
    }


def test_samples_reach_both_topics_when_sent_by_the_profile(running: Stack) -> None:
    """The samples are all answered 200, and the one that cannot be used is a dead letter."""
    answers = running.run("run", "--rm", "samples").splitlines()
    dead_letters = running.records("returns.rma.v1.dlq", 1)
    assert {answer.split()[0] for answer in answers} == {"200"}
    assert len(dead_letters) == 1


def test_bridge_exits_cleanly_when_compose_stops_it(running: Stack) -> None:
    """As process 1 of its container the bridge still hears SIGTERM, and drains."""
    running.run("stop", "bridge")
    stopped = json.loads(running.run("ps", "--all", "--format", "json", "bridge"))
    assert (stopped["State"], stopped["ExitCode"]) == ("exited", 0)
