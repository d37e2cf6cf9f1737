"""Nothing that was confirmed is lost: without a fault, while leaders move, and while a broker is slow."""

import asyncio
from collections.abc import Callable
from functools import partial

from bridge.testing import DEAD_LETTER_TOPIC, TOPIC, murmur2_partition
from tests.faults.ledger import Entry, Verdict
from tests.faults.senders import Exchange, percentile
from tests.faults.stand import Stand, run, standing
from tests.mock_cluster import MockCluster, mock_cluster

EVENTS = 20_000
BROKERS = 3
MOVES = 20
SLOW_BROKER, ROUND_TRIP_SECONDS = 2, 2.0


def test_delivery_when_nothing_is_wrong(say: Callable[[str], None]) -> None:
    """Of 20 000 events over 64 connections each is answered 200 and is there once, as it was sent (DEV-001)."""

    async def main(cluster: MockCluster) -> None:
        async with standing(cluster) as stand:
            numbers = iter(range(EVENTS))

            def source() -> Entry | None:
                return next((stand.ledger.issue() for _ in numbers), None)

            await stand.senders.in_turn([source] * 64)
            say(f"DEV-001: {stand.figures}")
            verdict = await stand.verdict()
            verdict.assert_kept()
            assert stand.senders.statuses == {200: EVENTS}
            assert (verdict.records, verdict.duplicates) == (EVENTS, 0)
            stand.beat.assert_steady()

    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC, partitions=24) as cluster:
        run(partial(main, cluster))


def test_delivery_when_leaders_move(say: Callable[[str], None]) -> None:
    """While every partition's leader moves 20 times nothing is lost, and a sender's events stay in order (DEV-007)."""
    partitions = 6

    async def main(cluster: MockCluster) -> None:
        async with standing(cluster) as stand:
            moving = asyncio.create_task(move_leaders(cluster, partitions))

            def source(sender: int) -> Entry | None:
                return None if moving.done() else stand.ledger.issue(rma_identifier=f"RMA-{sender}")

            await stand.senders.in_turn([partial(source, sender) for sender in range(16)])
            await moving
            say(f"DEV-007: {stand.figures}")
            verdict = await stand.verdict()
            verdict.assert_kept()
            assert set(stand.senders.statuses) <= {200, 503}
            assert len(stand.ledger.confirmed) > 100
            assert_in_order(stand, verdict)
            stand.beat.assert_steady()

    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC, partitions=partitions, brokers=BROKERS) as cluster:
        run(partial(main, cluster))


async def move_leaders(cluster: MockCluster, partitions: int) -> None:
    """Off the loop: the mock cluster may take up to a second to obey."""
    for move in range(MOVES):
        for partition in range(partitions):
            await asyncio.to_thread(cluster.set_leader, TOPIC, partition, (partition + move) % BROKERS + 1)
        await asyncio.sleep(0.4)


def assert_in_order(stand: Stand, verdict: Verdict) -> None:
    """The first copies of a key's confirmed events lie in the order in which they were sent."""
    confirmed = {entry.identifier: number for number, entry in enumerate(stand.ledger.confirmed)}
    for identifiers in verdict.order.values():
        numbers = [confirmed[identifier] for identifier in dict.fromkeys(identifiers) if identifier in confirmed]
        assert numbers == sorted(numbers)


def test_delivery_when_one_broker_is_slow(say: Callable[[str], None]) -> None:
    """Events for the slow broker's partition wait for it, all others do not, and nothing is lost (DEV-010)."""

    async def main(cluster: MockCluster) -> None:
        async with standing(cluster) as stand:
            for partition in range(BROKERS):
                await asyncio.to_thread(cluster.set_leader, TOPIC, partition, partition + 1)
            await asyncio.gather(*(stand.senders.post(stand.ledger.issue()) for _ in range(30)))
            stand.senders.exchanges.clear()
            await asyncio.to_thread(cluster.set_round_trip_ms, int(ROUND_TRIP_SECONDS * 1000), SLOW_BROKER)
            await stand.senders.in_turn([while_lasting(stand, 5.0, sender) for sender in range(24)])
            await asyncio.to_thread(cluster.set_round_trip_ms, 0, SLOW_BROKER)
            say(f"DEV-010: {stand.figures}")
            (await stand.verdict()).assert_kept()
            slow = [each for each in stand.senders.exchanges if partition_of(each) == SLOW_BROKER - 1]
            others = [each for each in stand.senders.exchanges if partition_of(each) != SLOW_BROKER - 1]
            say(f"slow: {len(slow)}, max {percentile(slow, 100):.2f} s; others: max {percentile(others, 100):.2f} s")
            assert stand.senders.statuses.keys() == {200}
            assert ROUND_TRIP_SECONDS <= percentile(slow, 100) <= ROUND_TRIP_SECONDS + 1.5
            assert percentile(others, 99) <= 0.5

    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC, partitions=BROKERS, brokers=BROKERS) as cluster:
        run(partial(main, cluster))


def partition_of(exchange: Exchange) -> int:
    return murmur2_partition(exchange.entry.document["rma_identifier"].encode(), BROKERS)


def while_lasting(stand: Stand, seconds: float, sender: int) -> Callable[[], Entry | None]:
    """A source of events with the sender's own key, which runs dry after a while."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + seconds
    return lambda: stand.ledger.issue(rma_identifier=f"RMA-{sender}") if loop.time() < ends_at else None
