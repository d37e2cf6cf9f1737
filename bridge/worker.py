"""What is alive: each connector's task, with its producer and its schema id; started, drained and stopped together.

Connect's words: a connector has one task in each worker. A task is UNASSIGNED until its topics and its schema have
been seen once, RUNNING from then on whatever happens to Kafka or the registry, and FAILED if its code does.
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

from bridge.avro.converter import AvroConverter
from bridge.errors import TemporarilyUnavailable
from bridge.pipeline import Pipeline, Producer
from bridge.records import Outcome, VerifiedRequest

FLUSH_SECONDS: Final = 8.0
RETRY_SECONDS: Final = (0.5, 4.0)
SHORTEST_PAUSE_SECONDS: Final = 0.25
_REMIND_SECONDS: Final = 60.0

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class State(StrEnum):
    """A task's state, from Connect's closed set."""

    UNASSIGNED = "UNASSIGNED"
    RUNNING = "RUNNING"
    FAILED = "FAILED"


class ManagedProducer(Producer, Protocol):
    """A producer with a lifetime, opened by entering it."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    async def close(self, flush_seconds: float) -> int:
        """Wait for what is queued, give up the rest; return how many records were given up."""

    async def replace(self, settings: Mapping[str, Any]) -> None:
        """Go over to other settings without losing a record. Raises DeliveryFailed where they cannot be used."""

    @property
    def open_circuits(self) -> Sequence[str]:
        """The topics that let only probes through, since nothing gets into them."""


@dataclass(frozen=True)
class Plan:
    """What a task is made of.

    `prepare_topics` and `resolve_schema` raise TemporarilyUnavailable until the outside world is as it must be; they
    are tried again until they succeed, and never after.
    """

    connector: str
    producer: ManagedProducer
    prepare_topics: Callable[[], Awaitable[None]]
    resolve_schema: Callable[[], Awaitable[AvroConverter]]
    assemble: Callable[[AvroConverter], Pipeline]
    log_dead_letters: bool = False


class Task:
    """One connector's work in this worker."""

    def __init__(self, plan: Plan, randomness: Random) -> None:
        self.connector = plan.connector
        self.state = State.UNASSIGNED
        self.trace: str | None = None
        self._plan = plan
        self._randomness = randomness
        self._waiting_for: dict[str, TemporarilyUnavailable] = {}
        self._pipeline: Pipeline | None = None

    @property
    def reasons(self) -> list[str]:
        """Why the task is not running, one line each; empty once it is."""
        return [f"{error.code}: {error}" for error in self._waiting_for.values()]

    @property
    def open_circuits(self) -> Sequence[str]:
        """The topics that nothing gets into at the moment; requests for them are answered 503 at once."""
        return self._plan.producer.open_circuits

    async def process(self, request: VerifiedRequest) -> Outcome:
        """Return how one request ended; "unavailable" until the task runs."""
        if self._pipeline is None:
            return Outcome("unavailable", reason="not_ready")
        outcome = await self._pipeline.process(request)
        if self._plan.log_dead_letters and outcome.status == "quarantined":
            logger.warning("dead letter", extra={"connector": self.connector, **outcome._asdict()})
        return outcome

    async def warm_up(self) -> None:
        """Make the task RUNNING; tries for as long as it takes."""
        try:
            _, converter = await asyncio.gather(
                self._until_done("topics", self._plan.prepare_topics),
                self._until_done("schema", self._plan.resolve_schema),
            )
            self._pipeline = self._plan.assemble(converter)
        except Exception:
            self.state, self.trace = State.FAILED, traceback.format_exc()
            logger.exception("the task failed", extra={"connector": self.connector})
            raise
        self.state = State.RUNNING
        logger.info("the task runs", extra={"connector": self.connector})

    async def _until_done(self, step: str, action: Callable[[], Awaitable[Result]]) -> Result:
        loop = asyncio.get_running_loop()
        remind_at = loop.time()
        for delay in _delays(self._randomness):
            tried_at = loop.time()
            try:
                result = await action()
            except TemporarilyUnavailable as error:
                known = self._waiting_for.get(step)
                if known is None or known.code != error.code or loop.time() >= remind_at:
                    logger.warning("not ready: %s", error, extra={"connector": self.connector, "reason": error.code})
                    remind_at = loop.time() + _REMIND_SECONDS
                self._waiting_for[step] = error
                # An attempt that took long, such as one that timed out, has waited already.
                await asyncio.sleep(max(delay - (loop.time() - tried_at), SHORTEST_PAUSE_SECONDS))
            else:
                self._waiting_for.pop(step, None)
                return result
        raise AssertionError("delays never end")


def _delays(randomness: Random) -> Iterator[float]:
    """Yield seconds to wait, doubling up to the longest; each is cut by up to half, so that replicas spread out."""
    delay, longest = RETRY_SECONDS
    while True:
        yield delay * randomness.uniform(0.5, 1.0)
        delay = min(delay * 2, longest)


class Worker:
    """All tasks. `async with` opens their producers and starts their warm-up; leaving it flushes and closes."""

    def __init__(
        self,
        plans: Sequence[Plan],
        *,
        randomness: Random,
        on_unflushed: Callable[[str, int], None],
        readiness_follows_kafka: bool = False,
    ) -> None:
        self.tasks = {plan.connector: Task(plan, randomness) for plan in plans}
        self.draining = False
        self._plans = plans
        self._on_unflushed = on_unflushed
        self._readiness_follows_kafka = readiness_follows_kafka
        self._resources = AsyncExitStack()
        self._warm_ups: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for plan in self._plans:
            await self._resources.enter_async_context(plan.producer)
        self._warm_ups = [asyncio.create_task(task.warm_up()) for task in self.tasks.values()]
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.draining = True
        for warm_up in self._warm_ups:
            warm_up.cancel()
        await asyncio.gather(*self._warm_ups, return_exceptions=True)
        await asyncio.gather(*(self._flush(plan) for plan in self._plans))
        await self._resources.aclose()

    @property
    def producers(self) -> dict[str, ManagedProducer]:
        """Each connector's producer."""
        return {plan.connector: plan.producer for plan in self._plans}

    @property
    def ready(self) -> bool:
        """Whether every task runs and the worker is not being stopped.

        Kafka trouble after the start counts only with `readiness_follows_kafka`: it meets all replicas at once, and
        their Service would have nobody left to answer 503.
        """
        running = not self.draining and all(task.state is State.RUNNING for task in self.tasks.values())
        return running and not (self._readiness_follows_kafka and self.open_circuits)

    @property
    def open_circuits(self) -> dict[str, Sequence[str]]:
        """Each connector's topics that nothing gets into at the moment, without those that have none."""
        return {name: task.open_circuits for name, task in self.tasks.items() if task.open_circuits}

    async def wait_until_ready(self) -> None:
        """Return once every task runs. Raises what made a task fail."""
        await asyncio.gather(*self._warm_ups)

    def drain(self) -> None:
        """Say not ready from now on; what is in flight goes on."""
        self.draining = True

    async def _flush(self, plan: Plan) -> None:
        unflushed = await plan.producer.close(FLUSH_SECONDS)
        logger.info("flushed", extra={"connector": plan.connector, "unflushed": unflushed})
        if unflushed:
            logger.error("records were given up", extra={"connector": plan.connector, "unflushed": unflushed})
            self._on_unflushed(plan.connector, unflushed)
