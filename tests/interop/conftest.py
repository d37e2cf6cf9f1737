"""A stream for other consumers, and one seed for all that is drawn at random here, told at the end of the run."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import RealKafka
from tests.interop.stream import Stream, written_by_the_bridge

SEED = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The number that `INTEROP_SEED` gives, to draw the same again, or a new one."""
    if SEED not in pytestconfig.stash:
        pytestconfig.stash[SEED] = int(os.environ.get("INTEROP_SEED") or random.SystemRandom().getrandbits(32))
    return pytestconfig.stash[SEED]


@pytest.fixture
def stream(real_kafka: RealKafka, real_registry_url: str, make_topic: Callable[..., str], tmp_path: Path) -> Stream:
    return written_by_the_bridge(tmp_path, real_kafka.bootstrap_servers, real_registry_url, make_topic)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if SEED in config.stash:
        terminalreporter.write_line(f"Java's word: INTEROP_SEED={config.stash[SEED]}")
