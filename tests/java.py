"""Java's murmur2, ported from its definition with Java's 32-bit arithmetic; independent of client and fake."""


def murmur2(data: bytes) -> int:
    """org.apache.kafka.common.utils.Utils.murmur2: a signed int."""
    length = len(data)
    h = _int(0x9747B28C ^ length)
    for i in range(length // 4):
        k = data[4 * i] + (data[4 * i + 1] << 8) + (data[4 * i + 2] << 16) + (data[4 * i + 3] << 24)
        k = _int(k * 0x5BD1E995)
        k = _int(k ^ _unsigned_shift(k, 24))
        k = _int(k * 0x5BD1E995)
        h = _int(_int(h * 0x5BD1E995) ^ k)
    rest = length % 4
    start = length & ~3
    if rest == 3:
        h = _int(h ^ (data[start + 2] << 16))
    if rest >= 2:
        h = _int(h ^ (data[start + 1] << 8))
    if rest >= 1:
        h = _int(_int(h ^ data[start]) * 0x5BD1E995)
    h = _int(h ^ _unsigned_shift(h, 13))
    h = _int(h * 0x5BD1E995)
    return _int(h ^ _unsigned_shift(h, 15))


def to_positive(number: int) -> int:
    """org.apache.kafka.common.utils.Utils.toPositive."""
    return number & 0x7FFFFFFF


def _int(number: int) -> int:
    number &= 0xFFFFFFFF
    return number - 0x1_0000_0000 if number & 0x8000_0000 else number


def _unsigned_shift(number: int, bits: int) -> int:
    return (number & 0xFFFFFFFF) >> bits
