"""Java's Avro reader sees in the converter's bytes what the bridge put in, value by value."""

import base64
import json
from collections.abc import Sequence
from typing import Any, Final

import pytest

from bridge.avro.converter import AvroConverter
from tests.avro_values import complete
from tests.interop.jvm import run
from tests.interop.random_records import SCHEMA, as_seen, decoded_values, exact, leaves, possible_leaves

RECORDS: Final = 10_000
SCHEMA_ID: Final = 2**31 - 1


@pytest.fixture(scope="module")
def sent(seed: int) -> Sequence[dict[str, Any]]:
    return decoded_values(RECORDS, seed)


@pytest.fixture(scope="module")
def read(sent: Sequence[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Sequence[dict[str, Any]]:
    """What Java's reader makes of the bytes."""
    schema = tmp_path_factory.mktemp("schema") / "value.avsc"
    schema.write_text(SCHEMA.text)
    converter = AvroConverter(SCHEMA, SCHEMA_ID)
    lines = [base64.b64encode(converter.encode(value)).decode() for value in sent]
    return [json.loads(line) for line in run("AvroToJson", schema, libraries=["avro"], lines=lines)]


def test_java_reads_each_value_when_records_are_random(
    sent: Sequence[dict[str, Any]], read: Sequence[dict[str, Any]]
) -> None:
    """Every field of every record is in Java what the bridge put in, and the times are Java's Instants."""
    assert len(read) == len(sent) == RECORDS
    assert [exact(value) for value in read] == [exact(as_seen(value)) for value in sent]


def test_records_try_every_field_when_they_are_random(sent: Sequence[dict[str, Any]]) -> None:
    """Each field of the schema was filled, and each that can be null was null as well."""
    found = {(path, leaf is None) for value in sent for path, leaf in leaves(complete(SCHEMA, value))}
    assert set(possible_leaves()) - found == set()
