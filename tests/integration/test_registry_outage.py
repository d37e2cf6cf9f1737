"""A real process and a Schema Registry that is anything but well: at the start, and gone once the bridge is warm."""

import asyncio
import contextlib
import itertools
import json
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from starlette.types import ASGIApp

from bridge.avro.registry import RegistryClient, RegistrySettings
from bridge.avro.schemas import load_schema
from bridge.embedded.registry import embedded_registry
from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.bridge_process import CONNECTOR, Reply, bridge_process, post, request, write_configuration
from tests.fake_registry import Asked, Script, fake_registry, http_answer, refusal
from tests.load import Load, under_load
from tests.mock_cluster import mock_cluster
from tests.servers.certificates import Authority, Certificate
from tests.servers.choice import Unavailable
from tests.servers.readiness import free_port
from tests.servers.requirement import not_run

SCHEMA = load_schema("returns.rma.v1-value", subject=f"{TOPIC}-value")
WATCHED_SECONDS = 6.0
READY_SECONDS = 5.0
PAUSE_SECONDS = 0.25
EVENTS = 2_000


class Case(NamedTuple):
    """What a registry does, and what the bridge must say of it; `script` None where it takes more than an answer."""

    name: str
    script: Script | None
    code: str
    says: Sequence[str]


def _json(status: int, content: Any, **more: Any) -> Script:
    return Script(http_answer(status, json.dumps(content).encode()), **more)


def _html(status: int) -> Script:
    return Script(http_answer(status, b"<html>hello</html>", **{"content-type": "text/html"}))


REGISTRATION = {"subject": SCHEMA.subject, "version": 1, "id": 1, "schema": SCHEMA.text}
NO_REGISTRY = "is schema.registry.url a Schema Registry?"
LATER = "trying again may help"
CREDENTIALS = "check the credentials of the Schema Registry and what they may do"
REGISTER = "register it with: rma-bridge schema register"
SAME = "is every address in schema.registry.url the same registry?"
CHANGE = "will not succeed until the schema or the registry's settings change"
BELOW_IDS = "/schemas/ids/"

CASES = (
    Case("html", _html(200), "registry_unreachable", ["answered 200 without JSON", NO_REGISTRY]),
    Case("html-404", _html(404), "registry_unreachable", ["answered 404 without JSON", NO_REGISTRY]),
    Case(
        "redirect",
        Script(http_answer(302, b"", location="http://elsewhere.test/")),
        "registry_unreachable",
        ["answered 302, a redirect", "set schema.registry.url to where it leads"],
    ),
    Case("garbage", Script(http_answer(200, b'{"id": ')), "registry_unreachable", ["without JSON", NO_REGISTRY]),
    Case("empty", Script(http_answer(200, b"")), "registry_unreachable", ["without JSON", NO_REGISTRY]),
    Case("other-json", _json(200, []), "registry_unreachable", ["without a usable 'id'", NO_REGISTRY]),
    Case("huge-id", _json(200, REGISTRATION | {"id": 2**40}), "registry_unreachable", ["no 32-bit number"]),
    Case(
        "another-schema",
        _json(200, {"schema": '"string"'}, below=BELOW_IDS),
        "schema_mismatch",
        ["another schema", SAME],
    ),
    Case("unknown-id", _json(404, {"error_code": 40403}, below=BELOW_IDS), "schema_mismatch", ["or none", SAME]),
    Case("401", refusal(401, 40101), "registry_refused", ["answered 401, error_code 40101: because", CREDENTIALS]),
    Case("401-html", _html(401), "registry_refused", ["answered 401", CREDENTIALS]),
    Case("403", refusal(403, 40301), "registry_refused", ["answered 403, error_code 40301", CREDENTIALS]),
    Case(
        "404-subject",
        refusal(404, 40401),
        "schema_missing",
        [SCHEMA.subject, "answered 404, error_code 40401", REGISTER],
    ),
    Case(
        "404-schema",
        refusal(404, 40403),
        "schema_missing",
        [SCHEMA.subject, "answered 404, error_code 40403", REGISTER],
    ),
    Case("404-path", refusal(404, 404), "registry_refused", ["answered 404", "check the path of schema.registry.url"]),
    Case("409", None, "schema_incompatible", ["answered 409", "keeps the subject's compatibility level"]),
    Case("422", refusal(422, 42201), "registry_refused", ["answered 422, error_code 42201", CHANGE]),
    Case("429", refusal(429, 42901), "registry_unreachable", ["answered 429", LATER]),
    Case("500", refusal(500, 50001), "registry_unreachable", ["answered 500, error_code 50001", LATER]),
    Case("503", _html(503), "registry_unreachable", ["answered 503", LATER]),
    Case("hang", Script(then="hang"), "registry_unreachable", ["no answer within 4 s", "firewall"]),
    Case("half", Script(http_answer(200, b"{}")[:-1], then="hang"), "registry_unreachable", ["no answer within 4 s"]),
    Case("cut", Script(http_answer(200, b"{}")[:-1]), "registry_unreachable", ["RemoteProtocolError", "http or https"]),
    Case("closed", Script(), "registry_unreachable", ["RemoteProtocolError", NO_REGISTRY.rstrip("?")]),
    Case(
        "huge",
        Script(b"HTTP/1.1 200 -\r\nconnection: close\r\n\r\n", then="more"),
        "registry_unreachable",
        ["more than 1048576 bytes", NO_REGISTRY],
    ),
    Case("refused", None, "registry_unreachable", ["ConnectError", "is the registry running"]),
    Case("untrusted", None, "registry_unreachable", ["CERTIFICATE_VERIFY_FAILED", "schema.registry.ssl.ca.location"]),
    Case("no-tls", None, "registry_unreachable", ["SSL", "says https where TLS is spoken"]),
)
NAMES = [case.name for case in CASES]


class Registries:
    """A misbehaving registry for each case, until `heal`."""

    def __init__(self, folder: Path, resources: contextlib.ExitStack) -> None:
        self._resources = resources
        self._good = embedded_registry()
        asyncio.run(_register(self._good, SCHEMA.text))
        other = embedded_registry()
        asyncio.run(_register(other, '{"type":"record","name":"Rma","fields":[{"name":"status","type":"long"}]}'))
        self.shared = resources.enter_context(fake_registry(self._good))
        self.shared.scripts = {case.name: case.script for case in CASES if case.script is not None}
        self._incompatible = resources.enter_context(fake_registry(other))
        trusted, stranger = _authorities(folder)
        self.authorities = trusted.certificate
        self._trusted = trusted.issue("registry")
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _present(self._tls, stranger.issue("impostor"))
        untrusted = resources.enter_context(fake_registry(self._good, tls=self._tls))
        self._plain = contextlib.ExitStack()
        plain = self._plain.enter_context(fake_registry(self._good))
        resources.push(self._plain)
        self._closed_port, self._plain_port = free_port(), int(plain.url.rpartition(":")[2])
        self.urls = {name: f"{self.shared.url}/{name}" for name in NAMES} | {
            "409": f"{self._incompatible.url}/409",
            "refused": f"http://127.0.0.1:{self._closed_port}/refused",
            "untrusted": f"{untrusted.url}/untrusted",
            "no-tls": f"https://127.0.0.1:{self._plain_port}/no-tls",
        }

    def heal(self) -> None:
        self._plain.close()
        _present(self._tls, self._trusted)
        self._resources.enter_context(fake_registry(self._good, port=self._plain_port, tls=self._tls))
        self._resources.enter_context(fake_registry(self._good, port=self._closed_port))
        self._incompatible.app = self._good
        self.shared.scripts.clear()

    def asked(self, name: str) -> list[Asked]:
        return (self._incompatible if name == "409" else self.shared).asked.get(name, [])

    def attempts(self, name: str) -> list[float]:
        return (self._incompatible if name == "409" else self.shared).attempts(name)


@dataclass(frozen=True)
class Observation:
    """What one process with a connector for each case did."""

    urls: dict[str, str]
    live: list[tuple[int, float]]
    ready: Reply
    refused: dict[str, Reply]
    attempts: dict[str, list[float]]
    asked: dict[str, list[Asked]]
    seconds_until_ready: float
    accepted: dict[str, int]
    exit_code: int
    log: list[dict[str, Any]]


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observation]:
    folder = tmp_path_factory.mktemp("outage")
    with contextlib.ExitStack() as resources:
        registries = Registries(folder, resources)
        cluster = resources.enter_context(mock_cluster(TOPIC, DEAD_LETTER_TOPIC))
        files = _configuration(folder, cluster.bootstrap_servers, registries)
        bridge = resources.enter_context(bridge_process(folder, *files))
        listening = bridge.listening()
        live = _watch(listening["rest"], WATCHED_SECONDS)
        ready = request(f"{listening['rest']}/readyz")
        refused = {name: post(url) for name, url in listening["webhooks"].items()}
        attempts = {name: registries.attempts(name) for name in NAMES}
        registries.heal()
        healed_at = time.monotonic()
        bridge.ready_line()
        seconds_until_ready = time.monotonic() - healed_at
        accepted = {name: post(url).status for name, url in listening["webhooks"].items()}
        yield Observation(
            urls=registries.urls,
            live=live,
            ready=ready,
            refused=refused,
            attempts=attempts,
            asked={name: registries.asked(name) for name in NAMES},
            seconds_until_ready=seconds_until_ready,
            accepted=accepted,
            exit_code=bridge.stop(),
            log=bridge.log_entries(),
        )


def test_process_lives_while_registries_misbehave(observed: Observation) -> None:
    """DEV-039, DEV-043: liveness stays true and is answered promptly all the while, and the process ends cleanly."""
    assert {status for status, _ in observed.live} == {200}
    assert max(seconds for _, seconds in observed.live) < 1.0
    assert observed.exit_code == 0


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_process_says_why_it_is_not_ready(case: Case, observed: Observation) -> None:
    """DEV-039, DEV-041…044: readiness is false, and the one reason has code, address, what was answered, what to do."""
    assert observed.ready.status == 503
    [reason] = observed.ready.json()["reasons"][case.name]
    assert reason.startswith(f"{case.code}: ")
    for part in (observed.urls[case.name], *case.says):
        assert part in reason


@pytest.mark.parametrize("name", NAMES)
def test_process_answers_503_until_the_schema_is_known(name: str, observed: Observation) -> None:
    """The sender is told to come again, and when."""
    answer = observed.refused[name]
    assert (answer.status, answer.json()["reason"]) == (503, "not_ready")
    assert 5 <= int(answer.headers["retry-after"]) <= 60


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("refused", "untrusted", "no-tls")])
def test_process_asks_again_with_pauses(name: str, observed: Observation) -> None:
    """DEV-041, DEV-042: it asks again, and never in quick succession."""
    attempts = observed.attempts[name]
    pauses = [after - before for before, after in itertools.pairwise(attempts)]
    assert len(attempts) >= 2
    assert min(pauses) > PAUSE_SECONDS - 0.05


def test_process_gives_up_a_call_in_time(observed: Observation) -> None:
    """DEV-043: an answer that never comes, or never ends, holds one attempt for less than 5 s."""
    for name in ("hang", "half"):
        first, second = observed.attempts[name][:2]
        assert 4.0 < second - first < 5.0


def test_process_is_ready_soon_after_the_registries_are_well(observed: Observation) -> None:
    """DEV-039, DEV-041: every connector runs within 5 s, without a restart, whatever it had waited for."""
    assert observed.seconds_until_ready < READY_SECONDS
    assert observed.accepted == dict.fromkeys(NAMES, 200)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_process_warns_once_while_nothing_changes(case: Case, observed: Observation) -> None:
    """The log has the reason once, not once for every attempt."""
    warnings = [entry for entry in observed.log if entry.get("connector") == case.name and entry["level"] == "WARNING"]
    [warning] = [entry for entry in warnings if entry["reason"].startswith(("registry_", "schema_"))]
    assert warning["reason"] == case.code
    assert [part for part in case.says if part not in warning["message"]] == [], warning["message"]


@pytest.mark.parametrize("name", ["404-subject", "404-schema"])
def test_process_registers_nothing_where_it_may_not(name: str, observed: Observation) -> None:
    """DEV-044: without auto.register.schemas a missing schema is reported, and neither it nor a level is written."""
    assert observed.asked[name]
    assert not [each for each in observed.asked[name] if each.method == "PUT" or each.path.endswith("/versions")]


def test_process_needs_no_registry_once_it_is_warm(tmp_path: Path) -> None:
    """DEV-040: 2 000 events are stored while the registry is gone, and none asked it while it was still there."""
    app = embedded_registry()
    registry_resources = contextlib.ExitStack()
    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC, partitions=16) as cluster, registry_resources:
        registry = registry_resources.enter_context(fake_registry(app))
        files = write_configuration(
            tmp_path,
            bootstrap_servers=cluster.bootstrap_servers,
            schema_registry_url=f"{registry.url}/warm",
            topic=TOPIC,
        )
        with bridge_process(tmp_path, *files) as bridge:
            url = bridge.ready_line()["webhook"]
            asked = len(registry.asked["warm"])
            with under_load(url) as before:
                assert before.enough.wait(30)
            assert len(registry.asked["warm"]) == asked
            registry_resources.close()
            with under_load(url) as load:
                _until_answered(load, EVENTS)
            assert request(f"{bridge.listening()['rest']}/readyz").status == 200
            assert bridge.stop() == 0
    assert (set(load.statuses), load.broken) == ({200}, 0)
    assert sum(load.statuses.values()) >= EVENTS


def _authorities(folder: Path) -> tuple[Authority, Authority]:
    try:
        return Authority(folder, "trusted"), Authority(folder, "stranger")
    except Unavailable as exc:
        reason = str(exc)
    return not_run(reason)


def _present(context: ssl.SSLContext, certificate: Certificate) -> None:
    context.load_cert_chain(certificate.certificate, certificate.key)


def _configuration(folder: Path, bootstrap_servers: str, registries: Registries) -> list[Path]:
    worker, _ = write_configuration(
        folder, bootstrap_servers=bootstrap_servers, schema_registry_url="http://127.0.0.1:1"
    )
    with worker.open("a") as file:
        file.write(f"schema.registry.ssl.ca.location={registries.authorities}\n")
    files = [worker]
    for name in NAMES:
        connector = CONNECTOR | {
            "name": name,
            "topic": TOPIC,
            "webhook.path": f"/webhooks/{name}",
            "value.converter.schema.registry.url": registries.urls[name],
            "value.converter.auto.register.schemas": str(name == "409").lower(),
        }
        files.append(folder / f"{name}.json")
        files[-1].write_text(json.dumps({"name": name, "config": connector}))
    return files


def _watch(rest: str, seconds: float) -> list[tuple[int, float]]:
    """Ask for liveness again and again; each status, and how long it took."""
    seen = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        asked_at = time.monotonic()
        status = request(f"{rest}/livez").status
        seen.append((status, time.monotonic() - asked_at))
        time.sleep(0.02)
    return seen


def _until_answered(load: Load, count: int) -> None:
    deadline = time.monotonic() + 60
    while sum(load.statuses.values()) < count and time.monotonic() < deadline:
        time.sleep(0.05)


async def _register(app: ASGIApp, schema_text: str) -> None:
    settings = RegistrySettings(urls=("http://registry.test",))
    async with RegistryClient(settings, transport=httpx2.ASGITransport(app)) as client:
        await client.register(SCHEMA.subject, schema_text)
