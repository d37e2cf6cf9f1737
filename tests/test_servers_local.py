"""The life of a local server process, shown on small processes of our own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.choice import Server, Unavailable
from tests.servers.local import serve
from tests.servers.maven import kafka_jars
from tests.servers.versions import KAFKA_VERSION

PARENT_OF_ANOTHER = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
child.wait()
"""


def start(script: str, folder: Path, answers: Callable[[], bool]) -> Server:
    return serve([sys.executable, "-c", script], folder, "127.0.0.1:1", "python", answers)


def is_running(pid: int) -> bool:
    """A zombie counts as ended: it may wait for an init that is slow to collect it."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_server_ends_with_its_children_and_folder_when_closed(tmp_path: Path) -> None:
    """Nothing that was started outlives the session."""
    folder = tmp_path / "server"
    folder.mkdir()
    log = folder / "server.log"
    server = start(PARENT_OF_ANOTHER, folder, lambda: log.read_text().endswith("\n"))
    child = int(log.read_text())
    assert is_running(child)
    server.close()
    assert (is_running(child), folder.exists()) == (False, False)


def test_server_is_unavailable_with_its_last_words_when_it_ends_at_once(tmp_path: Path) -> None:
    """A server that cannot start tells why, and leaves nothing behind."""
    folder = tmp_path / "server"
    folder.mkdir()
    with pytest.raises(Unavailable, match="ended with 3: port taken"):
        start("import sys; print('port taken'); sys.exit(3)", folder, lambda: False)
    assert not folder.exists()


def test_maven_is_not_asked_when_the_cache_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run needs neither mvn nor the network for the artifacts."""
    monkeypatch.setenv("RMA_BRIDGE_TEST_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", os.devnull)
    folder = tmp_path / f"kafka-{KAFKA_VERSION}"
    folder.mkdir()
    assert kafka_jars() == folder


def test_maven_is_named_when_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says what to install, and no half-filled folder is taken for a complete one."""
    monkeypatch.setenv("RMA_BRIDGE_TEST_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(Unavailable, match="no mvn on PATH"):
        kafka_jars()
    assert not (tmp_path / f"kafka-{KAFKA_VERSION}").exists()
