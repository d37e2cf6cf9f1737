"""All brokers away under load, and back: requests are turned away quickly, and nothing confirmed is lost."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.faults.senders import Exchange, percentile
from tests.faults.stand import Stand, run, standing, until
from tests.mock_cluster import MockCluster, mock_cluster

RATE, SECONDS_AWAY, RECOVERY_SECONDS = 200, 15.0, 15.0


def test_outage_when_all_brokers_go_and_return(say: Callable[[str], None]) -> None:
    """Once the circuit is open all is 503 within 50 ms; within 15 s of the return events are accepted (DEV-008)."""

    async def main(cluster: MockCluster) -> None:
        async with standing(cluster) as stand:
            loop = asyncio.get_running_loop()
            await asyncio.gather(*(stand.senders.post(stand.ledger.issue()) for _ in range(50)))
            await asyncio.to_thread(cluster.set_down)
            fall = loop.time()
            away = asyncio.create_task(asyncio.sleep(SECONDS_AWAY))
            sending = asyncio.create_task(
                stand.senders.at_rate(stand.ledger.issue, RATE, partial(is_over, stand, fall))
            )
            opened = await circuit_opened(stand)
            await away
            returned = loop.time()
            await asyncio.to_thread(cluster.set_up)
            await sending
            exchanges = stand.senders.exchanges
            shed = [each for each in exchanges if opened < each.started < returned]
            recovery = first_accepted(exchanges, returned) - returned
            say(f"DEV-008: {stand.figures}")
            say(f"open: {len(shed)}, p99 {percentile(shed, 99) * 1000:.0f} ms; first 200 after {recovery:.1f} s")
            (await stand.verdict()).assert_kept()
            assert {each.status for each in shed if each.ended < returned} == {503}
            assert len(shed) > RATE * SECONDS_AWAY / 2
            assert percentile(shed, 99) <= 0.050
            assert recovery <= RECOVERY_SECONDS
            assert exchanges[-1].status == 200
            assert stand.senders.statuses.keys() == {200, 503}
            stand.beat.assert_steady()

    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC, partitions=4) as cluster:
        run(partial(main, cluster))


def is_over(stand: Stand, fall: float) -> bool:
    """A second after events are accepted again, or when they are not in time."""
    since = asyncio.get_running_loop().time() - fall - SECONDS_AWAY
    last = stand.senders.exchanges[-RATE:]
    return since > RECOVERY_SECONDS or (since > 1 and {exchange.status for exchange in last} == {200})


async def circuit_opened(stand: Stand) -> float:
    """The time at which requests begin to be turned away."""
    await until(lambda: bool(stand.bridge.worker.open_circuits), 10)
    return asyncio.get_running_loop().time()


def first_accepted(exchanges: Sequence[Exchange], since: float) -> float:
    return min(each.ended for each in exchanges if each.status == 200 and each.ended > since)
