"""Kafka's own Java partitioner, our producer on real Kafka and the tests' port agree on where a key goes."""

import asyncio
import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pytest

from bridge.kafka.producer import KafkaProducer
from bridge.records import ProducerRecord
from tests.conftest import RealKafka
from tests.interop.jvm import run
from tests.java import murmur2, to_positive
from tests.kafka_settings import settings

KEYS: Final = 10_000
PARTITIONS: Final = 12
OTHER_COUNTS: Final = (1, 2, 3, 7, 50, 1_000)
LONGEST: Final = 3_000
PRODUCE_SECONDS: Final = 30

ALPHABETS: Final[Mapping[str, Sequence[int]]] = {
    "digits": range(0x30, 0x3A),
    "ascii": range(0x20, 0x7F),
    "controls": [*range(0x20), *range(0x7F, 0xA0)],
    "accents and their parts": [*range(0xC0, 0x250), *range(0x300, 0x370)],
    "basic plane": [*range(1, 0xD800), *range(0xE000, 0x1_0000)],
    "surrogate pairs": range(0x1_0000, 0x11_0000),
    "edges": [0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF, 0x1_0000, 0x10_FFFF],
}


@pytest.fixture(scope="module")
def keys(seed: int) -> Sequence[str]:
    """Distinct, none empty: every length modulo four in every alphabet and in mixtures, some very long."""
    draw = random.Random(seed)
    found = {"rma1234": None} | {str(number): None for number in (0, 1, 2**31, 2**63, 10**40)}
    while len(found) < KEYS:
        found[_key(draw)] = None
    return list(found)


@pytest.fixture(scope="module")
def placed_by_java(keys: Sequence[str]) -> Sequence[tuple[bytes, Mapping[int, int]]]:
    """For each key its bytes in Java, and its partition for each number of partitions."""
    counts = (PARTITIONS, *OTHER_COUNTS)
    lines = run("Partitions", *map(str, counts), libraries=["kafka"], lines=[json.dumps(key) for key in keys])
    answers = [json.loads(line) for line in lines]
    return [(bytes.fromhex(each["bytes"]), dict(zip(counts, each["partitions"], strict=True))) for each in answers]


def test_java_writes_the_same_bytes_when_keys_are_awkward(
    keys: Sequence[str], placed_by_java: Sequence[tuple[bytes, Mapping[int, int]]]
) -> None:
    """Kafka's StringSerializer makes the bytes of Python's UTF-8 of every key."""
    assert [data for data, _ in placed_by_java] == [key.encode() for key in keys]


def test_port_places_as_kafkas_partitioner_when_keys_are_awkward(
    keys: Sequence[str], placed_by_java: Sequence[tuple[bytes, Mapping[int, int]]]
) -> None:
    """The tests' port agrees with BuiltInPartitioner on every key, for any number of partitions."""
    hashes = [to_positive(murmur2(key.encode())) for key in keys]
    ported = [{count: each % count for count in (PARTITIONS, *OTHER_COUNTS)} for each in hashes]
    assert [partitions for _, partitions in placed_by_java] == ported


def test_producer_places_as_kafkas_partitioner_when_keys_are_awkward(
    keys: Sequence[str],
    placed_by_java: Sequence[tuple[bytes, Mapping[int, int]]],
    real_kafka: RealKafka,
    make_topic: Callable[..., str],
) -> None:
    """Real Kafka has every key on the partition that Java's partitioner names."""
    placed = asyncio.run(_produce(real_kafka.bootstrap_servers, make_topic(PARTITIONS), keys))
    assert placed == [partitions[PARTITIONS] for _, partitions in placed_by_java]
    assert set(placed) == set(range(PARTITIONS))


async def _produce(bootstrap_servers: str, topic: str, keys: Sequence[str]) -> Sequence[int]:
    deadline = asyncio.get_running_loop().time() + PRODUCE_SECONDS
    async with KafkaProducer(settings(bootstrap_servers)) as producer:
        records = [ProducerRecord(topic, key.encode(), b"", []) for key in keys]
        return [each.partition for each in await asyncio.gather(*(producer.send(each, deadline) for each in records))]


def _key(draw: random.Random) -> str:
    length = draw.randint(1, LONGEST) if draw.random() < 0.02 else draw.randint(1, 40)
    mixed = [code for _ in range(5) for code in draw.sample(draw.choice(list(ALPHABETS.values())), 5)]
    alphabet = mixed if draw.random() < 0.3 else draw.choice(list(ALPHABETS.values()))
    return "".join(chr(draw.choice(alphabet)) for _ in range(length))
