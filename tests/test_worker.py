"""When a task runs, what it says until then, and how the worker stops."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from typing import TypeVar

import pytest

from bridge.avro.converter import AvroConverter
from bridge.errors import NotReady, SchemaMissing
from bridge.records import Outcome
from bridge.testing import CONNECTOR, FakeProducer, plan
from bridge.worker import FLUSH_SECONDS, RETRY_SECONDS, Plan, State, Worker
from tests.samples import NOT_JSON, SAMPLE, verified
from tests.virtual_time import run

T = TypeVar("T")


class Outside:
    """Something outside the process that a task waits for: it fails `failures` times, then it is there."""

    def __init__(self, error: Exception, failures: int) -> None:
        self.error = error
        self.failures = failures
        self.asked_at: list[float] = []

    async def __call__(self) -> None:
        self.asked_at.append(asyncio.get_running_loop().time())
        if len(self.asked_at) <= self.failures:
            raise self.error


def waiting_for_topics(outside: Outside, producer: FakeProducer | None = None) -> Plan:
    return replace(plan(producer or FakeProducer()), prepare_topics=outside)


def waiting_for_schema(outside: Outside) -> Plan:
    whole = plan(FakeProducer())

    async def resolve_schema() -> AvroConverter:
        await outside()
        return await whole.resolve_schema()

    return replace(whole, resolve_schema=resolve_schema)


def missing_topic(failures: int) -> Outside:
    return Outside(NotReady("missing in Kafka: returns.rma.v1", code="topic_missing"), failures)


def missing_schema(failures: int) -> Outside:
    return Outside(SchemaMissing("not registered; register it with: rma-bridge schema register"), failures)


def using(use: Callable[[Worker], Awaitable[T]], *plans: Plan) -> T:
    async def main() -> T:
        async with Worker(plans, randomness=Random(1), on_unflushed=lambda _name, _count: None) as worker:
            return await use(worker)

    return run(main())


async def process(worker: Worker, body: bytes = SAMPLE) -> Outcome:
    return await worker.tasks[CONNECTOR].process(verified(body))


def test_worker_when_everything_is_there() -> None:
    """The task runs, the worker is ready, and events are accepted."""

    async def use(worker: Worker) -> tuple[State, bool, str]:
        await worker.wait_until_ready()
        return worker.tasks[CONNECTOR].state, worker.ready, (await process(worker)).status

    assert using(use, plan(FakeProducer())) == (State.RUNNING, True, "accepted")


@pytest.mark.parametrize(
    ("make_plan", "outside", "reason"),
    [
        pytest.param(waiting_for_topics, missing_topic(3), "topic_missing: missing in Kafka", id="topics"),
        pytest.param(waiting_for_schema, missing_schema(3), "schema_missing: not registered", id="schema"),
    ],
)
def test_worker_when_something_is_missing_at_first(
    make_plan: Callable[[Outside], Plan], outside: Outside, reason: str
) -> None:
    """It is not ready and says why, answers unavailable, asks again, and is ready once all is there."""

    async def use(worker: Worker) -> tuple[bool, Outcome, list[str]]:
        await asyncio.sleep(0.01)
        task = worker.tasks[CONNECTOR]
        before = worker.ready, await process(worker), task.reasons
        await worker.wait_until_ready()
        assert (worker.ready, task.reasons, (await process(worker)).status) == (True, [], "accepted")
        return before

    ready, outcome, reasons = using(use, make_plan(outside))
    assert (ready, outcome) == (False, Outcome("unavailable", reason="not_ready"))
    assert [text.startswith(reason) for text in reasons] == [True]
    assert len(outside.asked_at) == 4


def test_worker_asks_less_often_the_longer_it_waits() -> None:
    """Pauses double from half a second to four, each cut by up to half, so that replicas do not ask in step."""
    outside = missing_topic(8)
    using(lambda worker: worker.wait_until_ready(), waiting_for_topics(outside))

    first, longest = RETRY_SECONDS
    pauses = [after - before for before, after in zip(outside.asked_at, outside.asked_at[1:], strict=False)]
    bounds = [min(first * 2**n, longest) for n in range(8)]
    assert all(bound / 2 <= pause <= bound for pause, bound in zip(pauses, bounds, strict=True))
    assert len({pause / bound for pause, bound in zip(pauses, bounds, strict=True)}) > 4


def test_worker_logs_why_it_waits_and_not_each_time(caplog: pytest.LogCaptureFixture) -> None:
    """A wait of five minutes is a handful of warnings with the reason, about one a minute."""
    caplog.set_level(logging.INFO)

    async def use(_worker: Worker) -> None:
        await asyncio.sleep(300)

    using(use, waiting_for_topics(missing_topic(1_000)))
    warnings = [line for line in caplog.records if (line.name, line.levelno) == ("bridge.worker", logging.WARNING)]
    assert 4 <= len(warnings) <= 6
    assert {getattr(line, "reason", None) for line in warnings} == {"topic_missing"}


def test_worker_stays_ready_when_kafka_goes_away() -> None:
    """Once warmed up, what Kafka does shows in the answers, not in readiness."""
    producer = FakeProducer()

    async def use(worker: Worker) -> tuple[str, bool]:
        await worker.wait_until_ready()
        producer.reports = "never"
        return (await process(worker)).status, worker.ready

    assert using(use, plan(producer)) == ("unavailable", True)


def test_worker_when_a_task_breaks() -> None:
    """The task is FAILED with its trace, the worker not ready, and whoever waits for it hears why."""

    async def use(worker: Worker) -> tuple[State, bool, str]:
        with pytest.raises(ZeroDivisionError):
            await worker.wait_until_ready()
        task = worker.tasks[CONNECTOR]
        return task.state, worker.ready, task.trace or ""

    state, ready, trace = using(use, waiting_for_topics(Outside(ZeroDivisionError("broken"), 1)))
    assert (state, ready) == (State.FAILED, False)
    assert "ZeroDivisionError: broken" in trace


def test_worker_when_one_of_two_connectors_waits() -> None:
    """The other one works, and the worker is not ready until both do."""
    other = replace(waiting_for_topics(missing_topic(1_000)), connector="other")

    async def use(worker: Worker) -> tuple[str, State, bool]:
        await asyncio.sleep(1)
        return (await process(worker)).status, worker.tasks["other"].state, worker.ready

    assert using(use, plan(FakeProducer()), other) == ("accepted", State.UNASSIGNED, False)


def test_worker_when_draining() -> None:
    """It is not ready at once, and what is in flight ends well."""
    producer = FakeProducer(reports="held")

    async def use(worker: Worker) -> tuple[bool, str]:
        await worker.wait_until_ready()
        in_flight = asyncio.create_task(process(worker))
        await asyncio.sleep(0.1)
        worker.drain()
        ready = worker.ready
        producer.release()
        return ready, (await in_flight).status

    assert using(use, plan(producer)) == (False, "accepted")


@pytest.mark.parametrize(
    ("reports", "given_up", "status"),
    [pytest.param("held", [], "accepted", id="flushed"), pytest.param("never", [1], "unavailable", id="given up")],
)
def test_worker_when_it_stops_with_records_queued(
    reports: str, given_up: list[int], status: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Leaving it flushes the producer; what cannot be flushed is counted, logged, and its sender sends again."""
    producer = FakeProducer(reports=reports)  # type: ignore[arg-type]
    counted: list[int] = []

    async def main() -> Outcome:
        async with Worker(
            [plan(producer)], randomness=Random(1), on_unflushed=lambda _name, count: counted.append(count)
        ) as worker:
            await worker.wait_until_ready()
            in_flight = asyncio.create_task(process(worker))
            await asyncio.sleep(0.1)
        return await in_flight

    assert run(main()).status == status
    assert counted == given_up
    assert ("records were given up" in caplog.text) == bool(given_up)


def test_worker_when_it_stops_while_waiting() -> None:
    """A worker whose task never got to run stops at once."""

    async def main() -> float:
        plans = [waiting_for_topics(missing_topic(1_000))]
        async with Worker(plans, randomness=Random(1), on_unflushed=lambda _name, _count: None):
            await asyncio.sleep(10)
            stopped = asyncio.get_running_loop().time()
        return asyncio.get_running_loop().time() - stopped

    assert run(main()) < 0.01


@pytest.mark.parametrize("logs", [True, False], ids=["on", "off"])
def test_worker_logs_dead_letters_when_told_to(logs: bool, caplog: pytest.LogCaptureFixture) -> None:
    """errors.log.enable adds a line for each dead letter: its id and its reason, nothing of its content."""

    async def use(worker: Worker) -> Outcome:
        await worker.wait_until_ready()
        return await process(worker, NOT_JSON + b"canary")

    outcome = using(use, plan(FakeProducer(), log_dead_letters=logs))
    lines = [record for record in caplog.records if record.message == "dead letter"]
    assert [getattr(line, "event_id", None) for line in lines] == ([outcome.event_id] if logs else [])
    assert "canary" not in caplog.text


def test_flush_fits_the_time_to_stop() -> None:
    """In flight 14 s, flush 8 s and close 2 s are within the 25 s of a stop."""
    assert FLUSH_SECONDS + 14 + 2 <= 25
