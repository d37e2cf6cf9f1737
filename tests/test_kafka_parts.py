"""Bodies in parts: what goes in comes out, in any order, and damage is noticed."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.kafka.parts import MAX_PARTS, PART_BYTES, PartRefused, Reassembler, split

MIB = 1024 * 1024


def body_of(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES], ids=str)
def test_split_when_it_fits_one_record(size: int) -> None:
    """A body that fits is its own only part, without headers, and comes back at once."""
    body = body_of(size)
    assert split(body) == [(body, [])]
    assert Reassembler().add(body, [("error-code", b"not_json")]) == body


@pytest.mark.parametrize("size", [PART_BYTES + 1, 2 * PART_BYTES, MIB, 8 * MIB - 1, 8 * MIB], ids=str)
def test_reassembler_when_all_parts_are_there(size: int) -> None:
    """Up to 8 MiB, the whole body comes with its last part, and nothing is held back afterwards."""
    body = body_of(size)
    parts = split(body)
    assert len(parts) <= MAX_PARTS
    reassembler = Reassembler()
    assert [reassembler.add(*part) for part in parts[:-1]] == [None] * (len(parts) - 1)
    assert reassembler.add(*parts[-1]) == body
    assert reassembler.incomplete == 0


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(2, 4))
def test_reassembler_when_parts_are_mixed_up(chance: random.Random, bodies: int) -> None:
    """Parts of several bodies, repeated and in any order, give each body at least once and never another."""
    sent = {body_of(PART_BYTES * 2 + seed + 1, seed) for seed in range(bodies)}
    parts = [part for body in sent for part in split(body)] * 2
    chance.shuffle(parts)
    reassembler = Reassembler()
    assert {whole for part in parts if (whole := reassembler.add(*part)) is not None} == sent


def test_reassembler_when_a_delivery_failed_between_parts() -> None:
    """Parts of a failed delivery and all parts of its repetition give the body."""
    body = body_of(3 * PART_BYTES)
    parts = split(body)
    reassembler = Reassembler()
    wholes = [reassembler.add(*part) for part in [parts[0], parts[2], *parts]]
    assert body in wholes
    assert set(wholes) == {None, body}


def test_reassembler_when_too_many_bodies_are_incomplete() -> None:
    """Memory is bounded: the body that has waited longest is given up, the others still come out."""
    reassembler = Reassembler(max_bodies=2)
    first, second, third = (split(body_of(PART_BYTES + 1, seed)) for seed in range(3))
    for parts in (first, second, third):
        assert reassembler.add(*parts[0]) is None
    assert reassembler.incomplete == 2
    assert reassembler.add(*third[1]) is not None
    assert reassembler.add(*first[1]) is None


def _changed(name: str, value: bytes | None) -> list[tuple[str, bytes | None]]:
    _, headers = split(body_of(PART_BYTES + 1))[1]
    return [(header, value if header == name else text) for header, text in headers if (header, value) != (name, None)]


@pytest.mark.parametrize(
    "headers",
    [
        _changed("part-sha256", b"0" * 64),
        _changed("part-number", b"0"),
        _changed("part-number", b"3"),
        _changed("part-number", b"two"),
        _changed("part-count", b"17"),
        _changed("part-id", None),
    ],
    ids=["another hash", "number 0", "number above count", "no number", "too many", "no id"],
)
def test_reassembler_when_a_part_is_damaged(headers: list[tuple[str, bytes | None]]) -> None:
    """A part that is not what its headers say is refused, and not stored."""
    reassembler = Reassembler()
    with pytest.raises(PartRefused):
        reassembler.add(split(body_of(PART_BYTES + 1))[1][0], headers)
    assert reassembler.incomplete == 0


def test_reassembler_when_parts_of_two_bodies_claim_to_be_one() -> None:
    """Parts that are whole one by one but are not those of one body are refused together."""
    one, other = split(body_of(PART_BYTES + 1, 1)), split(body_of(PART_BYTES + 1, 2))
    reassembler = Reassembler()
    reassembler.add(*one[0])
    forged = [(name, one[1][1][0][1] if name == "part-id" else text) for name, text in other[1][1]]
    with pytest.raises(PartRefused):
        reassembler.add(other[1][0], forged)
