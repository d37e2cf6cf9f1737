"""Whether a server answers its own protocol, not merely its port."""

import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.servers.choice import Unavailable

POLL_SECONDS = 0.1


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def kafka_answers(bootstrap_servers: str) -> bool:
    if not any(_port_is_open(address) for address in bootstrap_servers.split(",")):
        return False
    try:
        AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0}).list_topics(timeout=2)
    except KafkaException:
        return False
    return True


def registry_answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/subjects", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_until(answers: Callable[[], bool], *, seconds: float, ended: Callable[[], str | None] = lambda: None) -> None:
    """Returns once `answers()` is true; Unavailable when `ended()` gives a reason or the time is over."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not answers():
        if reason := ended():
            raise Unavailable(reason)
        if time.monotonic() > deadline:
            raise Unavailable(f"no answer within {seconds:.0f} s")
        pause.wait(POLL_SECONDS)


def _port_is_open(address: str) -> bool:
    host, _, port = address.strip().rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=2):
            return True
    except OSError:
        return False
