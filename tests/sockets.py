"""Talking HTTP/1.1 byte by byte to an application served as the bridge serves it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Self

from starlette.types import ASGIApp

from bridge.listeners import bind, serving
from bridge.testing import PATH
from tests.asgi import Answer


class Connection:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def answer(self, *, has_body: bool = True) -> Answer:
        """The next answer. Raises EOFError or ConnectionError where there is none."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in head[1:-2])]
        answer = Answer(int(head[0].split(" ")[1]), headers, b"")
        length = int(answer.header("content-length") or 0) if has_body else 0
        return answer._replace(body=await self.reader.readexactly(length))

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def served(app: ASGIApp, *, drain_seconds: int = 2) -> AsyncIterator[int]:
    """Serve the application on a free port while the block runs."""
    sockets = bind(["http://127.0.0.1:0"])
    async with serving(app, sockets, drain_seconds=drain_seconds):
        yield sockets[0].getsockname()[1]


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    connection = await Connection.open(port)
    try:
        yield connection
    finally:
        await connection.close()


def head(
    headers: Sequence[tuple[bytes, bytes]] = (), *, length: int | None = 0, method: str = "POST", path: str = PATH
) -> bytes:
    """A request's head; `length` None announces a chunked body."""
    framing = (b"transfer-encoding", b"chunked") if length is None else (b"content-length", b"%d" % length)
    lines = [name + b": " + value for name, value in [(b"host", b"bridge.test"), framing, *headers]]
    return b"\r\n".join([f"{method} {path} HTTP/1.1".encode(), *lines, b"", b""])


def chunked(pieces: Iterable[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])
