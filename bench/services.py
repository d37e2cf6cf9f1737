"""The two services under measurement, each started fresh as a process of its own, with the same Kafka settings."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bench.requests import PASSWORD, PATH, USERNAME
from bridge.config.configuration import Configuration, RawValue, no_references
from bridge.config.sources import ENVIRONMENT_PREFIX
from bridge.definitions import CONNECTOR, WORKER
from bridge.kafka.settings import producer_settings

CHECKOUT: Final = Path(__file__).parent.parent
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Servers:
    """The addresses of the real Kafka and the real registry, and what they are."""

    bootstrap_servers: str
    schema_registry_url: str
    how: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """A service that answers: the process to measure, and the port to post to."""

    pid: int
    port: int


Start = Callable[[Servers, str, Path], contextlib.AbstractContextManager[Service]]


@contextlib.contextmanager
def bridge(servers: Servers, topic: str, folder: Path) -> Iterator[Service]:
    """Run the bridge with everything on, its logs in `folder`. Raises RuntimeError where it does not get ready."""
    worker, connector = folder / "worker.properties", folder / "connector.json"
    worker.write_text("".join(f"{key}={value}\n" for key, value in worker_texts(servers).items()))
    connector.write_text(json.dumps({"name": "bench", "config": connector_texts(topic)}))
    command = [sys.executable, "-m", "bridge", "run", str(worker), str(connector)]
    with _process(command, folder / "bridge.log") as process:
        line = first_line(process, START_SECONDS)
        if not line:
            raise RuntimeError(f"the bridge did not start:\n{(folder / 'bridge.log').read_text()[-2000:]}")
        yield Service(process.pid, urlsplit(json.loads(line)["webhook"]).port or 0)


@contextlib.contextmanager
def comparator(servers: Servers, topic: str, folder: Path) -> Iterator[Service]:
    """Run the comparator, its logs in `folder`. Raises RuntimeError where it does not get ready."""
    port = _free_port()
    log = folder / "comparator.log"
    with _process([sys.executable, "-m", "bench.comparator", str(port)], log) as process:
        assert process.stdin is not None
        json.dump(_comparator_settings(servers, topic), process.stdin)
        process.stdin.close()
        if not _answers(f"http://127.0.0.1:{port}/readyz"):
            raise RuntimeError(f"the comparator did not start:\n{log.read_text()[-2000:]}")
        yield Service(process.pid, port)


SERVICES: Final[Mapping[str, Start]] = {"bridge": bridge, "comparator": comparator}


def first_line(process: subprocess.Popen[str], seconds: float) -> str:
    """Return what the process says first on standard output, nothing where it ends or lets us wait too long."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    return process.stdout.readline() if ready else ""


def worker_texts(servers: Servers) -> dict[str, str]:
    """Return the bridge's worker configuration."""
    return {
        "bootstrap.servers": servers.bootstrap_servers,
        "schema.registry.url": servers.schema_registry_url,
        "webhook.listeners": "http://127.0.0.1:0",
        "listeners": "http://127.0.0.1:0",
        "log.format": "json",
    }


def connector_texts(topic: str) -> dict[str, str]:
    """Return the bridge's connector configuration."""
    return {
        "name": "bench",
        "connector.class": "OptoroRmaSource",
        "topic": topic,
        "topic.audit": "lenient",
        "webhook.path": PATH,
        "webhook.auth.methods": "basic",
        "webhook.auth.basic.username": USERNAME,
        "webhook.auth.basic.password": PASSWORD,
        "value.converter.auto.register.schemas": "true",
        "errors.log.enable": "true",
    }


def configurations(servers: Servers, topic: str) -> tuple[Configuration, Configuration]:
    """Return the worker's and the connector's configuration as the bridge reads them."""
    worker, connector = (
        {key: RawValue(text, "bench") for key, text in texts.items()}
        for texts in (worker_texts(servers), connector_texts(topic))
    )
    return WORKER.parse(worker, no_references), CONNECTOR.parse(connector, no_references)


def _comparator_settings(servers: Servers, topic: str) -> dict[str, Any]:
    return {
        "producer": producer_settings(*configurations(servers, topic)) | {"client.id": "comparator"},
        "schema.registry.url": servers.schema_registry_url,
        "schema": (CHECKOUT / "schemas" / "returns.rma.v1-value.avsc").read_text(),
        "topic": topic,
    }


@contextlib.contextmanager
def _process(command: list[str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a command for the length of the block, without what the environment says to a bridge; then SIGTERM."""
    pipe = subprocess.PIPE
    variables = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, cwd=CHECKOUT, env=variables, stdin=pipe, stdout=pipe, stderr=errors, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with opener.open(url, timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False
