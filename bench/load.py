"""The load process: `python -m bench.load` reads a Plan as JSON, posts it, and writes a Result as JSON."""

import asyncio
import json
import resource
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Final

import uvloop

from bench.connection import LOST, Connection
from bench.figures import percentile
from bench.requests import Series

_ANSWER_SECONDS: Final = 20.0
_OK: Final = 200


@dataclass(frozen=True)
class Plan:
    """What to post. Without a `rate` each connection posts again as soon as it has its answer (closed loop).

    With a `rate`, events are due at fixed times whatever the service does (open loop), and latency counts from then.
    It ends after `seconds` or `max_events`, whichever is first.
    """

    port: int
    name: str
    seed: int
    items: int
    connections: int
    seconds: float
    max_events: int
    rate: float | None = None


@dataclass(frozen=True)
class Result:
    """What came back. `statuses` counts the answers by status, 0 where none came; `sent` is their sum.

    `unacknowledged` are the numbers of the events without a 200; events are numbered from 0. `unsent` were due, but no
    connection was left. `seconds` are from the first request to the last answer.
    """

    sent: int
    unsent: int
    statuses: dict[str, int]
    unacknowledged: list[int]
    seconds: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    load_cpu_seconds: float


class _Load:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.unacknowledged: list[int] = []
        self.sent = 0
        self.waiting: deque[float] = deque()
        self._plan = plan
        self._request = Series(plan.name, plan.seed, plan.items).requests(f"127.0.0.1:{plan.port}")
        self._in_flight: set[int] = set()
        self._idle: deque[Connection] = deque()
        self._all_due = plan.rate is None
        self._over = asyncio.Event()

    async def run(self) -> float:
        """Post and wait for the answers; return the seconds from the first request to the last answer."""
        connections = [await self._connect() for _ in range(self._plan.connections)]
        started = time.perf_counter()
        self._ends_at = started + self._plan.seconds
        self._begin(connections, started)
        try:
            async with asyncio.timeout(self._plan.seconds + _ANSWER_SECONDS):
                await self._over.wait()
        except TimeoutError:
            self.statuses[LOST] += len(self._in_flight)
            self.unacknowledged += self._in_flight
        seconds = time.perf_counter() - started
        for connection in connections:
            connection.close()
        return seconds

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(self._answered), "127.0.0.1", self._plan.port)
        return connection

    def _begin(self, connections: list[Connection], started: float) -> None:
        if self._plan.rate is not None:
            self._idle.extend(connections)
            self._make_due(started, 1 / self._plan.rate, 0)
            return
        for connection in connections:
            self._serve(connection)

    def _make_due(self, started: float, interval: float, count: int) -> None:
        now = time.perf_counter()
        while (due := started + count * interval) <= now:
            if due >= self._ends_at or count >= self._plan.max_events:
                self._all_due = True
                self._end_if_over()
                return
            count += 1
            self.waiting.append(due)
            if self._idle:
                self._serve(self._idle.popleft())
        asyncio.get_running_loop().call_later(due - now, self._make_due, started, interval, count)

    def _next_due(self) -> float | None:
        if self._plan.rate is not None:
            return self.waiting.popleft() if self.waiting else None
        now = time.perf_counter()
        return now if now < self._ends_at and self.sent < self._plan.max_events else None

    def _serve(self, connection: Connection) -> None:
        due = self._next_due()
        if due is None:
            self._idle.append(connection)
            self._end_if_over()
            return
        number = self.sent
        self.sent += 1
        self._in_flight.add(number)
        connection.post(self._request(number), number, due)

    def _answered(self, connection: Connection, status: int) -> None:
        number, connection.number = connection.number, None
        assert number is not None
        self._in_flight.discard(number)
        self.statuses[status] += 1
        self.latencies.append(time.perf_counter() - connection.due)
        if status != _OK:
            self.unacknowledged.append(number)
        if connection.is_open:
            self._serve(connection)
        else:
            self._end_if_over()

    def _end_if_over(self) -> None:
        if self._all_due and not self.waiting and not self._in_flight:
            self._over.set()


async def run(plan: Plan) -> Result:
    """Carry a plan out. Raises OSError where nothing listens."""
    load = _Load(plan)
    seconds = await load.run()
    latencies = sorted(load.latencies) or [0.0]
    p50, p99, p999 = (percentile(latencies, percent) * 1000 for percent in (50, 99, 99.9))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Result(
        sent=load.sent,
        unsent=len(load.waiting),
        statuses={str(status): count for status, count in load.statuses.items()},
        unacknowledged=load.unacknowledged,
        seconds=seconds,
        p50_ms=p50,
        p99_ms=p99,
        p999_ms=p999,
        load_cpu_seconds=usage.ru_utime + usage.ru_stime,
    )


def main() -> None:
    """Read the plan from standard input, write the result to standard output."""
    plan = Plan(**json.load(sys.stdin))
    print(json.dumps(asdict(uvloop.run(run(plan)))))


if __name__ == "__main__":
    main()
