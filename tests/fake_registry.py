"""Registries that misbehave, each under a path of its own on one loopback socket, until they are told to be well."""

import asyncio
import contextlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from starlette.types import ASGIApp

from tests.asgi import call

TLS_HANDSHAKE = b"\x16"


class Asked(NamedTuple):
    """One request; `path` is without the registry's own."""

    at: float
    method: str
    path: str


@dataclass(frozen=True)
class Script:
    """What is sent instead of a registry's answer, as it stands; requests elsewhere than `below` are answered well."""

    raw: bytes = b""
    then: Literal["close", "hang", "more"] = "close"
    below: str = "/"


@dataclass
class FakeRegistry:
    """`url` is the server's; a registry of any name is `url`/name, well unless `scripts` has it."""

    app: ASGIApp
    scripts: dict[str, Script] = field(default_factory=dict)
    asked: dict[str, list[Asked]] = field(default_factory=dict)
    url: str = ""
    connections: set[asyncio.Task[None] | None] = field(default_factory=set)  # the loop itself holds them weakly

    def attempts(self, name: str) -> list[float]:
        """When each attempt of a start-up began: with a look-up that does not follow a registration."""
        asked = self.asked.get(name, [])
        begun = [each for before, each in zip([None, *asked], asked, strict=False) if _begins(before, each)]
        return [each.at for each in begun]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: one request, then it is closed."""
        self.connections.add(task := asyncio.current_task())
        try:
            await self._answer(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone or has given up, or the test is over
        finally:
            writer.close()
            self.connections.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (first := await reader.readexactly(1)) == TLS_HANDSHAKE:
            writer.write(http_answer(400, b""))
            return
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        _, name, path = (target if target.count("/") > 1 else f"{target}/").split("/", 2)
        lengths = [line.partition(":")[2] for line in head if line.lower().startswith("content-length:")]
        body = await reader.readexactly(int(lengths[0]) if lengths else 0)
        self.asked.setdefault(name, []).append(Asked(time.monotonic(), method, f"/{path}"))
        script = self.scripts.get(name)
        if script is None or not f"/{path}".startswith(script.below):
            writer.write(await self._well(method, f"/{path}", body))
        else:
            await _play(script, writer)

    async def _well(self, method: str, path: str, body: bytes) -> bytes:
        answer = await call(self.app, body, method=method, path=path)
        assert answer is not None
        return http_answer(answer.status, answer.body)


def _begins(before: Asked | None, asked: Asked) -> bool:
    is_look_up = asked.method == "POST" and asked.path.count("/") == 2 and "?" not in asked.path
    return is_look_up and (before is None or not before.path.endswith("/versions"))


async def _play(script: Script, writer: asyncio.StreamWriter) -> None:
    writer.write(script.raw)
    await writer.drain()
    if script.then == "hang":
        await asyncio.Event().wait()
    while script.then == "more":
        writer.write(b"x" * 65_536)
        await writer.drain()


def http_answer(status: int, body: bytes, **headers: str) -> bytes:
    lines = {"content-length": str(len(body)), "connection": "close", **headers}
    fields = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} -\r\n{fields}\r\n".encode() + body


def refusal(status: int, code: int, message: str = "because") -> Script:
    """A registry's no, as the Confluent API words it."""
    return Script(http_answer(status, json.dumps({"error_code": code, "message": message}).encode()))


@contextlib.contextmanager
def fake_registry(app: ASGIApp, *, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[FakeRegistry]:
    """Serve in a thread while the block runs; `app` is a registry that is well."""
    registry = FakeRegistry(app)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(registry.answer, "127.0.0.1", port, ssl=tls))
    registry.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield registry
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(_end_connections())
        loop.close()


async def _end_connections() -> None:
    """End what is open, and what was accepted a moment ago and is about to begin."""
    for _ in range(5):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.01)
