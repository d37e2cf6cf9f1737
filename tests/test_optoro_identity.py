"""The event id: the same for the same message, another where anything in it differs, as docs/event-id.md says."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bridge.errors import ContractViolation
from bridge.optoro.identity import canonical_json, event_id, raw_event_id
from bridge.optoro.rma import RMA
from bridge.optoro.strict_json import parse
from tests.rma_fields import sample_with
from tests.samples import PAYLOADS, SAMPLE, verified
from tests.strategies import json_values, rmas, spelled

PAGE = (Path(__file__).parent.parent / "docs" / "event-id.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"### ([^\n]+)\n\nBody, (?:tenant `([^`]+)`|no tenant):\n\n```json\n(.+?)\n```\n\n"
    r"Canonical:\n\n```text\n(.+?)\n```\n\nEvent id: `([0-9a-f]{32})`",
    PAGE,
    re.DOTALL,
)
randoms = st.randoms(use_true_random=False)


def published() -> dict[str, Callable[..., str]]:
    """The functions that the page gives to consumers."""
    namespace: dict[str, Any] = {}
    [source] = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
    exec(source, namespace)
    return namespace


PUBLISHED = published()


def id_of(body: bytes, tenant: str | None = "Modrno", webhook: str = "rma") -> str:
    return event_id(webhook, tenant, canonical_json(parse(body)))


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_page_has_its_examples() -> None:
    """Every example of the page is read by these tests."""
    assert len(EXAMPLES) == PAGE.count("\n### ") == PAGE.count("Event id:") >= 8


@pytest.mark.parametrize(
    ("tenant", "body", "canonical", "identifier"), [e[1:] for e in EXAMPLES], ids=[e[0] for e in EXAMPLES]
)
def test_worked_example(tenant: str, body: str, canonical: str, identifier: str) -> None:
    """The canonical text and the id that the page shows are the bridge's, and those of the code on the page."""
    assert canonical_json(parse(body.encode())) == canonical
    assert id_of(body.encode(), tenant or None) == identifier
    assert PUBLISHED["event_id"](body.encode(), tenant) == identifier


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("rma_spec4", "2a369485c23cc4e17f7944fda6392cae"),
        ("rma_spec5_created", "ba4c7d0ea4f5ea4e01a278baf7def7be"),
        ("rma_spec5_express_two_items", "567e6fd820f2ca2268799c1619d94fae"),
    ],
)
def test_golden_id_of_a_sample(name: str, identifier: str) -> None:
    """The ids of Optoro's samples are these for ever."""
    body = (PAYLOADS / f"{name}.json").read_bytes()

    assert RMA.decode(verified(body)).event_id == identifier
    assert PUBLISHED["event_id"](body, "Modrno") == identifier


@given(json_values, st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_published_code_agrees_on_any_document(value: Any, tenant: str) -> None:
    """The code on the page and the bridge give one id to every document and tenant."""
    body = encoded(value)

    assert PUBLISHED["event_id"](body, tenant) == id_of(body, tenant)


@given(st.binary())
def test_published_code_agrees_on_raw_bytes(body: bytes) -> None:
    """The code on the page and the bridge give one id to what is no JSON."""
    assert PUBLISHED["raw_event_id"](body) == raw_event_id(body)


@given(json_values, randoms)
def test_event_id_when_only_the_spelling_differs(value: Any, random: Random) -> None:
    """Key order, white space and escapes do not change the id."""
    assert id_of(spelled(value, random)) == id_of(encoded(value))


@given(rmas(), randoms)
def test_decode_when_only_the_spelling_differs(document: dict[str, Any], random: Random) -> None:
    """The whole event, not its id only, is the same for every spelling."""
    assert RMA.decode(verified(spelled(document, random))) == RMA.decode(verified(encoded(document)))


@given(json_values, json_values)
def test_event_id_when_the_value_differs(one: Any, other: Any) -> None:
    """Different documents have different ids; True, 1 and 1.0 are different, 0.0 and -0.0 too."""
    assume(json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))

    assert id_of(encoded(one)) != id_of(encoded(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("1", "1.0", id="integer and fraction"),
        pytest.param("100", "1e2", id="integer and exponent"),
        pytest.param("1", "true", id="number and boolean"),
        pytest.param("1", '"1"', id="number and text"),
        pytest.param("null", '""', id="null and empty"),
        pytest.param("null", "[]", id="null and no list"),
        pytest.param("{}", '{"a":null}', id="absent and null"),
        pytest.param("0.0", "-0.0", id="signs of zero"),
        pytest.param("9007199254740992", "9007199254740993", id="integers one double apart"),
        pytest.param("[1,2]", "[2,1]", id="order of a list"),
        pytest.param('"é"', '"e\u0301"', id="composed and not"),
        pytest.param('{"a":1}', '{"A":1}', id="case of a key"),
        pytest.param('["a,b"]', '["a","b"]', id="comma in a text"),
        pytest.param('"a"', '"a "', id="space in a text"),
    ],
)
def test_event_id_when_values_are_close(one: str, other: str) -> None:
    """What is not the same value has not the same id."""
    assert id_of(one.encode()) != id_of(other.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("1.50", "1.5", id="trailing zero"),
        pytest.param("1e2", "1.0E+2", id="exponents"),
        pytest.param("0.1", "0.1000000000000000055", id="digits beyond a double"),
        pytest.param("1e-400", "0.0", id="below a double's least"),
        pytest.param("-0", "0", id="integer zero"),
    ],
)
def test_event_id_when_numbers_are_one_double(one: str, other: str) -> None:
    """Spellings of one number have one id."""
    assert id_of(one.encode()) == id_of(other.encode())


def test_event_id_when_items_is_one_object() -> None:
    """The id is of the document as sent, not as stored: the one object and the list of it differ."""
    item = json.loads(SAMPLE)["items"][0]

    assert id_of(sample_with("/items", item)) != id_of(sample_with("/items", [item]))


@given(json_values, st.text(min_size=1), st.text(min_size=1))
def test_event_id_when_the_tenant_or_webhook_differs(value: Any, one: str, other: str) -> None:
    """Tenant and webhook are part of the id, each in its place."""
    assume(one != other and "\n" not in one + other)
    assume(not any("\ud800" <= character <= "\udfff" for character in one + other))
    body = encoded(value)

    assert (
        len({id_of(body, one), id_of(body, other), id_of(body, None), id_of(body, None, one), id_of(body, one, other)})
        == 5
    )


def test_event_id_when_the_tenant_is_absent() -> None:
    """No tenant and an empty one are the same."""
    assert id_of(b"{}", None) == id_of(b"{}", "")


@given(json_values)
def test_canonical_json_of_itself(value: Any) -> None:
    """The canonical text, read and written again, is the same text."""
    canonical = canonical_json(parse(encoded(value)))

    assert canonical_json(parse(canonical.encode())) == canonical
    assert json.loads(canonical) == value


@given(rmas())
def test_identify_agrees_with_decode(document: dict[str, Any]) -> None:
    """What is set aside after decoding has the id and key it would have had as a record."""
    request = verified(encoded(document))
    event = RMA.decode(request)

    assert RMA.identify(request) == (event.event_id, event.key)


@given(json_values)
def test_identify_when_the_document_is_refused(value: Any) -> None:
    """A document that is JSON has the id of its content also where the contract refuses it."""
    body = encoded(value)

    assert RMA.identify(verified(body)).event_id == id_of(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xef\xbb\xbf{}",
        b'{"a":1,"a":1}',
        b'{"a":1,"a":',
        b"1e999",
        b"[" * 1000,
        b"\xff",
        b"[" + b"0," * 50_000 + b"0]",
    ],
    ids=[
        "empty",
        "cut off",
        "byte order mark",
        "duplicate key",
        "both",
        "infinity",
        "too deep",
        "no UTF-8",
        "too many",
    ],
)
def test_identify_when_the_bytes_have_no_reading(body: bytes) -> None:
    """Bytes without one reading have the id of the bytes, whoever sent them, and no key."""
    assert RMA.identify(verified(body)) == (raw_event_id(body), None)
    assert RMA.identify(verified(body, tenant="other")) == (raw_event_id(body), None)


@pytest.mark.parametrize(
    ("identifier", "key"),
    [("rma1", "rma1"), ("", None), (1, None), (None, None), (["rma1"], None), (..., None)],
    ids=["text", "empty", "number", "null", "list", "absent"],
)
def test_identify_reads_the_key(identifier: object, key: str | None) -> None:
    """The key is the identifier where it is a text that can key, however wrong the rest is."""
    body = sample_with("/rma_identifier", identifier).replace(b'"CREATED"', b"1")

    assert RMA.identify(verified(body)).key == key
    with pytest.raises(ContractViolation):
        RMA.decode(verified(body))


@given(st.binary())
def test_identify_of_any_bytes(body: bytes) -> None:
    """Any bytes have an id, the same each time."""
    identity = RMA.identify(verified(body))

    assert re.fullmatch(r"(raw-)?[0-9a-f]{32}", identity.event_id)
    assert RMA.identify(verified(body)) == identity
