"""The answer table: which Outcome is told how."""

import json
from random import Random

import pytest

from bridge.records import Outcome
from bridge.webhook.acknowledgement import Answer, answers, not_found

ANSWER = answers(["Basic realm=x", "ApiKey realm=x"], Random(1))


def headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = answer[0]["headers"]
    return found


@pytest.mark.parametrize(
    ("outcome", "status", "body"),
    [
        pytest.param(Outcome("accepted", "ab12"), 200, {"status": "accepted", "event_id": "ab12"}, id="accepted"),
        pytest.param(
            Outcome("quarantined", "raw-ab12", "not_json"),
            200,
            {"status": "quarantined", "event_id": "raw-ab12"},
            id="quarantined",
        ),
        pytest.param(
            Outcome("refused", reason="credentials_refused"),
            401,
            {"status": "refused", "reason": "credentials_refused"},
            id="wrong credentials",
        ),
        pytest.param(
            Outcome("refused", reason="method_not_allowed"),
            405,
            {"status": "refused", "reason": "method_not_allowed"},
            id="wrong method",
        ),
        pytest.param(
            Outcome("refused", reason="body_too_large"),
            413,
            {"status": "refused", "reason": "body_too_large"},
            id="too large",
        ),
        pytest.param(
            Outcome("unavailable", reason="queue_full"),
            503,
            {"status": "unavailable", "reason": "queue_full"},
            id="unavailable",
        ),
        pytest.param(
            Outcome("unavailable", reason="never_heard_of"),
            503,
            {"status": "unavailable", "reason": "never_heard_of"},
            id="unavailable for a new reason",
        ),
        pytest.param(
            Outcome("refused", reason="never_heard_of"),
            503,
            {"status": "refused", "reason": "never_heard_of"},
            id="refused for a reason without a status",
        ),
    ],
)
def test_answer_when_the_outcome_is(outcome: Outcome, status: int, body: dict[str, str]) -> None:
    """Each outcome has its status and a small JSON body."""
    start, end = ANSWER(outcome)

    assert start["status"] == status
    assert json.loads(end["body"]) == body
    assert dict(start["headers"])[b"content-length"] == b"%d" % len(end["body"])
    assert (b"content-type", b"application/json") in start["headers"]
    assert (b"cache-control", b"no-store") in start["headers"]


def test_answer_when_unavailable_says_when_to_come_again() -> None:
    """Retry-After is a whole number of seconds from 5 to 60, spread over many values."""
    values = [dict(headers(ANSWER(Outcome("unavailable", reason="x"))))[b"retry-after"] for _ in range(100)]

    assert all(value.isdigit() and 5 <= int(value) <= 60 for value in values)
    assert len(set(values)) >= 5


@pytest.mark.parametrize("status", ["accepted", "quarantined"])
def test_answer_when_stored_asks_for_nothing(status: str) -> None:
    """A success has no Retry-After."""
    outcome = Outcome(status, "id")  # type: ignore[arg-type]

    assert b"retry-after" not in dict(headers(ANSWER(outcome)))


def test_answer_when_credentials_are_refused_has_every_challenge() -> None:
    """Each configured method has its own WWW-Authenticate."""
    found = headers(ANSWER(Outcome("refused", reason="credentials_refused")))

    challenges = [value for name, value in found if name == b"www-authenticate"]
    assert challenges == [b"Basic realm=x", b"ApiKey realm=x"]


def test_answer_when_the_method_is_wrong_says_which_is_right() -> None:
    """Allow names POST."""
    assert (b"allow", b"POST") in headers(ANSWER(Outcome("refused", reason="method_not_allowed")))


def test_not_found_has_the_common_headers() -> None:
    """A 404 is JSON that is not to be stored, too."""
    start, end = not_found()

    assert start["status"] == 404
    assert (b"cache-control", b"no-store") in start["headers"]
    assert json.loads(end["body"])["reason"] == "not_found"
