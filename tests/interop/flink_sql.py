"""Flink SQL with `avro-confluent`, on a small cluster of its own, reads the topic as the example says.

On demand (`make interop`): it takes as long as all other tests of this folder.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.interop.jvm import run
from tests.interop.random_records import as_seen, exact
from tests.interop.stream import BODIES, EXAMPLES, Stream

EXAMPLE: Final = EXAMPLES / "flink.sql"
PAGE: Final = Path(__file__).parents[2] / "docs" / "records.md"


@pytest.fixture
def statements(stream: Stream, tmp_path: Path) -> Path:
    """The example with the addresses of the test's own servers."""
    text = EXAMPLE.read_text()
    for placeholder, own in (
        ("'localhost:9092'", stream.bootstrap_servers),
        ("'http://localhost:8081'", stream.schema_registry_url),
        ("'returns.rma.v1'", stream.topic),
    ):
        assert text.count(placeholder) == 1
        text = text.replace(placeholder, f"'{own}'")
    path = tmp_path / "flink.sql"
    path.write_text(text)
    return path


def test_flink_reads_every_record_when_the_table_is_the_examples(stream: Stream, statements: Path) -> None:
    """The table has every field of each record, its view each message's items once; the page's queries run on it."""
    queries = ["SELECT * FROM rma_topic", "SELECT * FROM returned_items", *_queries_of_the_page()]
    answers = run("FlinkSql", statements, *queries, libraries=["flink"])
    records, items, deliveries, states = (json.loads(line) for line in answers)
    assert len(records) == 2 * len(BODIES)
    assert Counter(map(exact, records)) == Counter(exact(_as_row(value)) for value in stream.values)
    assert Counter(map(_item, items)) == Counter(_items_of(stream.events))
    assert sorted(row["event_id"] for row in deliveries) == sorted(stream.events)
    assert {row["rma_identifier"]: row["event_id"] for row in states} == _latest(stream.events)
    assert len(states) < len(deliveries) < len(records)


def _queries_of_the_page() -> Sequence[str]:
    """How consumers are told to remove duplicates, and to find an RMA's latest state."""
    queries = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(queries) == 2
    return queries


def _as_row(value: Mapping[str, Any]) -> dict[str, Any]:
    return as_seen(value) | {"record_key": value["rma_identifier"]}


def _item(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["event_id"], row["sku"], row["refund_type"], row["shopper_refund_amount_cents"]


def _items_of(events: Mapping[str, Mapping[str, Any]]) -> Sequence[tuple[Any, ...]]:
    return [
        (identifier, item["sku"], item["refund_type"], item["refund_financials"]["shopper_refund_amount_cents"])
        for identifier, value in events.items()
        for item in value["items"]
    ]


def _latest(events: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
    ages = {identifier: value["updated_at"] or value["created_at"] for identifier, value in events.items()}
    oldest_first = sorted(events, key=lambda identifier: (ages[identifier], identifier))
    return {events[identifier]["rma_identifier"]: identifier for identifier in oldest_first}
