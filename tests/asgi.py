"""Calling an ASGI application by its own messages: no server, no socket."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from starlette.types import ASGIApp

from bridge.testing import PATH

Messages = Iterable[dict[str, Any]]


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The one value of a header, None where it is missing; a repeated header fails the test."""
        values = [value for header, value in self.headers if header == name]
        assert len(values) < 2, f"{name} is repeated"
        return values[0] if values else None

    def json(self) -> Any:
        return json.loads(self.body)


async def call(
    app: ASGIApp,
    body: bytes | Sequence[bytes] = b"",
    *,
    headers: Sequence[tuple[bytes, bytes]] = (),
    method: str = "POST",
    path: str = PATH,
    receive: Callable[[], Awaitable[dict[str, Any]]] | None = None,
    send: Callable[[Any], Awaitable[None]] | None = None,
) -> Answer | None:
    """The answer, None where the application sent none. `body` in several pieces is a chunked one."""
    sent: list[dict[str, Any]] = []

    async def keep(message: Any) -> None:
        sent.append(message)

    raw_path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw_path,
        "raw_path": raw_path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8080),
    }
    await app(scope, receive or _receive([body] if isinstance(body, bytes) else body), send or keep)
    return _answer(sent)


def _receive(pieces: Sequence[bytes]) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Receiving the pieces, then a sender that waits for its answer."""
    last = len(pieces) - 1
    messages = iter([{"type": "http.request", "body": piece, "more_body": n < last} for n, piece in enumerate(pieces)])

    async def receive() -> dict[str, Any]:
        message = next(messages, None)
        return await asyncio.Future() if message is None else message

    return receive


def receiving(*messages: dict[str, Any]) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Receiving exactly these messages, then nothing any more."""
    remaining = iter(messages)

    async def receive() -> dict[str, Any]:
        message = next(remaining, None)
        return await asyncio.Future() if message is None else message

    return receive


def _answer(sent: Sequence[dict[str, Any]]) -> Answer | None:
    if not sent:
        return None
    start, *rest = sent
    assert [start["type"], *(message["type"] for message in rest)] == ["http.response.start", "http.response.body"]
    headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
    return Answer(start["status"], headers, rest[0]["body"])
