"""Hostile bodies cost time and memory in proportion to their size, and little of both."""

import json
import time
import tracemalloc
from collections.abc import Callable

import pytest

from bridge.errors import ContractViolation
from bridge.optoro.rma import RMA
from tests.rma_fields import sample_with, sample_with_text
from tests.samples import SAMPLE, verified

MIB = 1024 * 1024
MAX_CPU_SECONDS = 1.0  # four times what the worst needs; a quadratic step needs minutes
MAX_MEMORY_PER_BYTE = 60
ITEM = json.loads(SAMPLE)["items"][0]


def unknown(text: str) -> bytes:
    return sample_with_text("/x", text)


def many(member: str, size: int, most: int = 48_000) -> str:
    return ",".join([member] * min(size // (len(member) + 1), most))


def keys(size: int, most: int = 10**9) -> str:
    return ",".join(f'"{number:07}":0' for number in range(min(size // 12, most)))


WORST: dict[str, Callable[[int], bytes]] = {
    "commas": lambda size: b"," * size,
    "blanks": lambda size: b" " * size,
    "quotes": lambda size: b'"' * size,
    "escaped quotes, unterminated": lambda size: b'"' + b'\\"' * (size // 2),
    "commas and quotes": lambda size: b'",' * (size // 2),
    "open lists": lambda size: b"[" * size,
    "open objects": lambda size: b'{"":' * (size // 4),
    "nested lists": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "empty lists": lambda size: unknown(f"[{many('[]', size, size)}]"),
    "numbers": lambda size: unknown(f"[{many('0', size, size)}]"),
    "48 000 numbers": lambda size: unknown(f"[{many('0', size)}]"),
    "48 000 fractions": lambda size: unknown(f"[{many('0.1234567890123456', size)}]"),
    "texts": lambda size: unknown("[" + many('"ab"', size) + "]"),
    "keys": lambda size: unknown(f"{{{keys(size)}}}"),
    "48 000 unknown fields": lambda size: unknown(f"0,{keys(size, 48_000)}"),
    "long key above many values": lambda size: sample_with_text(f"/{'k' * (size // 2)}", f"[{many('0', size // 2)}]"),
    "long key above an infinity": lambda size: sample_with_text(
        f"/{'k' * (size // 2)}", f"[{many('0', size // 2)},1e999]"
    ),
    "long key above duplicate keys": lambda size: (
        f'{{"{"k" * (size // 2)}":[{many("0", size // 2)}],"a":1,"a":2}}'.encode()
    ),
    "long key above too many levels": lambda size: sample_with_text(f"/{'k' * size}", '{"a":' * 40 + "0" + "}" * 40),
    "many long keys": lambda size: unknown("{" + ",".join(f'"{"k" * 1000}{n}":[0]' for n in range(size // 1010)) + "}"),
    "digits": lambda size: unknown("9" * size),
    "numbers of 4 300 digits": lambda size: unknown(f"[{many('9' * 4_300, size)}]"),
    "fraction digits": lambda size: unknown("0." + "1" * size),
    "digits halfway between doubles": lambda size: unknown(
        "1.00000000000000011102230246251565404236316680908203125" + "0" * size + "1"
    ),
    "exponent digits": lambda size: unknown("1e" + "1" * size),
    "negative exponent digits": lambda size: unknown("1e-" + "1" * size),
    "escapes": lambda size: unknown('"' + "\\u0001" * (size // 6) + '"'),
    "commas in a text": lambda size: unknown('"' + "," * size + '"'),
    "long identifier": lambda size: sample_with("/rma_identifier", "x" * size),
    "long timestamp": lambda size: sample_with("/created_at", "2018-08-30T15:39:42." + "1" * size),
    "long number for a text": lambda size: sample_with_text("/warehouse_id", "9" * min(size, 4_300)),
    "items": lambda size: sample_with("/items", [ITEM] * min(size // 600, 2_200)),
    "empty items": lambda size: sample_with_text("/items", f"[{many('{}', size)}]"),
    "numbers for texts": lambda size: sample_with_text("/customer/tags", f"[{many('0', size)}]"),
    "duplicate key at the end": lambda size: f'{{{keys(size, 48_000)},"a":1,"a":2}}'.encode(),
}


def decode(body: bytes) -> None:
    try:
        RMA.decode(verified(body))
    except ContractViolation:
        RMA.identify(verified(body))


@pytest.mark.parametrize("shape", WORST.values(), ids=WORST.keys())
def test_decode_of_a_mebibyte_takes_little_time(shape: Callable[[int], bytes]) -> None:
    """A mebibyte of anything is decoded, or refused and identified, well within the sender's patience."""
    body = shape(MIB)
    started = time.process_time()

    decode(body)

    assert time.process_time() - started < MAX_CPU_SECONDS


@pytest.mark.parametrize("shape", WORST.values(), ids=WORST.keys())
def test_decode_of_a_quarter_mebibyte_takes_little_memory(shape: Callable[[int], bytes]) -> None:
    """The memory for any body is a bounded multiple of its size, so that no event can end the process."""
    body = shape(MIB // 4)
    tracemalloc.start()
    try:
        decode(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < MAX_MEMORY_PER_BYTE * max(len(body), 64 * 1024)
