"""Every refusal is a ContractViolation with a stable code and a path, and nothing of the payload in its words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ContractViolation
from bridge.optoro.rma import RMA
from bridge.optoro.strict_json import MAX_NODES, MAX_POINTER_CHARS
from bridge.records import VerifiedRequest
from tests.rma_fields import FIELDS, MISSING, sample_with, sample_with_text
from tests.samples import SAMPLE, verified
from tests.strategies import json_values, rmas

CODES = {
    "duplicate_key": verified(b'{"a":1,"a":2}'),
    "field_empty": verified(sample_with("/rma_identifier", "")),
    "field_missing": verified(sample_with("/status", MISSING)),
    "field_not_a_timestamp": verified(sample_with("/created_at", "yesterday")),
    "field_null": verified(sample_with("/status", None)),
    "field_out_of_range": verified(sample_with("/return_shipping_cost_cents", 2**63)),
    "field_wrong_type": verified(sample_with("/status", 1)),
    "not_an_object": verified(b"[]"),
    "not_json": verified(b"{"),
    "number_out_of_range": verified(sample_with_text("/new", "1e999")),
    "too_deep": verified(sample_with_text("/new", "[" * 40 + "]" * 40)),
    "too_many_values": verified(b"[" + b"0," * MAX_NODES + b"0]"),
    "unsupported_content_encoding": verified(SAMPLE)._replace(content_encoding="gzip"),
    "unsupported_content_type": verified(SAMPLE, content_type="text/plain"),
}
characters = st.text(st.characters(exclude_categories=["Cs"]))
CANARY = "c4n4rySecret"
CANARY_NUMBER = 73_133_713_377_331


def refusal(request: VerifiedRequest) -> ContractViolation | None:
    """Decode; anything raised but ContractViolation fails the test that calls this."""
    try:
        RMA.decode(request)
    except ContractViolation as violation:
        return violation
    return None


@pytest.mark.parametrize(("code", "request_"), CODES.items(), ids=CODES.keys())
def test_decode_refuses_with_its_code(code: str, request_: VerifiedRequest) -> None:
    """Each reason has one stable code, and words that say it."""
    violation = refusal(request_)

    assert violation is not None
    assert violation.code == code
    assert str(violation)


@given(st.binary(max_size=2_000))
def test_decode_of_any_bytes(body: bytes) -> None:
    """Any bytes are an event or a ContractViolation."""
    refusal(verified(body))


@given(st.binary(max_size=30), st.integers(0, len(SAMPLE)), st.integers(0, 30))
def test_decode_of_a_damaged_sample(patch: bytes, start: int, length: int) -> None:
    """The sample with any bytes put anywhere is an event or a ContractViolation."""
    refusal(verified(SAMPLE[:start] + patch + SAMPLE[start + length :]))


@given(st.integers(0, len(SAMPLE) - 1), st.sampled_from([b'{"a":1,"a":1}', b'"a":0,"a":0,', b'{"":{"":0},"":']))
def test_decode_of_a_sample_cut_behind_duplicate_keys(end: int, duplicate: bytes) -> None:
    """Duplicate keys in front of anything at all are an event or a ContractViolation."""
    refusal(verified(duplicate + SAMPLE[:end]))
    refusal(verified(SAMPLE[:1] + duplicate + SAMPLE[1:end]))


@given(json_values)
def test_decode_of_any_json(value: Any) -> None:
    """Any JSON value that is no RMA is refused as one, never with a failure of ours."""
    assert refusal(verified(json.dumps(value).encode())) is not None


@given(st.sampled_from([field.pointer for field in FIELDS]), json_values)
def test_decode_of_any_json_in_any_field(pointer: str, value: Any) -> None:
    """Any JSON value in any field is accepted, or refused at that field or below it."""
    violation = refusal(verified(sample_with(pointer, value)))

    assert violation is None or violation.path == pointer or violation.path.startswith(f"{pointer}/")


@given(rmas(), characters, characters, characters, characters)
def test_decode_with_any_headers(
    document: dict[str, Any], tenant: str, version: str, content_type: str, encoding: str
) -> None:
    """Any header texts end in an event or a ContractViolation."""
    request = verified(json.dumps(document).encode(), tenant=tenant, content_type=content_type)

    refusal(request._replace(api_version=version, content_encoding=encoding))


@pytest.mark.parametrize(
    "value",
    [CANARY, CANARY_NUMBER, [CANARY], {"x": CANARY}, [[CANARY_NUMBER]], {"x": {"y": CANARY_NUMBER}}],
    ids=["text", "number", "list", "object", "nested list", "nested object"],
)
@pytest.mark.parametrize("pointer", [field.pointer for field in FIELDS])
def test_refusal_does_not_hold_the_value(pointer: str, value: object) -> None:
    """What is wrong with a field is said without what stands in it."""
    violation = refusal(verified(sample_with(pointer, value)))

    if violation is not None:
        said = f"{violation!r} {violation} {violation.path} {violation.code}"
        assert CANARY not in said
        assert str(CANARY_NUMBER) not in said


def _replaced(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_replaced(member) for member in value]
    return CANARY if isinstance(value, str) else value


@given(rmas(), st.sampled_from([field.pointer for field in FIELDS]), json_values.map(_replaced), st.binary(max_size=5))
def test_refusal_does_not_hold_any_value(document: dict[str, Any], pointer: str, value: Any, damage: bytes) -> None:
    """With a canary for every text of the document, no refusal has it in its words, code or path."""
    body = json.dumps(_replaced(document) | {"status": _replaced(value)}).encode()
    bodies = [body, body[:-1] + damage, body + damage, sample_with(pointer, _replaced(value))]

    for violation in map(refusal, map(verified, bodies)):
        assert violation is None or CANARY not in f"{violation!r} {violation.path} {violation.code}"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f'{{"{CANARY}":1'.encode(), id="cut off"),
        pytest.param(f'{{"a":{CANARY}}}'.encode(), id="bare word"),
        pytest.param(f'{{"a":"{CANARY}\\x"}}'.encode(), id="bad escape"),
        pytest.param(f'{{"a":{CANARY_NUMBER}x}}'.encode(), id="bad number"),
        pytest.param(f'{{"a":"{CANARY}","a":"{CANARY}"}}'.encode(), id="duplicate key"),
        pytest.param(f'"{CANARY}"\xff'.encode("latin-1"), id="bad UTF-8"),
        pytest.param(f'{{"created_at":"{CANARY}"}}'.encode(), id="bad timestamp"),
    ],
)
def test_refusal_of_bad_json_does_not_hold_it(body: bytes) -> None:
    """The parser's words are passed on without what it stumbled over."""
    violation = refusal(verified(body))

    assert violation is not None
    assert CANARY not in f"{violation!r} {violation.path}"
    assert str(CANARY_NUMBER) not in f"{violation!r} {violation.path}"


@pytest.mark.parametrize("content_type", [f"text/{CANARY}", f"application/json; charset={CANARY}"])
def test_refusal_of_a_header_does_not_hold_it(content_type: str) -> None:
    """A header's value is no more repeated than a field's."""
    violation = refusal(verified(SAMPLE, content_type=content_type))

    assert violation is not None
    assert CANARY not in repr(violation)


@given(st.dictionaries(characters, json_values, max_size=3))
def test_refusal_has_a_pointer_for_any_names(document: dict[str, Any]) -> None:
    """Whatever the sender's names, the path is a JSON Pointer of limited length that a header can hold."""
    deep: Any = 0
    for name in [*document, "end"] * 12:
        deep = {name: deep}

    violation = refusal(verified(json.dumps(json.loads(SAMPLE) | {"deep": [deep] * 2, "x": [[[deep]]]}).encode()))

    if violation is not None:
        assert violation.path == "" or violation.path.startswith("/")
        assert len(violation.path.encode()) <= MAX_POINTER_CHARS * 4
