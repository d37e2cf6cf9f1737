"""The public door, message by message: each request ends in one answer, and each answer in one count."""

import asyncio
import logging
from typing import Any

import pytest

from bridge.errors import DeliveryFailed, RecordRefused, TemporarilyUnavailable
from bridge.records import Outcome, VerifiedRequest
from bridge.testing import DEAD_LETTER_TOPIC, NOW_MS, TOPIC, FakeProducer, refusing, webhook
from bridge.webhook.body import BODY_SECONDS, MAX_BODY_BYTES
from tests.asgi import Answer, call, receiving
from tests.door import METHODS, Bridge, processing, using
from tests.samples import API_KEY, NOT_JSON, SAMPLE, USERNAME, basic, rma
from tests.virtual_time import run


def test_post_when_the_event_is_fine() -> None:
    """200 with the event's id, which is that of the record."""

    async def use(bridge: Bridge) -> tuple[Answer, bytes]:
        answer = await bridge.post()
        return answer, dict(bridge.producer.records()[0].headers)["ce_id"]

    answer, event_id = using(use)
    assert (answer.status, answer.json()) == (200, {"status": "accepted", "event_id": event_id.decode()})
    assert answer.header("cache-control") == "no-store"
    assert answer.header("content-type") == "application/json"


@pytest.mark.parametrize(
    ("body", "producer", "status", "said"),
    [
        pytest.param(NOT_JSON, FakeProducer(), 200, "quarantined", id="no JSON"),
        pytest.param(b"", FakeProducer(), 200, "quarantined", id="empty"),
        pytest.param(rma(status=None), FakeProducer(), 200, "quarantined", id="breaks the contract"),
        pytest.param(
            SAMPLE,
            FakeProducer(judge=refusing(TOPIC, RecordRefused("record_rejected", "no"))),
            200,
            "quarantined",
            id="Kafka refuses it",
        ),
        pytest.param(
            SAMPLE,
            FakeProducer(judge=refusing(TOPIC, DeliveryFailed("no"))),
            503,
            "unavailable",
            id="main topic away",
        ),
        pytest.param(
            NOT_JSON,
            FakeProducer(judge=refusing(DEAD_LETTER_TOPIC, DeliveryFailed("no"))),
            503,
            "unavailable",
            id="dead letter topic away",
        ),
        pytest.param(SAMPLE, FakeProducer(reports="never"), 503, "unavailable", id="no report"),
    ],
)
def test_post_when(body: bytes, producer: FakeProducer, status: int, said: str) -> None:
    """200 tells of what is stored, 503 with Retry-After of everything else."""
    answer = using(lambda bridge: bridge.post(body), producer)

    assert (answer.status, answer.json()["status"]) == (status, said)
    assert (answer.header("retry-after") is not None) == (status == 503)


def test_post_ends_no_earlier_than_the_report() -> None:
    """While the report is held back not one message is sent; when it comes, the answer is."""

    async def use(bridge: Bridge) -> list[bool]:
        posting = asyncio.create_task(bridge.post())
        seen = []
        for _ in range(4):
            await asyncio.sleep(0.5)
            seen.append(posting.done())
        bridge.producer.release()
        assert (await posting).status == 200
        return seen

    assert using(use, FakeProducer(reports="held")) == [False] * 4


def test_post_when_the_report_never_comes_leaves_nothing() -> None:
    """After the 503 at the deadline no task waits any more."""

    async def use(bridge: Bridge) -> tuple[float, int]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        before = len(asyncio.all_tasks())
        assert (await bridge.post()).status == 503
        return loop.time() - started, len(asyncio.all_tasks()) - before

    seconds, left_over = using(use, FakeProducer(reports="never"))
    assert seconds == pytest.approx(9.0, abs=0.5)
    assert left_over == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/webhooks/rma", 200, id="the path"),
        pytest.param("/webhooks/rma/", 200, id="trailing slash"),
        pytest.param("/webhooks/rma?x=1", 200, id="query"),
        pytest.param("/webhooks/rma//", 404, id="two trailing slashes"),
        pytest.param("//webhooks/rma", 404, id="double slash"),
        pytest.param("/Webhooks/RMA", 404, id="upper case"),
        pytest.param("/webhooks/./rma", 404, id="dot segment"),
        pytest.param("/webhooks/rma/x", 404, id="longer"),
        pytest.param("/metrics", 404, id="the management port's path"),
        pytest.param("/", 404, id="root"),
        pytest.param("", 404, id="empty"),
    ],
)
def test_post_when_the_path_is(path: str, status: int) -> None:
    """The configured path answers with and without a trailing slash, any other is 404; nothing redirects."""
    answer = using(lambda bridge: bridge.post(path=path))

    assert answer.status == status
    assert answer.header("location") is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_request_when_the_method_is_not_post(method: str) -> None:
    """405 with Allow, whoever calls, and nothing is produced."""

    async def use(bridge: Bridge) -> tuple[Answer, int]:
        return await bridge.post(method=method, headers=[]), len(bridge.producer.stored)

    answer, stored = using(use)
    assert (answer.status, answer.header("allow"), stored) == (405, "POST", 0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param([basic()], 200, id="basic"),
        pytest.param([(b"x-api-key", API_KEY.encode())], 200, id="api key"),
        pytest.param([basic(password="wrong"), (b"x-api-key", API_KEY.encode())], 200, id="one of two right"),
        pytest.param([], 401, id="none"),
        pytest.param([basic(password="wrong")], 401, id="wrong"),
        pytest.param([basic(), basic()], 401, id="twice"),
        pytest.param([(b"authorization", b"\xe9\xff\x00")], 401, id="bytes beyond ASCII"),
        pytest.param([(b"x-api-key", b"\xe9\xff\x00")], 401, id="key beyond ASCII"),
        pytest.param([(b"authorization", b"Basic " + b"QUJD" * 2_048)], 401, id="8 kB"),
    ],
)
def test_post_when_the_credentials_are(headers: list[tuple[bytes, bytes]], status: int) -> None:
    """200 or 401, never anything else; a 401 names both methods and nothing was stored."""

    async def use(bridge: Bridge) -> tuple[Answer, int]:
        return await bridge.post(headers=headers), len(bridge.producer.stored)

    answer, stored = using(use)
    challenges = [value for name, value in answer.headers if name == "www-authenticate"]
    assert (answer.status, stored) == (status, int(status == 200))
    assert challenges == ([method.challenge for method in METHODS] if status == 401 else [])


@pytest.mark.parametrize(
    ("size", "status"),
    [
        pytest.param(MAX_BODY_BYTES - 1, 200, id="a byte less"),
        pytest.param(MAX_BODY_BYTES, 200, id="the limit"),
        pytest.param(MAX_BODY_BYTES + 1, 413, id="a byte more"),
    ],
)
@pytest.mark.parametrize("pieces", [1, 9], ids=["at once", "in pieces"])
def test_post_when_the_body_is_large(size: int, status: int, pieces: int) -> None:
    """Up to 8 MiB are stored, as dead letters in parts; beyond them the answer is 413."""
    step = -(-size // pieces)
    body = [bytes(min(step, size - start)) for start in range(0, size, step)]

    assert using(lambda bridge: bridge.post(body)).status == status


def test_post_when_the_body_is_too_large_alarms(caplog: pytest.LogCaptureFixture) -> None:
    """The only answer that loses an event is an error in the log, and counted."""

    async def use(bridge: Bridge) -> float:
        await bridge.post(bytes(MAX_BODY_BYTES + 1))
        return bridge.count("requests_refused_total", reason="body_too_large")

    assert using(use) == 1
    assert [record.levelno for record in caplog.records if "EVENT LOST" in record.message] == [logging.ERROR]


@pytest.mark.parametrize("headers", [[basic()], []], ids=["right credentials", "no credentials"])
def test_post_when_the_body_does_not_end(headers: list[tuple[bytes, bytes]]) -> None:
    """After the body's time the sender is answered, and nothing is produced."""
    stalled = receiving({"type": "http.request", "body": b"{", "more_body": True})

    async def use(bridge: Bridge) -> tuple[int, float, int]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        answer = await bridge.post(receive=stalled, headers=headers)
        return answer.status, loop.time() - started, len(bridge.producer.stored)

    status, seconds, stored = using(use)
    assert (status, stored) == (503 if headers else 401, 0)
    assert seconds == pytest.approx(BODY_SECONDS, abs=0.1)


@pytest.mark.parametrize("headers", [[basic()], []], ids=["right credentials", "no credentials"])
def test_post_when_the_sender_goes_before_the_body_ends(
    headers: list[tuple[bytes, bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is produced, it is counted, and no stack trace is logged."""
    gone = receiving({"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"})

    async def use(bridge: Bridge) -> tuple[int, float]:
        await call(bridge.door.app, headers=headers, receive=gone)
        failed = bridge.count("requests_failed_total", **{"class": "client_gone"})
        return len(bridge.producer.stored), failed + bridge.count(
            "requests_refused_total", reason="credentials_refused"
        )

    assert using(use) == (0, 1)
    assert all(record.exc_info is None for record in caplog.records)


def test_post_when_the_sender_goes_before_the_answer() -> None:
    """The event is produced once all the same, and counted as what it is: produced."""

    async def use(bridge: Bridge) -> tuple[int, float]:
        async def broken(_message: Any) -> None:
            raise OSError("the peer is gone")

        with pytest.raises(OSError, match="gone"):
            await call(bridge.door.app, SAMPLE, headers=[basic()], send=broken)
        return len(bridge.producer.records()), bridge.count("records_produced_total")

    assert using(use) == (1, 1)


def test_post_when_too_many_are_in_flight() -> None:
    """One more than the limit is answered 503 at once; when the others are done, there is room again."""

    async def use(bridge: Bridge) -> tuple[int, str, list[int], int]:
        waiting = [asyncio.create_task(bridge.post()) for _ in range(2)]
        await asyncio.sleep(0.1)
        assert bridge.in_flight == 2
        refused = await bridge.post()
        bridge.producer.release()
        answered = [(await posting).status for posting in waiting]
        bridge.producer.reports = "prompt"
        return refused.status, refused.json()["reason"], answered, (await bridge.post()).status

    answers = using(use, FakeProducer(reports="held"), max_in_flight=2)
    assert answers == (503, "overloaded", [200, 200], 200)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(ZeroDivisionError("canary"), "internal_error", id="a fault of ours"),
        pytest.param(RecursionError("canary"), "internal_error", id="recursion"),
        pytest.param(MemoryError("canary"), "internal_error", id="memory"),
        pytest.param(asyncio.CancelledError(), "draining", id="cancelled at shutdown"),
    ],
)
def test_post_when_processing_breaks(error: BaseException, reason: str) -> None:
    """503, whatever happened, and no text of the error."""

    async def broken(_request: VerifiedRequest) -> Outcome:
        raise error

    answer = run(call(processing(broken).app, SAMPLE, headers=[basic()]))
    assert answer is not None
    assert (answer.status, answer.json()["reason"]) == (503, reason)
    assert b"canary" not in answer.body


def test_post_when_credentials_cannot_be_checked_now() -> None:
    """503, not 401: the sender is not to change anything."""

    class Unsure:
        challenge = "Unsure"

        def check_headers(self, _headers: object) -> str | None:
            raise TemporarilyUnavailable("no keys", code="keys_unavailable")

    answer = run(call(webhook(_never, [Unsure()]).app, SAMPLE))
    assert answer is not None
    assert (answer.status, answer.json()["reason"]) == (503, "keys_unavailable")


async def _never(_request: VerifiedRequest) -> Outcome:
    raise AssertionError("not to be called")


def test_request_reaches_the_pipeline_as_it_came() -> None:
    """Body, headers, principal and time of receipt are those of the request."""
    seen: list[VerifiedRequest] = []

    async def process(request: VerifiedRequest) -> Outcome:
        seen.append(request)
        return Outcome("accepted", "id")

    headers = [basic(), (b"x-optiturn-id", b"Modrno"), (b"x-optiturn-api-version", b"3"), (b"content-type", b"a/b")]
    run(call(processing(process).app, [b"one", b"", b"two"], headers=headers))
    assert seen == [VerifiedRequest(b"onetwo", NOW_MS, USERNAME, "Modrno", "3", "a/b", None)]


def test_answers_are_small() -> None:
    """No answer's body is above 1 kB, whatever the sender said."""

    async def use(bridge: Bridge) -> list[int]:
        bodies = [SAMPLE, NOT_JSON, rma(status=["x" * 100_000]), b"x" * 100_000]
        return [len((await bridge.post(body)).body) for body in bodies]

    assert max(using(use)) <= 1_000
