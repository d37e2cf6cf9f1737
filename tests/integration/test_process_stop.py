"""SIGTERM and SIGINT on a real process: nothing that was accepted is lost, and it ends in time with 0."""

import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bridge.embedded.consumer import ConsumedRecord, read_all
from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.bridge_process import bridge_process, post, request, write_configuration
from tests.conftest import RealKafka
from tests.load import under_load
from tests.mock_cluster import mock_cluster
from tests.servers.readiness import free_port
from tests.stands import embedded_parts, registry_on

NAMES = {"topic": TOPIC, "errors_deadletterqueue_topic_name": DEAD_LETTER_TOPIC}
STOP_SECONDS = 25


def test_process_when_terminated_under_load(tmp_path: Path) -> None:
    """On embedded parts, each event that was answered 200 is in the topic that the answer told of."""
    with embedded_parts([TOPIC, DEAD_LETTER_TOPIC]) as addresses:
        _loses_nothing(tmp_path, *addresses, TOPIC, DEAD_LETTER_TOPIC)


def test_process_when_terminated_under_load_on_real_servers(
    tmp_path: Path, real_kafka: RealKafka, real_registry_url: str, make_topic: Callable[..., str]
) -> None:
    """On real Kafka and a real registry, too."""
    _loses_nothing(tmp_path, real_kafka.bootstrap_servers, real_registry_url, make_topic(6), make_topic())


def _loses_nothing(
    folder: Path, bootstrap_servers: str, schema_registry_url: str, topic: str, dead_letter_topic: str
) -> None:
    files = write_configuration(
        folder,
        bootstrap_servers=bootstrap_servers,
        schema_registry_url=schema_registry_url,
        topic=topic,
        errors_deadletterqueue_topic_name=dead_letter_topic,
    )
    with bridge_process(folder, *files) as bridge:
        with under_load(bridge.ready_line()["webhook"]) as load:
            assert load.enough.wait(60), f"too little was accepted: {load.statuses}, {bridge.log[-2_000:]}"
            started = time.monotonic()
            code = bridge.stop()
            seconds = time.monotonic() - started
        entries = bridge.log_entries()
    wanted = {topic: len(load.accepted), dead_letter_topic: len(load.quarantined)}
    records = read_all(
        bootstrap_servers, [topic, dead_letter_topic], schema_registry_url, at_least=wanted, timeout_seconds=30
    )
    assert (code, seconds < STOP_SECONDS) == (0, True)
    assert load.accepted <= _ids(records, topic)
    assert load.quarantined <= _ids(records, dead_letter_topic)
    assert set(load.statuses) <= {200, 503}
    assert len(load.quarantined) > 10
    assert [entry["unflushed"] for entry in entries if entry["message"] == "flushed"] == [0]


def _ids(records: Sequence[ConsumedRecord], topic: str) -> set[str]:
    ids = [dict(record.headers)["ce_id"] or b"" for record in records if record.topic == topic]
    return {event_id.decode() for event_id in ids}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_process_when_idle(tmp_path: Path, number: signal.Signals) -> None:
    """Either signal ends it with 0, at once; its one line stays the only one."""
    with bridge_process(tmp_path, "--embedded", "--port", "0", "--rest-port", "0") as bridge:
        bridge.ready_line()
        started = time.monotonic()
        assert bridge.stop(number) == 0
        assert time.monotonic() - started < 5
        assert bridge.rest_of_output() == ""
        assert bridge.log_entries()[-1]["message"] == "stopped"


def test_process_when_terminated_twice(tmp_path: Path) -> None:
    """A second signal changes nothing."""
    with bridge_process(tmp_path, "--embedded", "--port", "0", "--rest-port", "0") as bridge:
        bridge.ready_line()
        bridge.process.send_signal(signal.SIGTERM)
        assert bridge.stop() == 0


def test_process_when_terminated_before_it_is_ready(tmp_path: Path) -> None:
    """With Kafka and the registry away it ends with 0 too, in time, and never said that it was ready."""
    files = write_configuration(
        tmp_path, bootstrap_servers="127.0.0.1:1", schema_registry_url="http://127.0.0.1:1", **NAMES
    )
    with bridge_process(tmp_path, *files) as bridge:
        bridge.listening()
        started = time.monotonic()
        assert bridge.stop() == 0
        assert time.monotonic() - started < STOP_SECONDS
        assert bridge.rest_of_output() == ""


def test_process_when_terminated_with_kafka_down(tmp_path: Path) -> None:
    """Requests in flight are answered 503, readiness is false at once, and the process ends with 0 in time."""
    url = f"http://127.0.0.1:{free_port()}"
    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC) as cluster, registry_on(url):
        files = write_configuration(
            tmp_path, bootstrap_servers=cluster.bootstrap_servers, schema_registry_url=url, **NAMES
        )
        with bridge_process(tmp_path, *files) as bridge:
            ready = bridge.ready_line()
            assert post(ready["webhook"]).status == 200
            cluster.set_down()
            with under_load(ready["webhook"], senders=5) as load:
                _wait_for_requests(ready["rest"], 5)
                started = time.monotonic()
                bridge.process.send_signal(signal.SIGTERM)
                time_of_probe = _readiness_falls(ready["rest"])
                code = bridge.wait()
                seconds = time.monotonic() - started
    assert (code, time_of_probe < started + 2, seconds < STOP_SECONDS) == (0, True, True)
    assert (load.statuses[503], set(load.statuses)) == (5, {503})


def _wait_for_requests(rest: str, count: int) -> None:
    line = f'rma_bridge_requests_in_flight{{connector="rma-source"}} {count}.0'
    _until(lambda: line in request(f"{rest}/metrics").body.decode())


def _readiness_falls(rest: str) -> float:
    _until(lambda: request(f"{rest}/readyz").status == 503)
    return time.monotonic()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
