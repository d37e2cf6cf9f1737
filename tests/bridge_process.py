"""The bridge as operators run it: a process of its own, told what to do by files and signals."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.samples import SAMPLE, basic

CHECKOUT = Path(__file__).parents[1]
READY_SECONDS = 40
EXIT_SECONDS = 40
REQUEST_SECONDS = 20

CONNECTOR = {
    "name": "rma-source",
    "connector.class": "OptoroRmaSource",
    "webhook.auth.methods": "basic",
    "webhook.auth.basic.username": "optoro",
    "webhook.auth.basic.password": "pass:wörd",
    "value.converter.auto.register.schemas": "true",
    "topic.audit": "off",
}


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class BridgeProcess:
    """A running `python -m bridge run`; its standard error is kept in a file."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def log_entries(self) -> list[dict[str, Any]]:
        """Every line of the log, each of which must be JSON."""
        return [json.loads(line) for line in self.log.splitlines()]

    def ready_line(self) -> dict[str, str]:
        """The line on standard output; fails where the process ends, or takes too long, before it prints one."""
        timer = threading.Timer(READY_SECONDS, self.process.kill)
        timer.start()
        try:
            assert self.process.stdout is not None
            line = self.process.stdout.readline()
        finally:
            timer.cancel()
        assert line, f"not ready: {self.log[-2_000:]}"
        ready: dict[str, str] = json.loads(line)
        return ready

    def listening(self) -> dict[str, Any]:
        """Where it listens, as its log says before it is ready."""
        pause = threading.Event()
        for _ in range(READY_SECONDS * 20):
            for line in self.log.splitlines(keepends=True):
                if line.endswith("\n") and '"webhooks"' in line:
                    entry: dict[str, Any] = json.loads(line)
                    return entry
            assert self.process.poll() is None, self.log
            pause.wait(0.05)
        raise AssertionError(f"it does not listen: {self.log[-2_000:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(EXIT_SECONDS)

    def rest_of_output(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.read()


@contextlib.contextmanager
def bridge_process(folder: Path, *arguments: str | Path, **environment: str) -> Iterator[BridgeProcess]:
    """Run the bridge while the block runs; what is still alive then is killed."""
    command = [sys.executable, "-m", "bridge", "run", *map(str, arguments)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    log = folder / "stderr.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=CHECKOUT,
            env=inherited | environment,
        )
    try:
        yield BridgeProcess(process, log)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def write_configuration(
    folder: Path, *, bootstrap_servers: str, schema_registry_url: str, **texts: str
) -> Sequence[Path]:
    """A worker's and a connector's file; `texts` go to the connector, `_` standing for `.`."""
    worker = {
        "bootstrap.servers": bootstrap_servers,
        "schema.registry.url": schema_registry_url,
        "webhook.listeners": "http://127.0.0.1:0",
        "listeners": "http://127.0.0.1:0",
    }
    worker_path, connector_path = folder / "worker.properties", folder / "connector.json"
    worker_path.write_text("".join(f"{name}={text}\n" for name, text in worker.items()))
    connector = CONNECTOR | {name.replace("_", "."): text for name, text in texts.items()}
    connector_path.write_text(json.dumps({"name": connector["name"], "config": connector}))
    return worker_path, connector_path


def request(url: str, *, method: str = "GET", body: bytes | None = None, headers: Any = ()) -> Reply:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=REQUEST_SECONDS)
    try:
        connection.request(method, parts.path, body, {name.decode(): value.decode() for name, value in headers})
        response = connection.getresponse()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def post(url: str, body: bytes = SAMPLE, *, username: str = "optoro", password: str = "pass:wörd") -> Reply:
    headers = [basic(username, password), (b"content-type", b"application/json")]
    return request(url, method="POST", body=body, headers=headers)
