"""The size of one record, to the byte: key, headers and value together."""

from functools import partial
from typing import Final

import pytest

from bridge.kafka.parts import Reassembler
from bridge.kafka.producer import MAX_RECORD_BYTES
from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.faults.ledger import Entry, read
from tests.faults.stand import Stand, run, standing
from tests.mock_cluster import MockCluster, mock_cluster

PADDING: Final = 850 * 1024


@pytest.mark.parametrize(
    ("excess", "topic"),
    [
        pytest.param(-1, TOPIC, id="one byte less"),
        pytest.param(0, TOPIC, id="exactly"),
        pytest.param(1, DEAD_LETTER_TOPIC, id="one byte more"),
    ],
)
def test_record_when_its_size_is_the_limit(excess: int, topic: str) -> None:
    """Up to the limit it is in the main topic; one byte more is a dead letter, whole, and a 200 too (DEV-020)."""

    async def main(cluster: MockCluster) -> None:
        async with standing(cluster) as stand:
            padding = PADDING + MAX_RECORD_BYTES - await size_with(stand, PADDING) + excess
            entry = padded(stand, padding)
            exchange = await stand.senders.post(entry)
            assert (exchange.status, entry.confirmed_in) == (200, {topic})
            *_, last = read(cluster.bootstrap_servers, topic)
            assert last.size == MAX_RECORD_BYTES + excess if topic == TOPIC else whole(cluster) == entry.body

    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC) as cluster:
        run(partial(main, cluster))


def padded(stand: Stand, padding: int) -> Entry:
    return stand.ledger.issue(rma_identifier="RMA-1", vendor="v" * padding)


async def size_with(stand: Stand, padding: int) -> int:
    """The size of a record with so much padding, as it lies in the topic."""
    await stand.senders.post(padded(stand, padding))
    [record] = read(stand.cluster.bootstrap_servers, TOPIC)
    return record.size


def whole(cluster: MockCluster) -> bytes | None:
    """The body that the dead letter's parts make."""
    reassembler, body = Reassembler(), None
    for record in read(cluster.bootstrap_servers, DEAD_LETTER_TOPIC):
        body = reassembler.add(record.value, record.headers)
    return body
