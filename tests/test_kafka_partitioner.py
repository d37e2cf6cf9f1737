"""Where keys go: Java's murmur2, on which the contract suite's placement rests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.testing import murmur2_partition
from tests.java import murmur2, to_positive

# The vectors of Kafka's own UtilsTest.testMurmur2.
VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), VECTORS.items(), ids=lambda value: str(value)[:20])
def test_murmur2_is_javas_when_compared_with_kafkas_vectors(key: bytes, hashed: int) -> None:
    """The test's own port gives what Kafka's tests expect of Java."""
    assert murmur2(key) == hashed


@given(st.binary(max_size=64), st.integers(1, 100))
def test_fake_places_as_java_when_given_any_key(key: bytes, partitions: int) -> None:
    """The fake producer's placement, written on its own, agrees with the port for any key."""
    assert murmur2_partition(key, partitions) == to_positive(murmur2(key)) % partitions
