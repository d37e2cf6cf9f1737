"""Senders that post one event after the other until they are told to stop, and remember every answer."""

import contextlib
import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.samples import basic, rma


@dataclass
class Load:
    """What the senders heard: the ids of stored events by how they were stored, each status, each broken connection."""

    accepted: set[str] = field(default_factory=set)
    quarantined: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    enough: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, status: int, body: bytes) -> None:
        with self.lock:
            self.statuses[status] += 1
            if status == 200:
                answer = json.loads(body)
                stored = self.accepted if answer["status"] == "accepted" else self.quarantined
                stored.add(answer["event_id"])
            if len(self.accepted) >= 300:
                self.enough.set()


@contextlib.contextmanager
def under_load(url: str, *, senders: int = 8) -> Iterator[Load]:
    """Post while the block runs; every tenth event is unusable."""
    load = Load()
    threads = [threading.Thread(target=_send, args=(load, url, number)) for number in range(senders)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop.set()
        for thread in threads:
            thread.join()


def _send(load: Load, url: str, sender: int) -> None:
    parts = urlsplit(url)
    name, value = basic()
    headers = {name.decode(): value.decode(), "Content-Type": "application/json", "X-Optiturn-Id": "Modrno"}
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    number = 0
    while not load.stop.is_set():
        number += 1
        identifier = f"{sender}-{number}"
        body = rma(rma_identifier=identifier) if number % 10 else b"no JSON " + identifier.encode()
        try:
            connection.request("POST", parts.path, body, headers)
            response = connection.getresponse()
            load.answered(response.status, response.read())
        except (OSError, http.client.HTTPException):
            load.broken += 1
            connection.close()
            load.stop.wait(0.05)
    connection.close()
