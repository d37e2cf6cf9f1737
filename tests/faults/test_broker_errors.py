"""Every error code that a broker can put into its answer to Produce, each once."""

from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final, NamedTuple

from confluent_kafka import KafkaError

from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.faults.stand import Stand, run, standing
from tests.mock_cluster import MockCluster, mock_cluster

CODES: Final = range(-1, 121)
ANSWER_SECONDS: Final = 9.5
HEALED_SECONDS: Final = 15.0

NEVER_WRITABLE: Final = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.POLICY_VIOLATION}
SAID_TO_BE_THERE: Final = KafkaError.DUPLICATE_SEQUENCE_NUMBER
RETRIED_BY_THE_CLIENT: Final = {
    KafkaError.INVALID_MSG,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.UNKNOWN_PRODUCER_ID,
}


class Answer(NamedTuple):
    status: int
    stored_in: AbstractSet[str]


def expected(code: int) -> Answer:
    if code in NEVER_WRITABLE:
        return Answer(200, {DEAD_LETTER_TOPIC})
    if code in RETRIED_BY_THE_CLIENT | {KafkaError.NO_ERROR, SAID_TO_BE_THERE}:
        return Answer(200, {TOPIC})
    return Answer(503, set())


def test_answer_when_the_broker_says() -> None:
    """Each code has the answer of its class within the budget, all unknown ones 503; then it heals (DEV-016)."""

    async def main(cluster: MockCluster) -> None:
        async with standing(cluster) as stand:
            await stand.senders.post(stand.ledger.issue(rma_identifier="warm-up"))
            answers = {code: await answer_to(stand, code) for code in CODES}
            verdict = await stand.verdict()
        assert answers == {code: expected(code) for code in CODES}
        # The broker's word that it has a record counts, and here it was not true.
        assert verdict.lost == [event_of(stand, SAID_TO_BE_THERE)]
        assert (verdict.invented, verdict.corrupted, verdict.duplicates) == ([], [], 0)

    with mock_cluster(TOPIC, DEAD_LETTER_TOPIC) as cluster:
        run(partial(main, cluster))


async def answer_to(stand: Stand, code: int) -> Answer:
    """What the sender hears whose event meets the error; the next event must be accepted in time."""
    stand.cluster.fail_next([code])
    entry = stand.ledger.issue(rma_identifier=str(code))
    exchange = await stand.senders.post(entry)
    assert exchange.seconds <= ANSWER_SECONDS, code
    stand.cluster.recover()
    await stand.accepted_again(HEALED_SECONDS)
    return Answer(exchange.status, entry.confirmed_in)


def event_of(stand: Stand, code: int) -> str:
    entries = stand.ledger.entries.values()
    return next(entry.identifier for entry in entries if entry.document["rma_identifier"] == str(code))
