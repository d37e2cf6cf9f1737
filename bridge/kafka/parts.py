"""Bodies too large for one record: cut into parts by the producer, put together by whoever reads them.

Each part carries `part-id` (the start of the whole body's SHA-256, the same for every part and every delivery of the
same body), `part-number` from 1, `part-count`, and `part-sha256`, the part's own.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

PART_BYTES: Final = 768 * 1024  # the rest of one record (bridge.kafka.producer.MAX_RECORD_BYTES) is for key and headers
MAX_PARTS: Final = 16
_ID_LENGTH: Final = 32

Headers = list[tuple[str, bytes]]


class PartRefused(ValueError):
    """A record that says it is a part and is not a whole one."""


def split(body: bytes) -> list[tuple[bytes, Headers]]:
    """Return the parts with their headers; a body that fits one record is its only part, without headers."""
    if len(body) <= PART_BYTES:
        return [(body, [])]
    parts = [body[start : start + PART_BYTES] for start in range(0, len(body), PART_BYTES)]
    whole = _part_id(body)
    return [(part, _headers(whole, number, len(parts), part)) for number, part in enumerate(parts, 1)]


class Reassembler:
    """Puts parts together in whatever order and however often they come.

    It holds at most `max_bodies` incomplete bodies; beyond that the one that has waited longest without a new part is
    given up, since a failure between parts leaves one that will never be completed.
    """

    def __init__(self, max_bodies: int = 64) -> None:
        self._max_bodies = max_bodies
        self._waiting: OrderedDict[bytes, dict[int, bytes]] = OrderedDict()

    @property
    def incomplete(self) -> int:
        """How many bodies lack parts."""
        return len(self._waiting)

    def add(self, value: bytes, headers: Iterable[tuple[str, bytes | None]]) -> bytes | None:
        """Return the whole body once its last part is there, and the value itself where it is no part; else None.

        Raises PartRefused where a part is damaged or its headers contradict each other.
        """
        found = {name: text or b"" for name, text in headers if name.startswith("part-")}
        if not found:
            return value
        identifier, number, count = _checked(found, value)
        parts = self._waiting.setdefault(identifier, {})
        parts[number] = value
        self._waiting.move_to_end(identifier)
        if len(parts) < count:
            if len(self._waiting) > self._max_bodies:
                self._waiting.popitem(last=False)
            return None
        del self._waiting[identifier]
        body = b"".join(part for _, part in sorted(parts.items()))
        if _part_id(body) != identifier:
            raise PartRefused("the parts are not those of one body")
        return body


def _part_id(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:_ID_LENGTH].encode()


def _headers(whole: bytes, number: int, count: int, part: bytes) -> Headers:
    return [
        ("part-id", whole),
        ("part-number", b"%d" % number),
        ("part-count", b"%d" % count),
        ("part-sha256", hashlib.sha256(part).hexdigest().encode()),
    ]


def _checked(found: dict[str, bytes], value: bytes) -> tuple[bytes, int, int]:
    try:
        identifier, number, count = found["part-id"], int(found["part-number"]), int(found["part-count"])
        digest = found["part-sha256"]
    except (KeyError, ValueError) as exc:
        raise PartRefused("a part without all of its headers") from exc
    if not 1 <= number <= count <= MAX_PARTS:
        raise PartRefused(f"part {number} of {count}")
    if hashlib.sha256(value).hexdigest().encode() != digest:
        raise PartRefused("a part whose bytes have another hash than its header says")
    return identifier, number, count
