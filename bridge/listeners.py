"""Both doors in one event loop: uvicorn serving ASGI applications on sockets that we bound.

uvicorn's own signal handling is off: it would raise the signal again after serving, and nothing behind it would run.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

KEEP_ALIVE_SECONDS: Final = 65
BACKLOG: Final = 2048
FAREWELL_SECONDS: Final = 1
_TICK_SECONDS: Final = 0.02


def bind(listeners: Sequence[str]) -> list[socket.socket]:
    """Return a bound socket for each `http://host:port`. Raises OSError, naming the listener."""
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(_bind(listener)) for listener in listeners]
        opened.pop_all()
        return sockets


def _bind(listener: str) -> socket.socket:
    parts = urlsplit(listener)
    host = parts.hostname or ""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, parts.port or 0))
    except OSError as exc:
        sock.close()
        raise OSError(exc.errno, f"cannot listen on {listener}: {exc.strerror}") from exc
    return sock


def address(sock: socket.socket) -> str:
    """Return `http://host:port` as a client on this machine would call it."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp, sockets: list[socket.socket], *, drain_seconds: int
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve the application while the block runs; then stop accepting and let what is in flight end.

    After `drain_seconds` the rest is cancelled. The yielded task ends early only if the server fails.
    """
    farewell_seconds = min(FAREWELL_SECONDS, drain_seconds - 1)
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=drain_seconds - farewell_seconds,
    )
    server = _Server(config, farewell_seconds)
    task = asyncio.create_task(server.serve(sockets))
    try:
        await asyncio.wait({task, asyncio.create_task(server.up.wait())}, return_when=asyncio.FIRST_COMPLETED)
        yield task
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, farewell_seconds: float) -> None:
        super().__init__(config)
        self._farewell_seconds = farewell_seconds
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve what is on its way over kept connections, saying that they end; uvicorn would reset it."""
        for server in self.servers:
            server.close()
        self.server_state.default_headers.append((b"connection", b"close"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._farewell_seconds):
                while True:
                    await asyncio.sleep(_TICK_SECONDS)
                    if not self.server_state.connections:
                        break
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
