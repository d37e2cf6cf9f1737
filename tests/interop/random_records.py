"""Random values as the bridge's contract decodes them, and the same as other readers name them."""

import json
import multiprocessing
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import hypothesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from bridge.avro.schemas import load_schema
from bridge.optoro.rma import RMA, Rma
from bridge.records import VerifiedRequest
from tests.avro_values import complete
from tests.strategies import json_values, rmas, texts

SCHEMA: Final = load_schema("returns.rma.v1-value")

_PROCESSES: Final = 2  # drawing takes about 3 ms each
_LAST_MS: Final = 253_402_300_799_999
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNKNOWN_NAMES: Final = texts.filter(lambda name: name not in Rma.__annotations__)
# Every tenth document has fields that the contract does not name.
_UNKNOWN: Final = st.integers(0, 9).flatmap(
    lambda number: st.dictionaries(_UNKNOWN_NAMES, json_values, max_size=3) if number == 0 else st.just({})
)
_DOCUMENTS: Final = st.builds(lambda document, unknown: unknown | document, rmas(), _UNKNOWN)


def decoded_values(count: int, seed: int) -> Sequence[dict[str, Any]]:
    """`count` values of documents of every version, delivered with and without tenant and version."""
    draw = random.Random(seed)
    seeds = [draw.getrandbits(32) for _ in range(_PROCESSES)]
    with ProcessPoolExecutor(_PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        documents = [each for part in pool.map(partial(_documents, count // _PROCESSES), seeds) for each in part]
    return [RMA.decode(_delivered(document, draw)).value for document in documents]


def instant(moment: datetime) -> str:
    """What Java's `Instant.toString` writes."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00").removesuffix(".000") + "Z"


def as_seen(value: Mapping[str, Any], as_time: Callable[[datetime], Any] = instant) -> dict[str, Any]:
    """All fields of the value, times being what `as_time` makes of them."""

    def time(milliseconds: int | None) -> Any:
        return None if milliseconds is None else as_time(_EPOCH + timedelta(milliseconds=milliseconds))

    full: dict[str, Any] = complete(SCHEMA, value)
    webhook = full["webhook"] | {"received_at": time(full["webhook"]["received_at"])}
    return full | {name: time(full[name]) for name in ("created_at", "updated_at")} | {"webhook": webhook}


def exact(value: Any) -> str:
    """A text that differs wherever values or their types do: for Python 1, 1.0 and True are equal."""
    return json.dumps(value, sort_keys=True)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each field's path, without positions in arrays, and what it holds."""
    match value:
        case dict():
            for name, member in value.items():
                yield from leaves(member, f"{path}/{name}")
        case list():
            for member in value:
                yield from leaves(member, path)
        case _:
            yield path, value


def possible_leaves(kind: Any = SCHEMA.parsed, path: str = "") -> Iterator[tuple[str, bool]]:
    """Each field's path with whether it is null there: twice, where it can be either."""
    match kind:
        case ["null", other]:
            yield path, True
            yield from possible_leaves(other, path)
        case {"type": "record", "fields": fields}:
            for field in fields:
                yield from possible_leaves(field["type"], f"{path}/{field['name']}")
        case {"type": "array", "items": items}:
            yield from possible_leaves(items, path)
        case _:
            yield path, False


def _documents(count: int, seed: int) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(_DOCUMENTS)
    def collect(document: dict[str, Any]) -> None:
        found.append(document)

    collect()
    return found[:count]


def _delivered(document: Mapping[str, Any], draw: random.Random) -> VerifiedRequest:
    return VerifiedRequest(
        json.dumps(document).encode(),
        received_at_ms=draw.randint(0, _LAST_MS),
        principal="optoro",
        tenant=draw.choice((None, "Modrno", "")),
        api_version=draw.choice((None, "3")),
        content_type="application/json",
        content_encoding=None,
    )
