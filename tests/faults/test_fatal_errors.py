"""Fatal client errors, again and again, under load."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import Final

import pytest
from confluent_kafka import KafkaError

from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.faults.memory import MIB, native_threads, resident_bytes
from tests.faults.stand import Stand, run, standing, until
from tests.mock_cluster import MockCluster, mock_cluster

BRIDGES, IN_A_ROW = 5, 4  # twenty in a row on one bridge take three minutes: its back-off grows
HEALED_SECONDS: Final = 15.0
REPLACED: Final = "the producer failed and is replaced"


def test_fatal_errors_when_they_do_not_stop(caplog: pytest.LogCaptureFixture, say: Callable[[str], None]) -> None:
    """After twenty of them all bridges accept events, nothing is lost, and no thread, task or memory is left over."""

    async def main(clusters: list[MockCluster]) -> None:
        async with AsyncExitStack() as opened:
            stands = [await opened.enter_async_context(standing(cluster)) for cluster in clusters]
            await asyncio.gather(*(under_load(stand, 1.0) for stand in stands))
            threads, tasks, memory = native_threads(), len(asyncio.all_tasks()), resident_bytes()
            await asyncio.gather(*(under_fatal_load(stand) for stand in stands))
            await until(lambda: native_threads() <= threads, HEALED_SECONDS)
            grown = resident_bytes() - memory
            say(f"fatal: {stands[0].figures}; in all RSS {grown / MIB:+.1f} MiB")
            for stand in stands:
                (await stand.verdict()).assert_kept()
                assert stand.senders.statuses.keys() == {200, 503}
                stand.beat.assert_steady()
            assert len(asyncio.all_tasks()) <= tasks
            assert grown <= 32 * MIB

    with ExitStack() as running:
        run(lambda: main([running.enter_context(mock_cluster(TOPIC, DEAD_LETTER_TOPIC)) for _ in range(BRIDGES)]))
    assert sum(REPLACED in record.message for record in caplog.records) == BRIDGES * IN_A_ROW


async def under_load(stand: Stand, seconds: float) -> None:
    async with asyncio.timeout(seconds + HEALED_SECONDS):
        ends_at = asyncio.get_running_loop().time() + seconds
        await stand.senders.at_rate(stand.ledger.issue, 40, lambda: asyncio.get_running_loop().time() >= ends_at)


async def under_fatal_load(stand: Stand) -> None:
    failing = asyncio.create_task(fail_in_a_row(stand))
    await stand.senders.at_rate(stand.ledger.issue, 40, failing.done)
    await failing


async def fail_in_a_row(stand: Stand) -> None:
    """Break the client, wait until events are accepted again, and so on."""
    for _ in range(IN_A_ROW):
        stand.cluster.fail_next([KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER])
        await until(partial(is_refused, stand, stand.senders.statuses[503]), HEALED_SECONDS)
        await stand.accepted_again(HEALED_SECONDS)


def is_refused(stand: Stand, before: int) -> bool:
    return stand.senders.statuses[503] > before
