"""Kafka credentials that change under a real process with load: a SCRAM password and a client's certificate.

This takes as long as the bridge may leave between two looks at its secrets, about half a minute.
"""

import asyncio
import contextlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from confluent_kafka.cimpl import NewTopic

from bridge.embedded.consumer import read_all
from bridge.embedded.registry import embedded_registry
from bridge.listeners import address, bind, serving
from tests.bridge_process import CONNECTOR, BridgeProcess, bridge_process, post
from tests.samples import rma
from tests.servers.certificates import Authority
from tests.servers.choice import Unavailable
from tests.servers.requirement import not_run
from tests.servers.secured import ACLS, SecuredKafka, secured_kafka

ADMIN_SECONDS = 15
ROTATED_SECONDS = 90
SESSION_SECONDS = 4  # after that the broker asks who is there again, so a former password shows
QUIET_ANSWERS = 40  # over more than two such sessions
USER = "rotating"
FORMER, LATER = "former-secret", "later-secret"
TOPIC, LITERAL, WRITE = ResourceType.TOPIC, ResourcePatternType.LITERAL, AclOperation.WRITE
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
TAKEN_OVER = "the producer goes over to new credentials"


class Secret:
    """A folder as Kubernetes mounts a secret: names that lead through `..data`, a link that is replaced at once."""

    def __init__(self, folder: Path, content: Mapping[str, bytes]) -> None:
        self.folder = folder
        folder.mkdir()
        self._versions = 0
        self.put(content)
        for name in content:
            (folder / name).symlink_to(Path("..data") / name)

    def put(self, content: Mapping[str, bytes]) -> None:
        self._versions += 1
        version, link = self.folder / f"..version_{self._versions}", self.folder / "..data_tmp"
        version.mkdir()
        for name, text in content.items():
            (version / name).write_bytes(text)
        link.symlink_to(version.name)
        link.rename(self.folder / "..data")


class Brokers:
    """A broker with a listener for passwords and one for certificates, seen from inside."""

    def __init__(self, kafka: SecuredKafka, authority: Authority) -> None:
        self.kafka = kafka
        self.authority = authority
        self._admin = AdminClient({"bootstrap.servers": kafka.inside, "log_level": 0})

    def make_topic(self) -> str:
        name = f"test.{uuid.uuid4().hex}"
        topics = [NewTopic(each, num_partitions=1, replication_factor=1) for each in (name, f"{name}.dlq")]
        for created in self._admin.create_topics(topics).values():
            created.result(ADMIN_SECONDS)
        return name

    def allow(self, topic: str, principal: str) -> None:
        for name in (topic, f"{topic}.dlq"):
            binding = AclBinding(TOPIC, name, LITERAL, principal, "*", WRITE, AclPermissionType.ALLOW)
            self._admin.create_acls([binding])[binding].result(ADMIN_SECONDS)

    def forbid(self, topic: str, principal: str) -> None:
        for name in (topic, f"{topic}.dlq"):
            wanted = AclBindingFilter(TOPIC, name, LITERAL, principal, "*", WRITE, AclPermissionType.ALLOW)
            self._admin.delete_acls([wanted])[wanted].result(ADMIN_SECONDS)

    def set_password(self, password: str) -> None:
        credential = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        change = UserScramCredentialUpsertion(USER, credential, password.encode())
        self._admin.alter_user_scram_credentials([change])[USER].result(ADMIN_SECONDS)


@dataclass(frozen=True)
class Case:
    """A bridge's configuration, and how what it logs in with changes everywhere at once."""

    topic: str
    worker: Mapping[str, str]
    change: Callable[[], None]


@dataclass
class Sender:
    """Posts a new event ten times a second."""

    url: str
    statuses: list[int] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.wait(0.1):
            self.statuses.append(post(self.url, rma(rma_identifier=f"{len(self.statuses)}")).status)


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    folder = tmp_path_factory.mktemp("rotation")
    try:
        authority = Authority(folder, "ca")
        properties = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(authority.issue("server").store),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(authority.certificate),
            "listener.name.mtls.ssl.client.auth": "required",
            "listener.name.clients.scram-sha-512.connections.max.reauth.ms": str(SESSION_SECONDS * 1000),
        }
        jaas = {"SCRAM-SHA-512": SCRAM}
        with secured_kafka(
            protocol="SASL_SSL", jaas=jaas, properties=ACLS | properties, others={"MTLS": "SSL"}
        ) as kafka:
            yield Brokers(kafka, authority)
    except Unavailable as exc:
        not_run(f"secured Kafka: {exc}")


@pytest.fixture
def registry_url() -> Iterator[str]:
    """The embedded registry, on a loop of its own."""
    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        stack.callback(thread.join)
        stack.callback(loop.call_soon_threadsafe, loop.stop)
        sockets = bind(["http://127.0.0.1:0"])
        server = serving(embedded_registry(), sockets, drain_seconds=1)
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(ADMIN_SECONDS)
        try:
            yield address(sockets[0])
        finally:
            asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(ADMIN_SECONDS)


def test_bridge_when_credentials_change(brokers: Brokers, registry_url: str, tmp_path: Path) -> None:
    """Every answer is 200 or 503, within 90 s all are 200 with what is new, and one line says so; no event is lost."""
    cases = [_password(brokers, tmp_path), _certificate(brokers, tmp_path)]
    with ThreadPoolExecutor() as pool:
        ran = [pool.submit(_rotate, case, brokers, registry_url, tmp_path / case.topic) for case in cases]
        for each in ran:
            each.result()


def _password(brokers: Brokers, folder: Path) -> Case:
    topic = brokers.make_topic()
    brokers.allow(topic, f"User:{USER}")
    brokers.set_password(FORMER)
    secret = Secret(folder / "password", {"password": f"{FORMER}\n".encode()})

    def change() -> None:
        brokers.set_password(LATER)
        secret.put({"password": f"{LATER}\n".encode()})

    worker = {
        "bootstrap.servers": brokers.kafka.address,
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": USER,
        "sasl.password": f"${{dir:{secret.folder}:password}}",
        "config.providers.dir.param.allowed.paths": str(secret.folder),
    }
    return Case(topic, worker, change)


def _certificate(brokers: Brokers, folder: Path) -> Case:
    topic = brokers.make_topic()
    former, later = f"{topic}-former", f"{topic}-later"
    brokers.allow(topic, f"User:CN={former}")
    secret = Secret(folder / "certificate", _key_pair(brokers.authority, former))

    def change() -> None:
        brokers.allow(topic, f"User:CN={later}")
        secret.put(_key_pair(brokers.authority, later))
        brokers.forbid(topic, f"User:CN={former}")

    worker = {
        "bootstrap.servers": brokers.kafka.others["MTLS"],
        "security.protocol": "SSL",
        "ssl.certificate.location": str(secret.folder / "tls.crt"),
        "ssl.key.location": str(secret.folder / "tls.key"),
    }
    return Case(topic, worker, change)


def _key_pair(authority: Authority, common_name: str) -> dict[str, bytes]:
    issued = authority.issue(common_name)
    return {"tls.crt": issued.certificate.read_bytes(), "tls.key": issued.key.read_bytes()}


def _rotate(case: Case, brokers: Brokers, registry_url: str, folder: Path) -> None:
    with bridge_process(folder, *_configure(case, brokers, registry_url, folder), BRIDGE_LOG_FORMAT="json") as bridge:
        sender = Sender(bridge.ready_line()["webhook"])
        thread = threading.Thread(target=sender.run)
        thread.start()
        try:
            _until(lambda: len(sender.statuses) >= 10, ADMIN_SECONDS, bridge)
            before = len(sender.statuses)
            case.change()
            _until(lambda: TAKEN_OVER in bridge.log, ROTATED_SECONDS, bridge)
            _until(lambda: sender.statuses[-1] == 200, ROTATED_SECONDS, bridge)
            since = len(sender.statuses)
            _until(lambda: len(sender.statuses) >= since + QUIET_ANSWERS, ROTATED_SECONDS, bridge)
        finally:
            sender.stop.set()
            thread.join()
        assert bridge.stop() == 0
        log = bridge.log
    assert set(sender.statuses) <= {200, 503}
    assert set(sender.statuses[:before]) | set(sender.statuses[since:]) == {200}
    assert log.count(TAKEN_OVER) == 1
    assert [secret for secret in (FORMER, LATER) if secret in log] == []
    confirmed = sender.statuses.count(200)
    read_all(
        brokers.kafka.inside,
        [case.topic],
        registry_url,
        at_least={case.topic: confirmed},
        timeout_seconds=ADMIN_SECONDS,
    )


def _configure(case: Case, brokers: Brokers, registry_url: str, folder: Path) -> list[Path]:
    folder.mkdir()
    worker = {
        "schema.registry.url": registry_url,
        "webhook.listeners": "http://127.0.0.1:0",
        "listeners": "http://127.0.0.1:0",
        "ssl.ca.location": str(brokers.authority.certificate),
        **case.worker,
    }
    worker_path, connector_path = folder / "worker.properties", folder / "connector.json"
    worker_path.write_text("".join(f"{name}={text}\n" for name, text in worker.items()))
    connector_path.write_text(json.dumps({"name": "rma-source", "config": CONNECTOR | {"topic": case.topic}}))
    return [worker_path, connector_path]


def _until(holds: Callable[[], bool], seconds: float, bridge: BridgeProcess) -> None:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not holds():
        assert bridge.process.poll() is None, bridge.log
        assert time.monotonic() < deadline, bridge.log[-2_000:]
        pause.wait(0.1)
