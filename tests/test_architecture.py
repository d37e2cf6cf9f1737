"""ARCHITECTURE.md's rules hold for the package, and the checker finds each way to break them."""

import ast
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import bridge
from tests.architecture import (
    Modules,
    away_from_home,
    chance_takers,
    cycles,
    environment_readers,
    process_enders,
    read_modules,
    wrong_direction,
)

BRIDGE = read_modules(Path(bridge.__file__).parent)
# The way in and the tools beside it; and the key of one process's digests, which is nobody's to choose.
CHANCE_ALLOWED = ("bridge.cli", "bridge.simulator", "bridge.testing", "bridge.webhook.authentication")


def chance(modules: Modules) -> list[str]:
    return chance_takers(modules, allowed=CHANCE_ALLOWED)


RULES = [wrong_direction, cycles, away_from_home, environment_readers, process_enders, chance]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_bridge_keeps(rule: Callable[[Modules], list[str]]) -> None:
    """Nothing in the package breaks the rule."""
    assert rule(BRIDGE) == []


def test_bridge_is_all_there() -> None:
    """The rules were checked on the real package, not on nothing."""
    assert {"bridge.pipeline", "bridge.kafka.producer", "bridge.cli.run", "bridge.__main__"} <= BRIDGE.keys()


@pytest.mark.parametrize(
    ("rule", "sources"),
    [
        pytest.param(
            wrong_direction,
            {"bridge.avro.a": "from bridge.pipeline import Pipeline", "bridge.pipeline": ""},
            id="a stage imports the pipeline",
        ),
        pytest.param(
            wrong_direction,
            {"bridge.avro.a": "import bridge.kafka.b", "bridge.kafka.b": ""},
            id="a stage imports another",
        ),
        pytest.param(
            wrong_direction,
            {"bridge.webhook.a": "def f():\n    from bridge.connect import b", "bridge.connect.b": ""},
            id="in a function",
        ),
        pytest.param(
            wrong_direction,
            {
                "bridge.kafka.a": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import bridge.app",
                "bridge.app": "",
            },
            id="for type checking only",
        ),
        pytest.param(
            wrong_direction,
            {"bridge.webhook.authentication.a": "import bridge.webhook.keys", "bridge.webhook.keys": ""},
            id="authentication imports its door",
        ),
        pytest.param(
            wrong_direction, {"bridge.app": "import bridge.testing", "bridge.testing": ""}, id="testing is imported"
        ),
        pytest.param(wrong_direction, {"bridge.unheard_of": ""}, id="a room without a place"),
        pytest.param(
            cycles,
            {"bridge.avro.a": "import bridge.avro.b", "bridge.avro.b": "def f():\n    from bridge.avro import a"},
            id="a cycle hidden in a function",
        ),
        pytest.param(
            cycles,
            {"bridge.a": "import bridge.b", "bridge.b": "import bridge.c", "bridge.c": "from bridge.a import name"},
            id="a cycle of three",
        ),
        pytest.param(away_from_home, {"bridge.pipeline": "import confluent_kafka"}, id="the Kafka client elsewhere"),
        pytest.param(away_from_home, {"bridge.kafka.a": "from fastavro import parse_schema"}, id="Avro elsewhere"),
        pytest.param(away_from_home, {"bridge.listeners": "from starlette.routing import Route"}, id="a router"),
        pytest.param(away_from_home, {"bridge.avro.a": "import httpx2"}, id="the HTTP client in another module"),
        pytest.param(away_from_home, {"bridge.app": "def f():\n    import uvicorn"}, id="the server in a function"),
        pytest.param(away_from_home, {"bridge.kafka.a": "import requests"}, id="a package without a home"),
        pytest.param(environment_readers, {"bridge.app": "import os\nx = os.environ['A']"}, id="os.environ"),
        pytest.param(environment_readers, {"bridge.cli.a": "from os import getenv\ngetenv('A')"}, id="getenv"),
        pytest.param(environment_readers, {"bridge.app": "import os as o\no.environ.get('A')"}, id="renamed"),
        pytest.param(process_enders, {"bridge.worker": "import sys\nsys.exit(1)"}, id="sys.exit"),
        pytest.param(process_enders, {"bridge.worker": "raise SystemExit(1)"}, id="SystemExit"),
        pytest.param(process_enders, {"bridge.worker": "from os import _exit as leave\nleave(1)"}, id="os._exit"),
        pytest.param(chance, {"bridge.worker": "import time\ndef f(): return time.time()"}, id="wall clock"),
        pytest.param(
            chance, {"bridge.worker": "from datetime import datetime as d\nd.now()"}, id="datetime.now, renamed"
        ),
        pytest.param(chance, {"bridge.kafka.a": "import uuid\nuuid.uuid4()"}, id="uuid4"),
        pytest.param(chance, {"bridge.kafka.a": "import random\nrandom.random()"}, id="random"),
        pytest.param(chance, {"bridge.kafka.a": "from random import SystemRandom\nSystemRandom()"}, id="SystemRandom"),
        pytest.param(chance, {"bridge.kafka.a": "import secrets\nsecrets.token_hex()"}, id="secrets"),
        pytest.param(chance, {"bridge.kafka.a": "import time\nclock = time.time"}, id="a clock kept for later"),
    ],
)
def test_rule_when_broken(rule: Callable[[Modules], list[str]], sources: Mapping[str, str]) -> None:
    """The checker says what is wrong."""
    assert len(set(rule(parsed(sources)))) >= 1


@pytest.mark.parametrize(
    ("rule", "sources"),
    [
        pytest.param(
            wrong_direction,
            {
                "bridge.connect.a": "from bridge.webhook.authentication import b",
                "bridge.webhook.authentication.b": "",
            },
            id="a room to the left inside another",
        ),
        pytest.param(
            wrong_direction, {"bridge.testing": "import bridge.cli.run", "bridge.cli.run": ""}, id="testing imports"
        ),
        pytest.param(
            cycles,
            {"bridge.a": "import bridge.b\nimport bridge.c", "bridge.b": "import bridge.c", "bridge.c": ""},
            id="two ways to one module",
        ),
        pytest.param(
            away_from_home, {"bridge.listeners": "import uvicorn\nfrom starlette.types import ASGIApp"}, id="at home"
        ),
        pytest.param(environment_readers, {"bridge.config.a": "import os\nos.environ"}, id="environment in config"),
        pytest.param(chance, {"bridge.app": "import time\ndef f(clock=time.time): clock()"}, id="default argument"),
        pytest.param(chance, {"bridge.app": "import time\ntime.monotonic()"}, id="measuring"),
        pytest.param(
            chance, {"bridge.worker": "from random import Random\ndef f(r: Random): r.random()"}, id="given randomness"
        ),
    ],
)
def test_rule_when_kept(rule: Callable[[Modules], list[str]], sources: Mapping[str, str]) -> None:
    """The checker is silent about what is allowed."""
    assert rule(parsed(sources)) == []


def parsed(sources: Mapping[str, str]) -> dict[str, ast.Module]:
    return {name: ast.parse(source) for name, source in sources.items()}
