"""A real Kafka Connect worker with one connector, for as long as a block runs."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.interop.jvm import SMALL_HEAP, jars, java
from tests.servers.choice import Unavailable
from tests.servers.readiness import free_port, wait_until

PLUGINS: Final = ("connect-file", "connect-avro")
WORKER: Final = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    "offset.flush.interval.ms": "500",  # the sink writes its lines out with its offsets
}


@contextmanager
def connect_worker(folder: Path, bootstrap_servers: str, connector: Mapping[str, Any]) -> Iterator[Callable[..., None]]:
    """Runs the worker; what it yields waits for a condition, and fails with the worker's log without it."""
    worker = WORKER | {
        "bootstrap.servers": bootstrap_servers,
        "listeners": f"http://127.0.0.1:{free_port()}",
        "offset.storage.file.filename": str(folder / "offsets"),
        "plugin.path": str(_plugins(folder)),
    }
    files = folder / "connect.properties", folder / "connector.json"
    files[0].write_text("".join(f"{key}={value}\n" for key, value in worker.items()))
    files[1].write_text(json.dumps(connector))
    main = ["-cp", f"{jars('kafka')}/*", "org.apache.kafka.connect.cli.ConnectStandalone", *map(str, files)]
    log = folder / "connect.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [java(), SMALL_HEAP, "-Duser.timezone=UTC", *main], stdout=output, stderr=output, start_new_session=True
        )

    def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
        try:
            wait_until(condition, seconds=seconds, ended=lambda: None if process.poll() is None else "it ended")
        except Unavailable as exc:
            raise AssertionError(f"{exc}: {log.read_text()[-4_000:]}") from exc

    try:
        yield wait
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _plugins(folder: Path) -> Path:
    """A folder with each plugin's libraries apart from the others', as Connect wants them."""
    plugins = folder / "plugins"
    plugins.mkdir()
    for name in PLUGINS:
        (plugins / name).symlink_to(jars(name))
    return plugins
