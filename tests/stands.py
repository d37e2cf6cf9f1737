"""Embedded parts that outlive the process under test: they run in the tests' own process, in a thread."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from bridge.embedded.registry import embedded_registry
from bridge.embedded.stack import Addresses, embedded_stack
from bridge.listeners import bind, serving

T = TypeVar("T")


@contextlib.contextmanager
def embedded_parts(topics: Sequence[str]) -> Iterator[Addresses]:
    """A broker with these topics, and a registry."""
    with _in_a_thread(lambda: embedded_stack(topics)) as addresses:
        yield addresses


@contextlib.contextmanager
def registry_on(url: str) -> Iterator[None]:
    """An empty registry on this address."""

    with _in_a_thread(lambda: serving(embedded_registry(), bind([url]), drain_seconds=1)):
        yield


@contextlib.contextmanager
def _in_a_thread(open_parts: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    stop = asyncio.Event()
    opened: queue.Queue[tuple[T, asyncio.AbstractEventLoop]] = queue.Queue()

    async def main() -> None:
        async with open_parts() as parts:
            opened.put((parts, asyncio.get_running_loop()))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    parts, loop = opened.get(timeout=30)
    try:
        yield parts
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
