"""How the servers' holders are started, asked, reported and ended, shown on small processes of our own."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.servers.choice import Unavailable
from tests.servers.real import Name, RealServers

HOLDER = """
import sys
with open(sys.argv[1], "a") as events:
    print("start", file=events, flush=True)
    print(sys.argv[2], flush=True)
    sys.stdin.read()
    print("end", file=events)
"""
SERVING = {"address": "one:9092", "how": "container one"}
REFUSED = {"unavailable": "container: Docker does not answer; local: no java on PATH"}


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "events"


@pytest.fixture
def servers(events: Path) -> Iterator[RealServers]:
    answers: Mapping[Name, Mapping[str, str]] = {"Kafka": SERVING, "registry": REFUSED}

    def command(name: Name) -> Sequence[str]:
        return [sys.executable, "-c", HOLDER, str(events), json.dumps(answers[name])]

    servers = RealServers(command)
    yield servers
    servers.close()


def test_server_starts_once_when_two_tests_ask(servers: RealServers, events: Path) -> None:
    """However many tests ask, there is one server."""
    assert servers.get("Kafka").address == servers.get("Kafka").address == "one:9092"
    assert events.read_text().split() == ["start"]


def test_server_ends_when_the_session_does(servers: RealServers, events: Path) -> None:
    """Closing waits until the holder has ended what it started."""
    servers.get("Kafka")
    servers.close()
    assert events.read_text().split() == ["start", "end"]


def test_refused_server_gives_the_reason_each_time_when_asked_twice(servers: RealServers) -> None:
    """Every test that needs it is skipped with the same reason."""
    for _ in range(2):
        with pytest.raises(Unavailable, match="Docker does not answer; local: no java"):
            servers.get("registry")


def test_report_has_a_line_for_each_server_when_asked_for(servers: RealServers) -> None:
    """The summary tells how each was had, and says loudly what was not."""
    servers.get("Kafka")
    with pytest.raises(Unavailable):
        servers.get("registry")
    assert servers.report() == [
        "real Kafka: container one",
        "real registry: NOT RUN: container: Docker does not answer; local: no java on PATH",
    ]


def test_report_is_empty_when_nothing_was_asked_for(servers: RealServers) -> None:
    """A run of unit tests starts nothing."""
    assert servers.report() == []


def test_server_is_unavailable_when_its_holder_ends_silently() -> None:
    """A holder that crashes is a reason, not a hanging run."""
    servers = RealServers(lambda _: [sys.executable, "-c", ""])
    with pytest.raises(Unavailable, match="ended"):
        servers.get("Kafka")
    servers.close()
