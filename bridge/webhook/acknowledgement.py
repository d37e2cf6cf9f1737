"""The one answer table: how a request ended, and what the sender is told.

An authenticated event is answered 200 or 503 and nothing else: Optoro sends again on 503 for 32 hours, and takes any
other status for the end of the matter. 401 makes it fetch a new credential first.
"""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from bridge.records import Outcome

RETRY_AFTER_SECONDS: Final = (5, 60)

Answer = tuple[dict[str, Any], dict[str, Any]]
Header = tuple[bytes, bytes]

_CLOSE: Final[list[Header]] = [(b"connection", b"close")]  # the rest of the body is not read any more
_COMMON: Final[list[Header]] = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


def answers(challenges: Sequence[str], randomness: Random) -> Callable[[Outcome], Answer]:
    """Return the table as a function from Outcome to a response's two ASGI messages."""
    unauthorized = [(b"www-authenticate", challenge.encode()) for challenge in challenges]
    refused: dict[str, tuple[int, list[Header]]] = {
        "credentials_refused": (401, unauthorized),
        "method_not_allowed": (405, [(b"allow", b"POST")]),
        "body_too_large": (413, _CLOSE),
    }

    def answer(outcome: Outcome) -> Answer:
        if outcome.status in {"accepted", "quarantined"}:
            return _response(200, b'{"status":"%b","event_id":"%b"}' % _spelled(outcome))
        if outcome.status == "refused" and outcome.reason in refused:
            status, headers = refused[outcome.reason]
            return _response(status, _problem(outcome), headers)
        wait = randomness.randint(*RETRY_AFTER_SECONDS)
        closing = _CLOSE if outcome.reason == "body_timed_out" else []
        return _response(503, _problem(outcome), [(b"retry-after", b"%d" % wait), *closing])

    return answer


def not_found() -> Answer:
    """Return the answer for a path that no connector has."""
    return _response(404, b'{"status":"refused","reason":"not_found"}')


def _spelled(outcome: Outcome) -> tuple[bytes, bytes]:
    return outcome.status.encode(), (outcome.event_id or "").encode()


def _problem(outcome: Outcome) -> bytes:
    return json.dumps({"status": outcome.status, "reason": outcome.reason}).encode()


def _response(status: int, body: bytes, headers: Sequence[Header] = ()) -> Answer:
    start = {
        "type": "http.response.start",
        "status": status,
        "headers": [*_COMMON, (b"content-length", b"%d" % len(body)), *headers],
    }
    return start, {"type": "http.response.body", "body": body}
