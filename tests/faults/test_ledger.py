"""The oracle itself: what it must not overlook."""

import json
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer

from bridge.avro.schemas import load_schema
from bridge.testing import DEAD_LETTER_TOPIC, TOPIC
from tests.faults.ledger import Entry, Ledger, Stored, Verdict

SCHEMA = load_schema("returns.rma.v1-value").text
DELIVERY = {"event_id": "1", "webhook": "rma", "tenant": None, "api_version": None, "received_at": 0}
ACCEPTED = b'{"status":"accepted","event_id":"1"}'
QUARANTINED = b'{"status":"quarantined","event_id":"1"}'


def stored(entry: Entry, *, offset: int = 0, **fields: Any) -> Stored:
    """The record that the bridge would make of the event, or of one with other fields."""
    document = entry.document | fields
    times = dict.fromkeys(("created_at", "updated_at"), 1535643582025)
    out = BytesIO()
    schemaless_writer(out, parse_schema(json.loads(SCHEMA)), document | times | {"webhook": DELIVERY})
    return Stored(TOPIC, 0, offset, b"key", b"\0\0\0\0\1" + out.getvalue(), [])


def dead_letter(entry: Entry) -> Stored:
    return Stored(DEAD_LETTER_TOPIC, 0, 0, b"key", entry.body, [])


def judged(ledger: Ledger, *records: Stored) -> Verdict:
    return ledger.judge(records, SCHEMA)


def test_judge_when_all_is_well() -> None:
    """What was confirmed is there once, in the topic of its answer; what was not may be there or not."""
    ledger = Ledger()
    accepted, letter, there, absent = (ledger.issue() for _ in range(4))
    accepted.answered(200, ACCEPTED)
    letter.answered(200, QUARANTINED)
    there.answered(503, b"")
    absent.answered(503, b"")
    verdict = judged(ledger, stored(accepted), stored(there, offset=1), dead_letter(letter))
    verdict.assert_kept()
    assert (verdict.records, verdict.duplicates) == (3, 0)


@pytest.mark.parametrize(("answer", "topic"), [(ACCEPTED, "none"), (ACCEPTED, "other")], ids=["nowhere", "elsewhere"])
def test_judge_when_a_confirmed_event_is_missing(answer: bytes, topic: str) -> None:
    """It is lost, also where it lies in another topic than its answer told."""
    ledger = Ledger()
    entry = ledger.issue()
    entry.answered(200, answer)
    records = [dead_letter(entry)] if topic == "other" else []
    assert judged(ledger, *records).lost == [entry.identifier]


def test_judge_when_a_record_is_of_no_event() -> None:
    """It is invented."""
    ledger = Ledger()
    record = stored(ledger.issue(), concept="somebody else's")
    assert judged(ledger, record).invented == [record]


def test_judge_when_a_record_differs() -> None:
    """One changed field, deep inside, makes it corrupted."""
    ledger = Ledger()
    entry = ledger.issue()
    [item] = entry.document["items"]
    record = stored(entry, items=[item | {"sku": "another"}])
    assert judged(ledger, record).corrupted == [entry.identifier]


@pytest.mark.parametrize(("unknown", "unexplained"), [(0, 1), (1, 0)], ids=["never failed", "failed once"])
def test_judge_when_there_are_two_copies(unknown: int, unexplained: int) -> None:
    """Each copy but the first needs an answer that was no 200."""
    ledger = Ledger()
    entry = ledger.issue()
    entry.unknown = unknown
    verdict = judged(ledger, stored(entry), stored(entry, offset=1))
    assert (verdict.duplicates, len(verdict.unexplained)) == (1, unexplained)


def test_judge_when_the_broker_forgot() -> None:
    """A partition that does not begin at 0 voids the run."""
    ledger = Ledger()
    with pytest.raises(AssertionError, match="void"):
        judged(ledger, stored(ledger.issue(), offset=3))
