"""The servers as local Java processes on loopback, each in a folder and a process group of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.servers.choice import Server, Unavailable
from tests.servers.maven import java, kafka_jars, registry_jar
from tests.servers.readiness import free_port, kafka_answers, registry_answers, wait_until
from tests.servers.versions import KAFKA_VERSION, REGISTRY_PATH, REGISTRY_VERSION, SINGLE_NODE_PROPERTIES

START_SECONDS = 90
LOG_LINES = 5


def kafka() -> Server:
    command = [java(), "-Xmx1g", "-cp", f"{kafka_jars()}/*"]
    folder = _folder("kafka")
    port = free_port()
    properties = _write_properties(folder, port, free_port())
    _format(command, properties)
    address = f"127.0.0.1:{port}"
    start = [*command, "kafka.Kafka", str(properties)]
    return serve(start, folder, address, f"local Kafka {KAFKA_VERSION}", partial(kafka_answers, address))


def registry() -> Server:
    port = free_port()
    listener = ["-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}"]
    command = [java(), "-Xmx384m", *listener, "-jar", str(registry_jar())]
    url = f"http://127.0.0.1:{port}{REGISTRY_PATH}"
    how = f"local Apicurio {REGISTRY_VERSION}"
    return serve(command, _folder("registry"), url, how, partial(registry_answers, url))


def _folder(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"rma-bridge-{name}-"))


def _write_properties(folder: Path, port: int, controller_port: int) -> Path:
    properties = SINGLE_NODE_PROPERTIES | {
        "node.id": "1",
        "process.roles": "broker,controller",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "log.dirs": str(folder / "log"),
    }
    path = folder / "server.properties"
    path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    return path


def _format(command: Sequence[str], properties: Path) -> None:
    cluster_id = "rma-bridge-tests-AAAAA"
    storage = [*command, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)]
    formatted = subprocess.run(storage, capture_output=True, text=True, check=False)
    if formatted.returncode != 0:
        shutil.rmtree(properties.parent)
        raise Unavailable(f"Kafka's storage cannot be formatted: {formatted.stderr.strip()[-300:]}")


def serve(command: Sequence[str], folder: Path, address: str, how: str, answers: Callable[[], bool]) -> Server:
    """Starts `command` and returns once it answers; closing the server ends the process group and removes `folder`."""
    log = folder / "server.log"
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches the tests first, which then end it.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, start_new_session=True
        )
    close = partial(_end, process, folder)
    try:
        wait_until(answers, seconds=START_SECONDS, ended=partial(_end_reason, process, log))
    except BaseException:
        close()
        raise
    return Server(address, f"{how} from Maven, process {process.pid}", close)


def _end_reason(process: subprocess.Popen[bytes], log: Path) -> str | None:
    if process.poll() is None:
        return None
    last = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return f"the process ended with {process.returncode}: {' | '.join(last)}"


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Nothing it holds is worth an orderly stop."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)
