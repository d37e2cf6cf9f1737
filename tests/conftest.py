"""Fixtures for the real Kafka and the real Schema Registry, started only when a collected test asks for them."""

import signal
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.servers.choice import Unavailable
from tests.servers.real import Name, RealServer, RealServers
from tests.servers.requirement import not_run

SERVERS = pytest.StashKey[RealServers]()
FIXTURES: dict[str, Name] = {"real_kafka": "Kafka", "real_registry_url": "registry"}
ADMIN_SECONDS = 15


@dataclass(frozen=True)
class RealKafka:
    bootstrap_servers: str
    how: str


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SERVERS] = RealServers()


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.option.collectonly:
        return
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    for fixture, name in FIXTURES.items():
        if fixture in wanted:
            _end_on_sigterm()
            session.config.stash[SERVERS].begin(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[SERVERS].report():
        terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[SERVERS].close()


@pytest.fixture(scope="session")
def real_kafka(request: pytest.FixtureRequest) -> RealKafka:
    """A real broker without automatic topics; `make_topic` makes them."""
    server = _server(request, "Kafka")
    return RealKafka(server.address, server.how)


@pytest.fixture(scope="session")
def real_registry_url(request: pytest.FixtureRequest) -> str:
    """The base address of a real registry with the Confluent API."""
    return _server(request, "registry").address


@pytest.fixture(scope="session")
def kafka_admin(real_kafka: RealKafka) -> AdminClient:
    return AdminClient({"bootstrap.servers": real_kafka.bootstrap_servers})


@pytest.fixture
def make_topic(kafka_admin: AdminClient) -> Iterator[Callable[..., str]]:
    """`make_topic(partitions=1, **configs)` creates a topic of the test's own (`_` in a key stands for `.`)."""
    created: list[str] = []

    def make(partitions: int = 1, **configs: str) -> str:
        name = f"test.{uuid.uuid4().hex}"
        config = {key.replace("_", "."): value for key, value in configs.items()}
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=config)
        kafka_admin.create_topics([topic])[name].result(ADMIN_SECONDS)
        created.append(name)
        return name

    yield make
    for deleted in kafka_admin.delete_topics(created).values() if created else ():
        deleted.result(ADMIN_SECONDS)


def _server(request: pytest.FixtureRequest, name: Name) -> RealServer:
    try:
        return request.config.stash[SERVERS].get(name)
    except Unavailable as exc:
        reason = f"real {name}: {exc}"
    return not_run(reason)


def _end_on_sigterm() -> None:
    """A terminated run ends as Ctrl-C does, so that the servers end with it."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
