"""The command line as its user meets it: output, messages, exit codes."""

import json
from pathlib import Path

import pytest

from tests.processes import bridge, run

SECRET = "correct-horse-battery"
WORKER = """
bootstrap.servers=127.0.0.1:1
schema.registry.url=http://127.0.0.1:1
config.providers.env.param.allowlist.pattern=TEST_.*
"""
CONNECTOR = {
    "name": "returns",
    "config": {
        "connector.class": "OptoroRmaSource",
        "webhook.auth.methods": "basic,api.key",
        "webhook.auth.basic.username": "optoro",
        "webhook.auth.basic.password": "${env:TEST_PASSWORD}",
        "webhook.auth.api.key.value": SECRET,
    },
}


@pytest.fixture
def worker_file(tmp_path: Path) -> Path:
    file = tmp_path / "worker.properties"
    file.write_text(WORKER)
    return file


@pytest.fixture
def connector_file(tmp_path: Path) -> Path:
    file = tmp_path / "returns.json"
    file.write_text(json.dumps(CONNECTOR))
    return file


def test_config_when_printed(worker_file: Path, connector_file: Path) -> None:
    """Each value stands with its origin; no secret is shown, a reference is."""
    done = run(
        "config", worker_file, connector_file, environment={"TEST_PASSWORD": SECRET, "BRIDGE_LOG_LEVEL": "DEBUG"}
    )
    assert done.returncode == 0
    assert SECRET not in done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["log.level=DEBUG", "#", "environment", "BRIDGE_LOG_LEVEL"] in lines
    assert ["webhook.auth.basic.password=${env:TEST_PASSWORD}", "#", "file", str(connector_file)] in lines
    assert ["webhook.auth.api.key.value=[hidden]", "#", "file", str(connector_file)] in lines
    assert ["topic=returns.rma.v1", "#", "default"] in lines


def test_run_when_the_configuration_is_wrong(worker_file: Path, connector_file: Path) -> None:
    """All problems of all sources are listed at once, nothing is started, and the exit code is 3."""
    worker_file.write_text(WORKER + "producer.acks=1\nproducer.liner.ms=1\nlisteners=http://0.0.0.0:0\ntopik=x\n")
    done = run("run", worker_file, connector_file, environment={"TEST_PASSWORD": "", "BRIDGE_LOG_LEVEL": "LOUD"})
    assert done.returncode == 3
    assert done.stdout == ""
    for key in (
        "producer.acks",
        "producer.liner.ms",
        "rest.auth",
        "topik",
        "log.level",
        "webhook.auth.basic.password",
    ):
        assert f"\n  {key}: " in done.stderr, key
    assert SECRET not in done.stderr


def test_run_when_no_connector_is_given(worker_file: Path) -> None:
    """A worker without a connector is refused, with what to do."""
    done = run("run", worker_file)
    assert done.returncode == 3
    assert "name a connector file or set connectors.dir" in done.stderr


def test_run_when_connectors_collide(worker_file: Path, connector_file: Path, tmp_path: Path) -> None:
    """Two connectors may share neither name nor path."""
    other = tmp_path / "other.json"
    other.write_text(connector_file.read_text())
    done = run("run", worker_file, connector_file, other, environment={"TEST_PASSWORD": "p"})
    assert done.returncode == 3
    assert 'name: "returns" is that of two connectors' in done.stderr
    assert 'webhook.path: "/webhooks/rma" is that of two connectors' in done.stderr


def test_connectors_dir_when_set(worker_file: Path, connector_file: Path) -> None:
    """Connector files of the folder are read; other files are left alone."""
    worker_file.write_text(WORKER + f"connectors.dir={connector_file.parent}\n")
    connector_file.rename(connector_file.parent / "z.json")
    worker_file.rename(worker_file.parent / "worker.txt")
    done = run("config", worker_file.parent / "worker.txt", environment={"TEST_PASSWORD": "p"})
    assert done.returncode == 0, done.stderr
    assert "# Connector returns" in done.stdout


def test_run_when_the_port_is_taken() -> None:
    """A port that is taken ends the process with 4 and one line that names the listener."""
    with bridge("--embedded", "--port", 0, "--rest-port", 0) as running:
        port = running.ready["rest"].rpartition(":")[2]
        done = run("run", "--embedded", "--port", 0, "--rest-port", port)
    assert done.returncode == 4
    assert f"cannot listen on http://127.0.0.1:{port}" in done.stderr


def test_ready_line_when_embedded() -> None:
    """Standard output has one JSON line with where everything is, and a login that is new in every run."""
    with (
        bridge("--embedded", "--port", 0, "--rest-port", 0) as one,
        bridge("--embedded", "--port", 0, "--rest-port", 0) as two,
    ):
        assert one.ready["webhook"].endswith("/webhooks/rma")
        assert one.ready["topic"] == "returns.rma.v1"
        assert one.ready["dead.letter.topic"] == "returns.rma.v1.dlq"
        assert one.ready["username"] == "optoro"
        assert one.ready["password"] != two.ready["password"]


def test_simulate_when_the_password_is_wrong() -> None:
    """Refused deliveries are printed, and the exit code is 1."""
    with bridge("--embedded", "--port", 0, "--rest-port", 0) as running:
        done = run("simulate", "--url", running.ready["webhook"], "--username", "optoro", "--password", "wrong")
    assert done.returncode == 1
    assert {line[:3] for line in done.stdout.splitlines()} == {"401"}


def test_simulate_when_nobody_listens() -> None:
    """No answer at all ends with 4 and one line."""
    done = run("simulate", "--url", "http://127.0.0.1:1/", "--username", "u", "--password", "p")
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1


def test_schema_when_worked_through(connector_file: Path, worker_file: Path) -> None:
    """diff and check change nothing; register makes both agree."""
    with bridge("--embedded", "--port", 0, "--rest-port", 0) as running:
        worker_file.write_text(WORKER.replace("http://127.0.0.1:1", running.ready["schema.registry.url"]))
        connector = CONNECTOR["config"] | {"topic": "other.topic"}  # type: ignore[operator]
        connector_file.write_text(json.dumps(CONNECTOR | {"config": connector}))
        steps = [("diff", 1), ("check", 0), ("diff", 1), ("register", 0), ("check", 0), ("diff", 0)]
        for action, expected in steps:
            done = run("schema", action, worker_file, connector_file, environment={"TEST_PASSWORD": "p"})
            assert done.returncode == expected, (action, done.stdout, done.stderr)
            assert "other.topic-value" in done.stdout
    assert "version 1 in the registry is ours" in done.stdout


def test_schema_when_the_registry_is_away(connector_file: Path, worker_file: Path) -> None:
    """A registry that does not answer ends with 4, and the line says which address."""
    done = run("schema", "check", worker_file, connector_file, environment={"TEST_PASSWORD": "p"})
    assert done.returncode == 4
    assert "registry_unreachable" in done.stderr
    assert "http://127.0.0.1:1" in done.stderr


def test_demo_when_run() -> None:
    """The demonstration shows request, answer, record and dead letter, and ends with 0."""
    done = run("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for part in ("partition", "ce_id", "dead letter", "field_wrong_type", "additional_fields", "INSTANT_STORE_CREDIT"):
        assert part in done.stdout, part
    assert "8 events acknowledged; read back: 7 records, 1 dead letter." in done.stdout
