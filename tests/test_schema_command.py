"""`rma-bridge schema` as a pipeline uses it: what it prints, and what its exit codes say."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bridge.avro.registry import RegistryClient, RegistrySettings
from bridge.avro.schemas import load_schema, parse_schema, same_schema
from bridge.cli import main
from bridge.embedded.registry import embedded_registry
from tests.fake_registry import FakeRegistry, Script, fake_registry, http_answer, refusal
from tests.schema_histories import RMA, added, removed, retyped

ROOT = Path(__file__).parent.parent
SUBJECT = "returns.rma.v1-value"
OURS = load_schema(RMA, subject=SUBJECT)
Command = Callable[..., int]


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry(embedded_registry()) as served:
        yield served


@pytest.fixture
def command(tmp_path: Path, registry: FakeRegistry) -> Command:
    """Runs an action with a worker's and a connector's file that name the registry."""
    worker, connector = tmp_path / "worker.properties", tmp_path / "connector.properties"
    worker.write_text(f"schema.registry.url={registry.url}/ci\n")
    connector.write_text(
        "name=returns\nconnector.class=OptoroRmaSource\nwebhook.auth.methods=api.key\nwebhook.auth.api.key.value=key-1234\n"
    )
    return lambda action: main(["schema", action, str(worker), str(connector)])


def registered(registry: FakeRegistry, text: str, level: str = "FULL_TRANSITIVE") -> None:
    async def register() -> None:
        settings = RegistrySettings(urls=("http://registry.test",))
        async with RegistryClient(settings, transport=httpx2.ASGITransport(registry.app)) as client:
            await client.set_compatibility_level(SUBJECT, level)
            await client.register(SUBJECT, text)

    asyncio.run(register())


def changed(change: Callable[[Any], None]) -> str:
    document = json.loads(OURS.text)
    change(document)
    return json.dumps(document)


BREAKING = changed(retyped("status", "long"))
OLDER = changed(removed("vendor"))


def test_released_check_needs_nothing_but_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """Without configuration and registry: 0, and which release the working schema is."""
    assert main(["schema", "check", "--released"]) == 0
    assert capsys.readouterr().out == f"{RMA}: is release 1\n"


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        pytest.param(added("colour", ["null", "string"], default=None), 0, "may become release 2", id="allowed"),
        pytest.param(added("colour", "string"), 1, "/colour: the writer lacks it", id="no default"),
        pytest.param(removed("status"), 1, "/status: the writer lacks it", id="removed"),
        pytest.param(retyped("created_at", "long"), 1, "/created_at: timestamp-millis in version 1", id="meaning"),
    ],
)
def test_released_check_when_the_working_schema_has_changed(
    change: Callable[[Any], None], code: int, says: str, tmp_path: Path
) -> None:
    """0 where it may become the next release; 1 with each reason and what to do where it may not."""
    for folder in ("bridge", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "schemas" / f"{RMA}.avsc").write_text(changed(change))
    command = [sys.executable, "-m", "bridge", "schema", "check", "--released"]
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert says in done.stdout
    assert ("see docs/schemas.md" in done.stdout) is bool(code)


def test_released_check_is_usage_when_files_are_given(capsys: pytest.CaptureFixture[str]) -> None:
    """It asks no registry, so files would be ignored: 2."""
    assert main(["schema", "check", "--released", "worker.properties"]) == 2
    assert "takes no files" in capsys.readouterr().err


def test_check_is_refused_when_there_is_no_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipeline that lost its configuration gets 3, not a green check."""
    assert main(["schema", "check"]) == 3
    assert "schema.registry.url" in capsys.readouterr().err


def test_show_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed is the schema, ready for tools that register it in their own way."""
    assert main(["schema", "show", RMA]) == 0
    assert same_schema(parse_schema(capsys.readouterr().out), OURS)


def test_show_is_usage_when_the_name_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    """2, with the names that there are."""
    with pytest.raises(SystemExit, match="2"):
        main(["schema", "show", "nonsense"])
    assert RMA in capsys.readouterr().err


@pytest.mark.parametrize(
    ("earlier", "codes", "says"),
    [
        pytest.param(None, {"check": 0, "diff": 1, "register": 0}, "register it with", id="new subject"),
        pytest.param(OURS.text, {"check": 0, "diff": 0, "register": 0}, "registered as version 1", id="ours"),
        pytest.param(OLDER, {"check": 0, "diff": 1, "register": 0}, "compatible, not registered yet", id="older"),
        pytest.param(BREAKING, {"check": 1, "diff": 1, "register": 1}, "incompatible: ", id="incompatible"),
    ],
)
def test_actions_when_the_registry_answers(
    *,
    earlier: str | None,
    codes: dict[str, int],
    says: str,
    command: Command,
    registry: FakeRegistry,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """0 where all is well, 1 where the schema differs or breaks compatibility; a check says what to do."""
    if earlier is not None:
        registered(registry, earlier)
    assert command("check") == codes["check"]
    assert says in capsys.readouterr().out
    assert {action: command(action) for action in ("diff", "register")} == {
        name: codes[name] for name in ("diff", "register")
    }


@pytest.mark.parametrize("action", ["check", "diff", "register"])
@pytest.mark.parametrize(
    ("script", "says"),
    [
        pytest.param(refusal(401, 40101), "check the credentials", id="401"),
        pytest.param(refusal(403, 40301), "check the credentials", id="403"),
        pytest.param(refusal(422, 42205), "the registry's settings change", id="read-only"),
        pytest.param(refusal(500, 50001), "trying again may help", id="500"),
        pytest.param(Script(http_answer(200, b"<html>")), "is schema.registry.url a Schema Registry?", id="html"),
        pytest.param(Script(http_answer(302, b"")), "set schema.registry.url", id="redirect"),
        pytest.param(Script(), "is schema.registry.url a Schema Registry", id="closed"),
    ],
)
def test_actions_when_the_registry_misbehaves(
    *,
    action: str,
    script: Script,
    says: str,
    command: Command,
    registry: FakeRegistry,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """4: nothing is known of the schema; one line names the address and what to do."""
    registry.scripts["ci"] = script
    assert command(action) == 4
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{registry.url}/ci/" in error
    assert says in error


def test_diff_when_the_subject_holds_no_avro(
    command: Command, registry: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    """A subject of another format differs from ours: 1, and the line says which version it is."""
    latest = {"subject": SUBJECT, "version": 4, "id": 9, "schemaType": "PROTOBUF", "schema": 'syntax = "proto3";'}
    registry.scripts["ci"] = Script(http_answer(200, json.dumps(latest).encode()))
    assert command("diff") == 1
    assert "version 4 in the registry is no Avro schema" in capsys.readouterr().out


@pytest.mark.parametrize("action", ["check", "diff"])
def test_check_and_diff_write_nothing(action: str, command: Command, registry: FakeRegistry) -> None:
    """They may run in any pipeline, with credentials that only read."""
    registered(registry, OLDER)
    command(action)
    methods = {(asked.method, asked.path.partition("?")[0]) for asked in registry.asked["ci"]}
    assert methods <= {
        ("POST", f"/compatibility/subjects/{SUBJECT}/versions"),
        ("POST", f"/subjects/{SUBJECT}"),
        ("GET", f"/subjects/{SUBJECT}/versions/latest"),
        ("GET", f"/config/{SUBJECT}"),
    }


@pytest.mark.parametrize("level", ["NONE", "BACKWARD", "FULL"])
def test_check_warns_when_the_level_is_weaker(
    level: str, command: Command, registry: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    """A yes at a weaker level is worth less, and the check says so."""
    registered(registry, OURS.text, level)
    assert command("check") == 0
    assert f"its level is {level}; set it to FULL_TRANSITIVE" in capsys.readouterr().out


def test_register_succeeds_when_the_level_may_not_be_read(
    command: Command, registry: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    """Credentials that may register and not read levels are enough for a subject that is there."""
    registered(registry, OLDER)
    forbidden = refusal(403, 40301)
    registry.scripts["ci"] = Script(forbidden.raw, below="/config")
    assert command("register") == 0
    assert "compatibility unknown" in capsys.readouterr().out


def test_run_is_refused_when_a_certificate_is_missing(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that the registry's client cannot read is a configuration error at start, not a task that fails later."""
    with (tmp_path / "worker.properties").open("a") as file:
        file.write("schema.registry.ssl.ca.location=no/such/file.pem\n")
    assert command("check") == 3
    assert "schema.registry.ssl" in capsys.readouterr().err
