"""What senders do without any fault: the same event several times at once, and events of one RMA out of order."""

import asyncio
from functools import partial

from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.faults.ledger import Stored, read
from tests.faults.stand import run, standing
from tests.mock_cluster import MockCluster, mock_cluster

COPIES = 10
NEWER, OLDER = "2026-03-02T10:00:00.000Z", "2026-03-01T10:00:00.000Z"


def header(record: Stored, name: str) -> bytes:
    return dict(record.headers)[name]


def test_delivery_when_one_event_comes_ten_times_at_once() -> None:
    """Each is answered 200 and is a record, and all have the same id for consumers to tell them by (DEV-054)."""

    async def main(cluster: MockCluster) -> None:
        async with standing(cluster) as stand:
            entry = stand.ledger.issue()
            await asyncio.gather(*(stand.senders.post(entry) for _ in range(COPIES)))
            records = await asyncio.to_thread(read, cluster.bootstrap_servers, TOPIC)
            assert stand.senders.statuses == {200: COPIES}
            assert len(records) == COPIES
            assert len({header(record, "ce_id") for record in records}) == 1

    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC, partitions=4) as cluster:
        run(partial(main, cluster))


def test_delivery_when_events_of_one_rma_come_out_of_order() -> None:
    """Both are stored unchanged, in the order they came, each with the sender's own time (DEV-055)."""

    async def main(cluster: MockCluster) -> None:
        async with standing(cluster) as stand:
            for time in (NEWER, OLDER):
                entry = stand.ledger.issue(rma_identifier="RMA-1", updated_at=time)
                assert (await stand.senders.post(entry)).status == 200
            verdict = await stand.verdict()
            verdict.assert_kept()
            assert verdict.order == {b"RMA-1": ["event-0", "event-1"]}
            records = await asyncio.to_thread(read, cluster.bootstrap_servers, TOPIC)
            assert [header(record, "ce_time").decode() for record in records] == [NEWER, OLDER]

    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC, partitions=4) as cluster:
        run(partial(main, cluster))
