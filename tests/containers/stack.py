"""docker-compose.yml brought up under a name and on ports of its own, so that it meets no other."""

import base64
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from tests.servers.readiness import free_port

CHECKOUT = Path(__file__).parents[2]
USERNAME, PASSWORD = "optoro", "a password of this test"
UP_SECONDS = 600
READ_SECONDS = 20


@dataclass(frozen=True)
class Stack:
    """A running stack; `started_at` is the monotonic time before anything of it was there."""

    compose: Sequence[str]
    environment: Mapping[str, str]
    started_at: float

    @property
    def bootstrap_servers(self) -> str:
        return f"localhost:{self.environment['KAFKA_PORT']}"

    def run(self, *arguments: str) -> str:
        """The output of a Compose command that must succeed."""
        command = [*self.compose, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=CHECKOUT, env=self.environment, timeout=UP_SECONDS
        )
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def post(self, body: bytes) -> Any:
        """The bridge's answer to one webhook."""
        login = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        url = f"http://127.0.0.1:{self.environment['WEBHOOK_PORT']}/webhooks/rma"
        return _fetch(urllib.request.Request(url, body, headers))

    def schema(self, schema_id: int) -> Any:
        url = f"http://127.0.0.1:{self.environment['REGISTRY_PORT']}/apis/ccompat/v7/schemas/ids/{schema_id}"
        return json.loads(_fetch(urllib.request.Request(url))["schema"])

    def records(self, topic: str, count: int) -> list[Message]:
        """The first `count` records of the topic, or as many as there are in time."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap_servers, "group.id": "test"})
        try:
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
            return consumer.consume(count, timeout=READ_SECONDS)
        finally:
            consumer.close()


@contextmanager
def stack(compose: Sequence[str]) -> Iterator[Stack]:
    """The whole stack, built and ready; all of it is removed at the end."""
    ports = {name: str(free_port()) for name in ("KAFKA_PORT", "REGISTRY_PORT", "WEBHOOK_PORT", "REST_PORT")}
    credentials = {"WEBHOOK_USERNAME": USERNAME, "WEBHOOK_PASSWORD": PASSWORD}
    running = Stack(compose, {**os.environ, **ports, **credentials}, time.monotonic())
    try:
        running.run("up", "--detach", "--build", "--wait")
        yield running
    finally:
        running.run("--profile", "samples", "down", "--volumes", "--timeout", "1")


def _fetch(request: urllib.request.Request) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as response:
        return json.loads(response.read())
