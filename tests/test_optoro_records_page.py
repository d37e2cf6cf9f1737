"""docs/records.md says what the schema, the headers and the refusals are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.avro.schemas import load_schema
from bridge.errors import ContractViolation
from bridge.kafka.dead_letter import DeadLetterQueue
from bridge.kafka.delivery import NEVER_WRITABLE
from bridge.kafka.parts import PART_BYTES
from bridge.kafka.producer import MAX_RECORD_BYTES
from bridge.optoro.headers import delivery_headers, record_headers, sender_headers
from bridge.optoro.rma import RENAMED_REFUND_TYPES, RMA
from bridge.optoro.strict_json import MAX_DEPTH, MAX_NODES, MAX_POINTER_CHARS
from tests.samples import SAMPLE, verified
from tests.test_optoro_refusals import CODES

PAGE = (Path(__file__).parent.parent / "docs" / "records.md").read_text(encoding="utf-8")


def table(header: str, after: str) -> list[str]:
    """The rows below the first table that starts with `header` in the section `after`."""
    section = PAGE.split(f"\n## {after}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\|.*\|$", section.split(header, 1)[1].split("\n\n", 1)[0], re.MULTILINE)[1:]


def names(rows: list[str]) -> list[str]:
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def rows_of(record: dict[str, Any], path: str = "") -> Iterator[str]:
    for field in record["fields"]:
        kind, inner, suffix = described(field["type"])
        yield f"| `{path}{field['name']}` | {kind} | {field['doc']} |"
        if inner is not None:
            yield from rows_of(inner, f"{path}{field['name']}{suffix}.")


def described(kind: Any) -> tuple[str, Any, str]:
    """A type in words, the record inside it, and how a path goes on below it."""
    if isinstance(kind, list):
        words, inner, suffix = described(next(branch for branch in kind if branch != "null"))
        return f"{words} or null", inner, suffix
    if isinstance(kind, str):
        return kind, None, ""
    if kind["type"] == "array":
        words, inner, suffix = described(kind["items"])
        return f"array of {words}", inner, f"[]{suffix}"
    if kind["type"] == "record":
        return f"record {kind['name'].rsplit('.')[-1]}", kind, ""
    return kind["logicalType"], None, ""


def test_page_lists_the_fields_of_the_schema() -> None:
    """The table of fields is the schema's, in its order and its words."""
    schema = load_schema("returns.rma.v1-value")

    assert table("| Field | Type | Meaning |", "Value") == list(rows_of(schema.parsed))


def test_page_lists_the_headers_of_a_record() -> None:
    """The table of headers is what a record carries, in its order."""
    request = verified(SAMPLE)

    assert names(table("| Header | Holds |", "Headers")) == [
        name for name, _ in record_headers("rma", request, RMA.decode(request))
    ]


def test_page_lists_the_headers_of_a_dead_letter() -> None:
    """The table of headers is what a dead letter in parts carries."""
    request = verified(SAMPLE)._replace(content_encoding="gzip")
    letter, *_ = DeadLetterQueue("dlq", "connector", "topic").records(
        b" " * (PART_BYTES + 1),
        key=None,
        event_id="id",
        headers=[*sender_headers(request), *delivery_headers(request)],
        refusal=ContractViolation("not_json", "not JSON"),
    )

    assert set(names(table("| Header | Holds |", "Dead letters"))) == {name for name, _ in letter.headers}


def test_page_lists_the_codes() -> None:
    """Every code that a dead letter can have is explained, and no other."""
    written_elsewhere = {"encode_failed", *NEVER_WRITABLE.values()}

    assert set(names(table("| Code | Reason |", "Dead letters"))) == CODES.keys() | written_elsewhere


def test_codes_are_all_that_the_contract_raises() -> None:
    """No code stands in the contract's source that is not listed."""
    room = Path(__file__).parent.parent / "bridge" / "optoro"
    source = "\n".join(path.read_text(encoding="utf-8") for path in room.glob("*.py"))
    raised = set(re.findall(r'ContractViolation\("(\w+)"', source)) | set(
        re.findall(r'"(field_\w+|not_an_object)"', source)
    )

    assert raised == CODES.keys()


@pytest.mark.parametrize(
    "words",
    [
        f"{MAX_NODES:,}".replace(",", " "),
        f"more than {MAX_DEPTH} nested containers",
        f"cut at {MAX_POINTER_CHARS} characters",
        f"above {PART_BYTES // 1024} KiB",
        f"above {MAX_RECORD_BYTES // 1024} KiB",
        *RENAMED_REFUND_TYPES,
        *RENAMED_REFUND_TYPES.values(),
    ],
)
def test_page_names_the_limits_and_mappings(words: str) -> None:
    """Limits and mapped names on the page are those of the code."""
    assert words in PAGE
