"""FULL_TRANSITIVE, proved by reading: each version reads what any other wrote, and what breaks that is seen."""

import hashlib
import json
from typing import Any

import pytest
from fastavro.read import SchemaResolutionError
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from bridge.avro.releases import breaches, history_breaches
from bridge.avro.schemas import Schema, released_schemas, schema_names
from tests.avro_values import values
from tests.schema_histories import (
    ALLOWED,
    FORBIDDEN,
    RMA,
    UNSEEN_BY_REGISTRIES,
    Attempt,
    Version,
    pairs,
    read_back,
    removed,
    retyped,
    versions,
    what_the_reader_knows,
)

# What consumers have on disk was written with these texts; only lines may be added here.
RELEASES = {
    f"{RMA} 1": "a77a5301a5f67c29555e39d28f8b63c088d476ada3ceb6a4c47beae1c9c668b4",
}
FEW = settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.mark.parametrize(("writer", "reader"), [*pairs()], ids=str)
@given(data=st.data())
@FEW
def test_version_reads_what_another_wrote(writer: Version, reader: Version, data: st.DataObject) -> None:
    """Every field both have arrives as written, every other as its default: for each pair, in both directions."""
    value = data.draw(values(writer.schema))
    read = read_back(writer.schema, reader.schema, value)
    assert read == what_the_reader_knows(writer.schema, reader.schema, value)


@pytest.mark.parametrize("attempt", ALLOWED, ids=str)
@given(data=st.data())
@FEW
def test_version_reads_what_another_wrote_after_an_allowed_change(attempt: Attempt, data: st.DataObject) -> None:
    """The same for the changes that the rules allow, so that the proof is not one about equal schemas only."""
    old, new = attempt.history()
    assert breaches(new, [old]) == []
    for writer, reader in ((old, new), (new, old)):
        value = data.draw(values(writer))
        assert read_back(writer, reader, value) == what_the_reader_knows(writer, reader, value)


@pytest.mark.parametrize("attempt", FORBIDDEN, ids=str)
def test_breaches_are_found_after_a_forbidden_change(attempt: Attempt) -> None:
    """The check catches the change, with a reason for at least one direction."""
    old, new = attempt.history()
    assert breaches(new, [old]) != []


@pytest.mark.parametrize("attempt", FORBIDDEN, ids=str)
def test_reading_fails_after_a_forbidden_change(attempt: Attempt) -> None:
    """What the check forbids is really unreadable for some record, in one direction or the other."""
    old, new = attempt.history()
    fails = {
        "forward": lambda value: not _arrives(old, new, value),
        "backward": lambda value: not _arrives(new, old, value),
    }
    records = st.tuples(st.just("forward"), values(old)) | st.tuples(st.just("backward"), values(new))
    find(records, lambda each: fails[each[0]](each[1]), settings=settings(phases=[Phase.generate], derandomize=True))


@pytest.mark.parametrize("attempt", UNSEEN_BY_REGISTRIES, ids=str)
def test_breaches_are_found_when_the_same_bytes_mean_something_else(attempt: Attempt) -> None:
    """Another unit or scale is readable and wrong: registries let it pass, our check does not."""
    old, new = attempt.history()
    [reason] = breaches(new, [old])
    assert "other values" in reason


def test_breaches_are_found_when_an_older_release_cannot_read() -> None:
    """Transitive: a field that comes back with another type breaks the release before the last."""
    old, without = Attempt("", removed("vendor")).history()
    _, changed = Attempt("", retyped("vendor", ["null", "long"])).history()
    assert breaches(changed, [without]) == []
    assert breaches(changed, [old, without]) != []
    assert history_breaches([old, without, changed])[0].startswith("release 3: ")


@pytest.mark.parametrize("name", schema_names())
def test_history_has_no_breach(name: str) -> None:
    """No release broke the ones before it, nor does the working schema."""
    assert history_breaches([version.schema for version in versions(name)]) == []


def test_releases_are_kept() -> None:
    """A released version is never changed and never removed."""
    kept = {
        f"{name} {number}": hashlib.sha256(json.dumps(json.loads(schema.text)).encode()).hexdigest()
        for name in schema_names()
        for number, schema in enumerate(released_schemas(name), 1)
    }
    assert kept == RELEASES


def _arrives(writer: Schema, reader: Schema, value: Any) -> bool:
    try:
        read = read_back(writer, reader, value)
    except (SchemaResolutionError, ValueError, TypeError, EOFError):
        return False
    return bool(read == what_the_reader_knows(writer, reader, value))
