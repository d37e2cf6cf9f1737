"""Waiting for the schema in one event loop: nothing blocks it, nothing ends the waiting but the schema, and an hour
without a registry is an hour of accepted events.
"""

import asyncio
import contextlib
import gc
import itertools
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.avro.converter import AvroConverter
from bridge.avro.registry import RegistryClient, RegistrySettings
from bridge.avro.schemas import load_schema
from bridge.avro.subject import resolve_schema_id
from bridge.embedded.registry import embedded_registry
from bridge.errors import RegistryError
from bridge.testing import CONNECTOR, TOPIC, FakeProducer, plan
from bridge.worker import Plan, Worker
from tests import virtual_time
from tests.fake_registry import Script, fake_registry, http_answer, refusal
from tests.samples import SAMPLE, verified

SCHEMA = load_schema("returns.rma.v1-value", subject=f"{TOPIC}-value")
MISBEHAVIOURS = {
    "html": Script(http_answer(200, b"<html>" * 1_000)),
    "refused-401": refusal(401, 40101),
    "no-subject": refusal(404, 40401),
    "server-error": refusal(500, 50001),
    "nested": Script(http_answer(200, b"[" * 1_000_000)),
    "large": Script(http_answer(200, json.dumps(list(range(100_000))).encode())),
    "endless": Script(b"HTTP/1.1 200 -\r\nconnection: close\r\n\r\n", then="more"),
    "hang": Script(then="hang"),
    "another-schema": Script(http_answer(200, b'{"schema": "\\"string\\""}'), below="/schemas/ids/"),
}
Answer = Callable[[httpx2.Request], Awaitable[httpx2.Response]]


@dataclass
class Transport(httpx2.AsyncBaseTransport):
    """A registry in the loop: `answer` until it is None, then a good one; it remembers when it was asked."""

    answer: Answer | None = None
    asked_at: list[float] = field(default_factory=list)
    good: httpx2.ASGITransport = field(default_factory=lambda: httpx2.ASGITransport(embedded_registry()))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked_at.append(asyncio.get_running_loop().time())
        return await (self.answer(request) if self.answer else self.good.handle_async_request(request))


def waiting(
    settings: RegistrySettings, transport: httpx2.AsyncBaseTransport | None = None, name: str = CONNECTOR
) -> Plan:
    """A connector that resolves its schema as the bridge does, and produces to memory."""

    async def resolve_schema() -> AvroConverter:
        async with RegistryClient(settings, transport=transport) as client:
            return AvroConverter(SCHEMA, await resolve_schema_id(client, SCHEMA, auto_register=True))

    return replace(plan(FakeProducer()), connector=name, resolve_schema=resolve_schema)


def in_virtual_time(transport: Transport, use: Callable[[Worker], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        plans = [waiting(RegistrySettings(urls=("http://registry.test",)), transport)]
        async with Worker(plans, randomness=Random(1), on_unflushed=lambda _name, _count: None) as worker:
            await use(worker)

    virtual_time.run(main())


async def never(_: httpx2.Request) -> httpx2.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def away(_: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("refused")


def saying(status: int) -> Answer:
    async def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, json={"error_code": status, "message": "because"})

    return answer


def test_event_loop_is_not_held_up_while_registries_misbehave() -> None:
    """DEV-043: no step takes 50 ms of the loop's thread, and none waits in it; the clock's bound allows for others."""
    with fake_registry(embedded_registry()) as registry:
        registry.scripts = dict(MISBEHAVIOURS)
        settings = {n: RegistrySettings(urls=(f"{registry.url}/{n}",), timeout_seconds=0.5) for n in MISBEHAVIOURS}
        RegistryClient(settings["html"])  # the command has made one before, when it checked the configuration
        gc.collect()
        gc.freeze()  # what the other tests have left is not the bridge's

        async def main() -> tuple[float, float]:
            plans = [waiting(each, name=name) for name, each in settings.items()]
            async with Worker(plans, randomness=Random(1), on_unflushed=lambda _name, _count: None) as worker:
                stalls = await _longest_stalls(2.0)
                assert [name for name, task in worker.tasks.items() if not task.reasons] == []
                return stalls

        of_the_cpu, on_the_clock = asyncio.run(main())
        assert min(len(registry.attempts(name)) for name in MISBEHAVIOURS) >= 2
    gc.unfreeze()
    assert of_the_cpu < 0.05
    assert on_the_clock < 0.25


@pytest.mark.parametrize("misbehaviour", [never, away], ids=["hangs", "refuses"])
@pytest.mark.parametrize("well_after", [0.1, *(20 + half / 2 for half in range(20)), 3_600])
def test_task_runs_soon_when_the_registry_is_well_again(misbehaviour: Answer, well_after: float) -> None:
    """DEV-039: within 5 s, at whatever moment and after however long, also where a call is hanging at that moment."""
    transport = Transport(misbehaviour)

    async def use(worker: Worker) -> None:
        await asyncio.sleep(well_after)
        transport.answer = None
        async with asyncio.timeout(5):
            await worker.wait_until_ready()

    in_virtual_time(transport, use)


@pytest.mark.parametrize("answer", [never, away, saying(500), saying(401)], ids=["hangs", "refuses", "500", "401"])
def test_task_asks_for_ever_with_bounded_pauses(answer: Answer) -> None:
    """DEV-039, DEV-042: an hour long it asks, never twice within a quarter of a second, never less than every 30 s."""
    transport = Transport(answer)

    async def use(worker: Worker) -> None:
        await asyncio.sleep(3_600)
        assert not worker.ready

    in_virtual_time(transport, use)
    asked = transport.asked_at
    pauses = [after - before for before, after in itertools.pairwise(asked)]
    assert min(pauses) >= 0.25
    assert max(pauses) <= 30
    assert asked[-1] - asked[0] > 3_500


def test_task_warns_of_each_change_and_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Ten minutes of one trouble are ten or eleven warnings, and another trouble is told at once."""
    transport = Transport(saying(503))

    async def use(_worker: Worker) -> None:
        await asyncio.sleep(600)
        transport.answer = saying(401)
        await asyncio.sleep(5)

    in_virtual_time(transport, use)
    reasons = [getattr(record, "reason", None) for record in caplog.records if record.levelno == logging.WARNING]
    assert reasons.count("registry_refused") == 1
    assert 10 <= reasons.count("registry_unreachable") <= 11
    assert reasons[-1] == "registry_refused"


def test_events_are_accepted_for_an_hour_without_a_registry() -> None:
    """DEV-040: once warm, an hour of events with the registry away are all accepted, and it is never asked again."""
    transport = Transport()

    async def use(worker: Worker) -> None:
        await worker.wait_until_ready()
        asked, transport.answer = len(transport.asked_at), away
        for _ in range(720):
            await asyncio.sleep(5)
            assert (await worker.tasks[CONNECTOR].process(verified(SAMPLE))).status == "accepted"
        assert worker.ready
        assert len(transport.asked_at) == asked

    in_virtual_time(transport, use)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(SCHEMA.text),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["subject", "id", "version", "schema", "guid", "error_code", "message"]), inner
        )
    ),
    max_leaves=8,
)
_REGISTRATIONS = st.fixed_dictionaries(
    {
        "subject": st.just(SCHEMA.subject),
        "id": st.integers(),
        "version": st.integers(),
        "schema": st.just(SCHEMA.text) | _JSON,
    }
)
_STATUSES = st.sampled_from([100, 200, 204, 301, 400, 401, 403, 404, 409, 422, 429, 500, 503, 599])


@given(st.lists(st.tuples(_STATUSES, _JSON | _REGISTRATIONS), min_size=1, max_size=8), st.booleans())
@example([(200, {"subject": SCHEMA.subject, "id": 2**40, "version": 1, "schema": SCHEMA.text})], False)
@example([(200, {"subject": SCHEMA.subject, "id": -1, "version": 1, "schema": SCHEMA.text})], True)
def test_resolve_ends_with_an_id_or_a_registry_error_when_answers_are_anything(
    answers: list[tuple[int, Any]], auto_register: bool
) -> None:
    """No answer raises anything else, which would end the task; an id that comes out fits its four bytes."""
    remaining = iter(answers * 8)

    async def answer(_: httpx2.Request) -> httpx2.Response:
        status, content = next(remaining)
        return httpx2.Response(status, content=json.dumps(content).encode())

    async def resolve() -> int:
        settings = RegistrySettings(urls=("http://registry.test",))
        async with RegistryClient(settings, transport=httpx2.MockTransport(answer)) as client:
            return await resolve_schema_id(client, SCHEMA, auto_register=auto_register)

    with contextlib.suppress(RegistryError):
        AvroConverter(SCHEMA, asyncio.run(resolve()))


async def _longest_stalls(seconds: float) -> tuple[float, float]:
    """The longest time between two of the loop's rounds, as the thread's CPU time and on the clock."""
    of_the_cpu, on_the_clock = [0.0], [0.0]
    until = time.monotonic() + seconds
    while (before := time.monotonic()) < until:
        busy = time.thread_time()
        await asyncio.sleep(0.001)
        of_the_cpu.append(time.thread_time() - busy)
        on_the_clock.append(time.monotonic() - before)
    return max(of_the_cpu), max(on_the_clock)
