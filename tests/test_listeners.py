"""Sockets bound before anything else starts, and servers that let what is in flight end."""

import asyncio
import contextlib
import signal
import socket
from typing import Any

import pytest

from bridge.listeners import address, bind, serving
from tests.sockets import connected, head, served


class Gate:
    """An application that answers once it is opened."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.entered = asyncio.Event()
        self.cancelled = False

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        self.entered.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def test_bind_when_the_port_is_free() -> None:
    """Port 0 takes a free one, and the address is one that can be called."""
    [sock] = bind(["http://127.0.0.1:0"])
    with sock:
        assert address(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"


def test_address_when_bound_to_every_interface() -> None:
    """It names loopback, where a client on this machine finds it."""
    [sock] = bind(["http://0.0.0.0:0"])
    with sock:
        assert address(sock).startswith("http://127.0.0.1:")


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_address_when_it_is_ipv6() -> None:
    """The host is in brackets."""
    try:
        [sock] = bind(["http://[::1]:0"])
    except OSError as exc:
        pytest.skip(f"no IPv6 loopback here: {exc}")
    with sock:
        assert address(sock) == f"http://[::1]:{sock.getsockname()[1]}"


def test_bind_when_the_port_is_taken() -> None:
    """The error names the listener, and nothing that was bound before it stays bound."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on http://127.0.0.1:{port}"):
            bind(["http://127.0.0.1:0", f"http://127.0.0.1:{port}"])


def test_serving_when_it_ends_with_a_request_in_flight() -> None:
    """New connections are refused at once, and the request in flight is answered."""

    async def main() -> tuple[bool, int]:
        gate = Gate()
        server = served(gate, drain_seconds=10)
        port = await server.__aenter__()
        async with connected(port) as connection:
            await connection.send(head())
            await gate.entered.wait()
            leaving = asyncio.create_task(server.__aexit__(None, None, None))
            await refused(port)
            waits = not leaving.done()
            gate.open.set()
            answer = await connection.answer()
            await leaving
        return waits, answer.status

    assert asyncio.run(main()) == (True, 200)


def test_serving_when_a_request_outlasts_the_drain() -> None:
    """It is cancelled, and serving ends."""

    async def main() -> bool:
        gate = Gate()
        async with (
            contextlib.AsyncExitStack() as client,
            asyncio.timeout(8),
            served(gate, drain_seconds=1) as port,
        ):
            connection = await client.enter_async_context(connected(port))
            await connection.send(head())
            await gate.entered.wait()
        return gate.cancelled

    assert asyncio.run(main())


def test_serving_when_connections_are_idle() -> None:
    """They do not hold up the end."""

    async def main() -> None:
        gate = Gate()
        gate.open.set()
        async with (
            contextlib.AsyncExitStack() as client,
            asyncio.timeout(4),
            served(gate, drain_seconds=10) as port,
        ):
            connection = await client.enter_async_context(connected(port))
            await client.enter_async_context(connected(port))
            await connection.send(head())
            await connection.answer()

    asyncio.run(main())


def test_serving_leaves_signals_alone() -> None:
    """What a signal does is the process's business, while serving and after."""

    async def main() -> tuple[Any, Any]:
        async with served(Gate()):
            return signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    before = signal.getsignal(signal.SIGTERM)
    terminate, _ = asyncio.run(main())
    assert terminate == before == signal.getsignal(signal.SIGTERM)


def test_serving_yields_the_servers_task() -> None:
    """The task runs while the server does, so that whoever waits for it learns of its end."""

    async def main() -> tuple[bool, bool]:
        async with serving(Gate(), bind(["http://127.0.0.1:0"]), drain_seconds=1) as task:
            during = task.done()
        return during, task.done()

    assert asyncio.run(main()) == (False, True)


async def refused(port: int) -> None:
    """Return once the port takes no connection any more."""
    async with asyncio.timeout(5):
        while True:
            try:
                async with connected(port):
                    await asyncio.sleep(0.02)
            except OSError:
                return
