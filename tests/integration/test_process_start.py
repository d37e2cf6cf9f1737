"""Starting a real process: what it prints, what it waits for, and how it ends where it cannot start."""

import json
import socket
import time
from pathlib import Path

import pytest

from bridge.embedded.consumer import read_all
from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.bridge_process import BridgeProcess, bridge_process, post, request, write_configuration
from tests.mock_cluster import mock_cluster
from tests.samples import NOT_JSON, SAMPLE, rma
from tests.servers.readiness import free_port
from tests.stands import registry_on

EMBEDDED = ("--embedded", "--port", "0", "--rest-port", "0")
NAMES = {"topic": TOPIC, "errors_deadletterqueue_topic_name": DEAD_LETTER_TOPIC}


def test_process_when_embedded_says_all_that_one_needs(tmp_path: Path) -> None:
    """The ready line has every address and the login, and with nothing else one can post and read back."""
    with bridge_process(tmp_path, *EMBEDDED) as bridge:
        ready = bridge.ready_line()
        assert set(ready) == {
            "webhook",
            "rest",
            "bootstrap.servers",
            "schema.registry.url",
            "topic",
            "dead.letter.topic",
            "username",
            "password",
        }
        login = {"username": ready["username"], "password": ready["password"]}
        answers = [post(ready["webhook"], body, **login).json() for body in (SAMPLE, NOT_JSON)]
        topics = [ready["topic"], ready["dead.letter.topic"]]
        records = read_all(
            ready["bootstrap.servers"],
            topics,
            ready["schema.registry.url"],
            at_least=dict.fromkeys(topics, 1),
            timeout_seconds=20,
        )
        assert bridge.stop() == 0
        assert bridge.rest_of_output() == ""
    assert [answer["status"] for answer in answers] == ["accepted", "quarantined"]
    assert [dict(record.headers)["ce_id"] for record in records] == [a["event_id"].encode() for a in answers]


def test_process_serves_its_management_port(tmp_path: Path) -> None:
    """Probes, metrics and the connector's status answer there, and not on the public port."""
    with bridge_process(tmp_path, *EMBEDDED) as bridge:
        ready = bridge.ready_line()
        public = ready["webhook"].removesuffix("/webhooks/rma")
        paths = ["/livez", "/readyz", "/health", "/metrics", "/connectors/rma-source/status"]
        assert [request(ready["rest"] + path).status for path in paths] == [200] * 5
        assert [request(public + path).status for path in paths] == [404] * 5


def test_process_generates_another_password_each_time(tmp_path: Path) -> None:
    """Two embedded runs have different logins, and one's is refused by the other with 401."""
    (tmp_path / "other").mkdir()
    with bridge_process(tmp_path, *EMBEDDED) as one, bridge_process(tmp_path / "other", *EMBEDDED) as other:
        first, second = one.ready_line(), other.ready_line()
        refused = post(first["webhook"], username=second["username"], password=second["password"])
    assert first["password"] != second["password"]
    assert refused.status == 401


def test_process_logs_neither_payloads_nor_secrets(tmp_path: Path) -> None:
    """At DEBUG, with events accepted, quarantined and refused, every log line is JSON and holds none of it."""
    canary = "canary-7f3a"
    bodies = [
        rma(giftee_email=f"{canary}@example.com", rma_identifier=canary),
        rma(status=[canary]),
        rma(**{canary: 1, "customer": {canary: canary}}),
        canary.encode(),
        json.dumps({canary: canary}).encode(),
        canary.encode() * 800_000,
    ]
    with bridge_process(tmp_path, *EMBEDDED, BRIDGE_LOG_LEVEL="DEBUG") as bridge:
        ready = bridge.ready_line()
        login = {"username": ready["username"], "password": ready["password"]}
        statuses = [post(ready["webhook"], body, **login).status for body in bodies]
        statuses.append(post(ready["webhook"], username=canary, password=canary).status)
        metrics = request(f"{ready['rest']}/metrics").body.decode()
        status = request(f"{ready['rest']}/connectors?expand=info&expand=status").body.decode()
        assert bridge.stop() == 0
        entries, log = bridge.log_entries(), bridge.log
    assert statuses == [200, 200, 200, 200, 200, 413, 401]
    assert {"time", "level", "logger", "message"} <= set.intersection(*(set(entry) for entry in entries))
    assert "DEBUG" in {entry["level"] for entry in entries}
    for text in (log, metrics, status):
        assert canary not in text
        assert ready["password"] not in text


@pytest.mark.parametrize(
    ("worker", "connector", "key"),
    [
        pytest.param("no.such.key=1\n", {}, "no.such.key", id="unknown key"),
        pytest.param("", {"webhook.auth.methods": "basic,nonsense"}, "webhook.auth.methods", id="connector"),
        pytest.param("log.level=LOUD\n", {"name": "a b"}, "log.level", id="both"),
    ],
)
def test_process_when_the_configuration_is_refused(
    tmp_path: Path, worker: str, connector: dict[str, str], key: str
) -> None:
    """It ends with 3, names each key on standard error, and prints nothing on standard output."""
    files = write_configuration(
        tmp_path, bootstrap_servers="127.0.0.1:1", schema_registry_url="http://127.0.0.1:1", **connector
    )
    with files[0].open("a") as file:
        file.write(worker)
    with bridge_process(tmp_path, *files) as bridge:
        assert bridge.wait() == 3
        assert (bridge.rest_of_output(), key in bridge.log) == ("", True)
        assert all(name in bridge.log for name in connector)


@pytest.mark.parametrize("flag", ["--port", "--rest-port"])
def test_process_when_a_port_is_taken(tmp_path: Path, flag: str) -> None:
    """It ends with 4 and names the listener."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        free = "--rest-port" if flag == "--port" else "--port"
        with bridge_process(tmp_path, "--embedded", flag, port, free, "0") as bridge:
            assert bridge.wait() == 4
            assert bridge.rest_of_output() == ""
            assert f"cannot listen on http://127.0.0.1:{port}" in bridge.log


def test_process_when_called_wrongly(tmp_path: Path) -> None:
    """It ends with 2, as the argument parser does."""
    with bridge_process(tmp_path, "--no-such-flag") as bridge:
        assert bridge.wait() == 2


def test_process_when_kafka_comes_later(tmp_path: Path) -> None:
    """It lives, says why it is not ready, answers 503, and is ready once Kafka is there, without a restart."""
    url = f"http://127.0.0.1:{free_port()}"
    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC) as cluster, registry_on(url):
        cluster.set_down()
        files = write_configuration(
            tmp_path, bootstrap_servers=cluster.bootstrap_servers, schema_registry_url=url, **NAMES
        )
        with bridge_process(tmp_path, *files) as bridge:
            assert _answers_before_ready(bridge) == (200, 503, 503, True)
            cluster.set_up()
            assert post(bridge.ready_line()["webhook"]).status == 200
            assert bridge.stop() == 0


def test_process_when_the_registry_comes_later(tmp_path: Path) -> None:
    """The same for the registry; once ready, the registry may go again and events are accepted."""
    url = f"http://127.0.0.1:{free_port()}"
    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC) as cluster:
        files = write_configuration(
            tmp_path, bootstrap_servers=cluster.bootstrap_servers, schema_registry_url=url, **NAMES
        )
        with bridge_process(tmp_path, *files) as bridge:
            assert _answers_before_ready(bridge) == (200, 503, 503, True)
            with registry_on(url):
                ready = bridge.ready_line()
            assert post(ready["webhook"]).status == 200
            assert request(f"{ready['rest']}/readyz").status == 200
            assert bridge.stop() == 0


def _answers_before_ready(bridge: BridgeProcess) -> tuple[int, int, int, bool]:
    """Liveness, readiness, the webhook's answer, and whether readiness comes with a reason."""
    listening = bridge.listening()
    live = request(f"{listening['rest']}/livez").status
    answer = post(listening["webhooks"]["rma-source"])
    assert "retry-after" in answer.headers
    deadline = time.monotonic() + 20
    while True:
        ready = request(f"{listening['rest']}/readyz")
        if ready.json()["reasons"] or time.monotonic() > deadline:
            return live, ready.status, answer.status, bool(ready.json()["reasons"])
        time.sleep(0.1)
