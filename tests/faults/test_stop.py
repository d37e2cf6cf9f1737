"""SIGTERM at bad moments: with stuck senders, with a full queue, and on kept connections."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from bridge.testing import DEAD_LETTER_TOPIC, PATH, TOPIC
from tests.asgi import Answer
from tests.bridge_process import BridgeProcess, bridge_process, request, write_configuration
from tests.faults.senders import HEADERS
from tests.faults.stand import run, until
from tests.mock_cluster import MockCluster, mock_cluster
from tests.samples import SAMPLE
from tests.servers.readiness import free_port
from tests.sockets import Connection, head
from tests.stands import registry_on

NAMES: Final = {"topic": TOPIC, "errors_deadletterqueue_topic_name": DEAD_LETTER_TOPIC}
QUEUE, WHOLE, STUCK = 10, 30, 5
STOP_SECONDS = 25
SENDERS = 64
HALF: Final = head(HEADERS, length=len(SAMPLE)) + SAMPLE[: len(SAMPLE) // 2]
POST: Final = head(HEADERS, length=len(SAMPLE)) + SAMPLE


@contextlib.contextmanager
def standing_process(folder: Path, **connector: str) -> Iterator[tuple[MockCluster, BridgeProcess]]:
    """A bridge in a process of its own, on a mock cluster and a registry."""
    url = f"http://127.0.0.1:{free_port()}"
    with ExitStack() as parts:
        cluster = parts.enter_context(mock_cluster(TOPIC, DEAD_LETTER_TOPIC))
        parts.enter_context(registry_on(url))
        texts = NAMES | connector
        files = write_configuration(
            folder, bootstrap_servers=cluster.bootstrap_servers, schema_registry_url=url, **texts
        )
        yield cluster, parts.enter_context(bridge_process(folder, *files))


@contextlib.asynccontextmanager
async def connections(url: str, count: int) -> AsyncIterator[list[Connection]]:
    port = int(url.removesuffix(PATH).rpartition(":")[2])
    opened = [await Connection.open(port) for _ in range(count)]
    try:
        yield opened
    finally:
        for connection in opened:
            await connection.close()


class Stop(NamedTuple):
    whole: list[Answer]
    stuck: list[Answer]
    code: int
    seconds: float


def test_stop_when_senders_are_stuck_and_kafka_is_away(tmp_path: Path, say: Callable[[str], None]) -> None:
    """Every whole request is answered 503, half ones too, the process ends in time with 0 and logs what it gave up
    (DEV-050).
    """

    async def main(cluster: MockCluster, bridge: BridgeProcess) -> Stop:
        ready = await asyncio.to_thread(bridge.ready_line)
        async with connections(ready["webhook"], WHOLE + STUCK) as opened:
            assert (await exchange(opened[0], POST)).status == 200
            cluster.set_down()
            for connection in opened[WHOLE:]:
                await connection.send(HALF)
            whole = [asyncio.create_task(exchange(connection, POST)) for connection in opened[:WHOLE]]
            await in_flight(ready["rest"], QUEUE + STUCK)
            started = time.monotonic()
            bridge.process.send_signal(signal.SIGTERM)
            stuck = [asyncio.create_task(connection.answer()) for connection in opened[WHOLE:]]
            code = await asyncio.to_thread(bridge.wait)
            return Stop(await asyncio.gather(*whole), await asyncio.gather(*stuck), code, time.monotonic() - started)

    full = {"producer_override_queue_buffering_max_messages": str(QUEUE)}
    with standing_process(tmp_path, **full) as (cluster, bridge):
        stop = run(partial(main, cluster, bridge))
        flushed = [entry["unflushed"] for entry in bridge.log_entries() if entry["message"] == "flushed"]
    say(f"DEV-050: exit {stop.code} after {stop.seconds:.1f} s, unflushed {flushed}")
    assert (stop.code, stop.seconds <= STOP_SECONDS) == (0, True)
    assert [answer.status for answer in stop.whole + stop.stuck] == [503] * (WHOLE + STUCK)
    assert all(answer.header("retry-after") for answer in stop.whole + stop.stuck)
    assert sum(answer.json()["reason"] == "queue_full" for answer in stop.whole) == WHOLE - QUEUE
    assert len(flushed) == 1


def test_stop_when_a_connection_is_kept(tmp_path: Path) -> None:
    """What is in flight at SIGTERM is served and told that the connection ends; an idle one ends at once (DEV-052)."""

    async def main(cluster: MockCluster, bridge: BridgeProcess) -> tuple[Answer, Answer | None, int]:
        ready = await asyncio.to_thread(bridge.ready_line)
        async with connections(ready["webhook"], 2) as (idle, busy):
            for connection in (idle, busy):
                assert (await exchange(connection, POST)).status == 200
            cluster.set_round_trip_ms(2_000)
            waiting = asyncio.create_task(exchange(busy, POST))
            await in_flight(ready["rest"], 1)
            bridge.process.send_signal(signal.SIGTERM)
            after = asyncio.create_task(answer_or_none(idle))
            return await waiting, await after, await asyncio.to_thread(bridge.wait)

    with standing_process(tmp_path) as (cluster, bridge):
        served, after, code = run(partial(main, cluster, bridge))
    assert (served.status, served.header("connection"), code) == (200, "close", 0)
    assert after is None or after.status in {200, 503}


async def answer_or_none(connection: Connection) -> Answer | None:
    """The answer to one more request on a kept connection, None where it had ended before."""
    try:
        return await exchange(connection, POST)
    except (EOFError, OSError):
        return None


async def exchange(connection: Connection, message: bytes) -> Answer:
    await connection.send(message)
    return await connection.answer()


async def in_flight(rest: str, count: int) -> None:
    """Return once so many requests are being worked on."""
    line = f'rma_bridge_requests_in_flight{{connector="rma-source"}} {count}.0'
    await until(lambda: line in request(f"{rest}/metrics").body.decode(), 10)


def test_stop_when_senders_keep_sending(tmp_path: Path) -> None:
    """On kept connections every request after SIGTERM is answered, and told that the connection ends (DEV-052)."""

    async def main(bridge: BridgeProcess) -> list[str | None]:
        ready = await asyncio.to_thread(bridge.ready_line)
        async with connections(ready["webhook"], SENDERS) as opened:
            sending = [asyncio.create_task(until_told(connection)) for connection in opened]
            await asyncio.sleep(0.5)
            bridge.process.send_signal(signal.SIGTERM)
            last = await asyncio.gather(*sending)
            assert await asyncio.to_thread(bridge.wait) == 0
            return [answer.header("connection") for answer in last]

    with standing_process(tmp_path) as (_, bridge):
        assert run(partial(main, bridge)) == ["close"] * SENDERS


async def until_told(connection: Connection) -> Answer:
    """One event after the other; the first answer that ends the connection. Raises where there is no answer."""
    while True:
        answer = await exchange(connection, POST)
        if answer.status != 200 or answer.header("connection") == "close":
            return answer
        await asyncio.sleep(0.005)
