"""Senders over real sockets that write every answer into the ledger, and a heartbeat that sees the loop stall."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tests.faults.ledger import Entry
from tests.samples import basic
from tests.sockets import Connection, head

NO_ANSWER: Final = 0
ANSWER_SECONDS: Final = 20.0
TICK_SECONDS: Final = 0.005
WORK_SECONDS: Final = 0.2  # the promise is 0.05; here senders and ledger work in the same loop
WAIT_SECONDS: Final = 1.0
HEADERS: Final = [basic(), (b"content-type", b"application/json"), (b"x-optiturn-id", b"Modrno")]


class Exchange(NamedTuple):
    """One request and its answer, in the loop's time. NO_ANSWER is a connection that failed."""

    entry: Entry
    status: int
    started: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.started


@dataclass
class Senders:
    """Keep-alive connections to one webhook, and everything that went over them."""

    url: str
    exchanges: list[Exchange] = field(default_factory=list)
    _idle: list[Connection] = field(default_factory=list)

    @property
    def statuses(self) -> Counter[int]:
        return Counter(exchange.status for exchange in self.exchanges)

    async def post(self, entry: Entry) -> Exchange:
        """Send one event on a connection that is free, or on a new one."""
        loop = asyncio.get_running_loop()
        parts = urlsplit(self.url)
        started, status, connection = loop.time(), NO_ANSWER, None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                connection = self._idle.pop() if self._idle else await Connection.open(parts.port or 0)
                await connection.send(head(HEADERS, length=len(entry.body), path=parts.path) + entry.body)
                answer = await connection.answer()
            status = answer.status
            entry.answered(status, answer.body)
            self._idle.append(connection)
        except (OSError, EOFError):
            entry.unknown += 1
            if connection is not None:
                await connection.close()
        self.exchanges.append(Exchange(entry, status, started, loop.time()))
        return self.exchanges[-1]

    async def in_turn(self, events: Sequence[Callable[[], Entry | None]]) -> None:
        """As many senders as there are sources; each sends its next event when the last was answered, until None."""

        async def one(source: Callable[[], Entry | None]) -> None:
            while (entry := source()) is not None:
                await self.post(entry)

        await asyncio.gather(*map(one, events))

    async def at_rate(self, issue: Callable[[], Entry], per_second: float, over: Callable[[], bool]) -> None:
        """Events are due at fixed times, whatever became of those before; return when all were answered."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with asyncio.TaskGroup() as group:
            number = 0
            while not over():
                group.create_task(self.post(issue()))
                number += 1
                await asyncio.sleep(max(0.0, started + number / per_second - loop.time()))

    async def close(self) -> None:
        for connection in self._idle:
            await connection.close()


def percentile(exchanges: Sequence[Exchange], percent: float) -> float:
    """In seconds."""
    ordered = sorted(exchange.seconds for exchange in exchanges)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]


@dataclass
class Heartbeat:
    """The longest that the event loop kept a timer waiting, and the longest it worked without a pause, in seconds.

    On a machine that others use too, the wait says how busy they are; the work is ours alone.
    """

    longest_wait: float = 0.0
    longest_work: float = 0.0
    watching: bool = True

    def assert_steady(self) -> None:
        """Nothing blocked the loop, and nothing held it for longer than an answer may be late."""
        assert (self.longest_work <= WORK_SECONDS, self.longest_wait <= WAIT_SECONDS) == (True, True), self


@contextlib.asynccontextmanager
async def heartbeat() -> AsyncIterator[Heartbeat]:
    """Watch the loop while the block runs, or until `watching` is set to False."""
    beat = Heartbeat()
    task = asyncio.create_task(_watch(beat))
    try:
        yield beat
    finally:
        task.cancel()


async def _watch(beat: Heartbeat) -> None:
    loop = asyncio.get_running_loop()
    while True:
        before, worked = loop.time(), time.thread_time()
        await asyncio.sleep(TICK_SECONDS)
        if not beat.watching:
            return
        beat.longest_wait = max(beat.longest_wait, loop.time() - before - TICK_SECONDS)
        beat.longest_work = max(beat.longest_work, time.thread_time() - worked)
