"""Avro's int and long on the wire (Avro specification, binary encoding): zig-zag, seven bits a byte, lowest first."""

from typing import Final

LONG_MIN: Final = -(2**63)
LONG_MAX: Final = 2**63 - 1

_PAIR: Final = 1 << 14
_LAST: Final = tuple(bytes((n & 0x7F | 0x80, n >> 7)) if n >> 7 else bytes((n,)) for n in range(_PAIR))
_MORE: Final = tuple(bytes((n & 0x7F | 0x80, n >> 7 | 0x80)) for n in range(_PAIR))

SMALL_LONGS: Final = _LAST[::2]
"""The encodings of 0, 1, 2 and so on, as far as two bytes reach."""


def long_bytes(value: int) -> bytes:
    """Return the encoding of `value`. Raises OverflowError outside 64 bits."""
    if not LONG_MIN <= value <= LONG_MAX:
        raise OverflowError("does not fit 64 bits")
    rest = (value << 1) ^ (value >> 63)
    encoded = b""
    while rest >= _PAIR:
        encoded += _MORE[rest & 0x3FFF]
        rest >>= 14
    return encoded + _LAST[rest]
