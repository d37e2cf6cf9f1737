"""Every path of an event ends in one Outcome, and success is told only of what is stored."""

import asyncio
import hashlib
import json

import pytest

from bridge.avro.converter import decode
from bridge.avro.schemas import load_schema
from bridge.errors import BridgeError, DeliveryFailed, Overloaded, RecordRefused
from bridge.kafka.producer import DELIVERY_TIMEOUT_MS
from bridge.pipeline import PRODUCE_BUDGET_SECONDS
from bridge.records import Outcome, ProducerRecord, RecordMetadata, VerifiedRequest
from bridge.testing import (
    DEAD_LETTER_TOPIC,
    NOW_MS,
    SCHEMA_ID,
    TOPIC,
    FakeProducer,
    failing_at,
    pipeline,
    refusing,
)
from tests.samples import NOT_JSON, SAMPLE, rma, verified
from tests.virtual_time import run

TOO_LARGE = RecordRefused("record_too_large", "Kafka says so")
TIMED_OUT = DeliveryFailed("no report", code="delivery_timed_out")


def process(producer: FakeProducer, request: VerifiedRequest) -> Outcome:
    return run(pipeline(producer).process(request))


def test_process_when_the_event_is_fine() -> None:
    """The event is accepted under its id, and is one record in the main topic."""
    producer = FakeProducer()

    outcome = process(producer, verified(SAMPLE))

    [record] = producer.records()
    assert outcome == Outcome("accepted", dict(record.headers)["ce_id"].decode())
    assert producer.records(DEAD_LETTER_TOPIC) == []


def test_process_writes_what_consumers_read() -> None:
    """Key, headers and value are those of the consumers' contract."""
    producer = FakeProducer()

    outcome = process(producer, verified(SAMPLE))

    [record] = producer.records()
    event_id = (outcome.event_id or "").encode()
    value = decode(record.value, {SCHEMA_ID: load_schema("returns.rma.v1-value").text}.__getitem__)
    assert record.key == b"rma1234"
    assert record.headers == [
        ("content-type", b"application/avro"),
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id),
        ("ce_source", b"/optoro/Modrno"),
        ("ce_type", b"optoro.rma"),
        ("ce_time", b"2018-08-30T15:39:42.025Z"),
        ("ce_subject", b"rma1234"),
        ("received-at", b"%d" % NOW_MS),
        ("optoro-tenant", b"Modrno"),
        ("optoro-api-version", b"3"),
    ]
    assert (value["rma_identifier"], value["created_at"]) == ("rma1234", 1_535_643_582_025)
    assert value["webhook"]["event_id"].encode() == event_id


@pytest.mark.parametrize(
    ("request_", "code", "path", "key"),
    [
        pytest.param(verified(b""), "not_json", "", None, id="empty"),
        pytest.param(verified(NOT_JSON), "not_json", "", None, id="no JSON"),
        pytest.param(verified(b"[]"), "not_an_object", "", None, id="an array"),
        pytest.param(verified(rma(status=...)), "field_missing", "/status", b"rma1234", id="field missing"),
        pytest.param(verified(rma(status=1)), "field_wrong_type", "/status", b"rma1234", id="wrong type"),
        pytest.param(verified(rma(rma_identifier="")), "field_empty", "/rma_identifier", None, id="empty key"),
        pytest.param(
            verified(SAMPLE, content_type="text/xml"), "unsupported_content_type", "", b"rma1234", id="content type"
        ),
    ],
)
def test_process_when_the_event_is_unusable(request_: VerifiedRequest, code: str, path: str, key: bytes | None) -> None:
    """It is quarantined with its reason; the dead letter has the sender's bytes, and nothing is in the main topic."""
    producer = FakeProducer()

    outcome = process(producer, request_)

    [letter] = producer.records(DEAD_LETTER_TOPIC)
    headers = dict(letter.headers)
    assert (outcome.status, outcome.reason) == ("quarantined", code)
    assert (letter.value, letter.key) == (request_.body, key or (outcome.event_id or "").encode())
    assert (headers["error-code"], headers["error-path"]) == (code.encode(), path.encode())
    assert producer.records() == []


def test_process_says_in_the_headers_why_an_event_is_a_dead_letter() -> None:
    """A dead letter's headers are the sender's, the delivery's, and Connect's error context, and no others."""
    producer = FakeProducer()

    outcome = process(producer, verified(rma(status=...)))

    [letter] = producer.records(DEAD_LETTER_TOPIC)
    assert letter.headers == [
        ("content-type", b"application/json"),
        ("received-at", b"%d" % NOW_MS),
        ("optoro-tenant", b"Modrno"),
        ("optoro-api-version", b"3"),
        ("ce_id", (outcome.event_id or "").encode()),
        ("error-code", b"field_missing"),
        ("error-path", b"/status"),
        ("__connect.errors.topic", b"returns.rma.v1"),
        ("__connect.errors.connector.name", b"rma-source"),
        ("__connect.errors.task.id", b"0"),
        ("__connect.errors.stage", b"TASK_POLL"),
        ("__connect.errors.class.name", b"bridge.errors"),
        ("__connect.errors.exception.class.name", b"bridge.errors.ContractViolation"),
        ("__connect.errors.exception.message", b"Field required"),
    ]


def test_process_when_kafka_refuses_the_record() -> None:
    """A record that Kafka will never take is quarantined with the stage of producing."""
    producer = FakeProducer(judge=refusing(TOPIC, TOO_LARGE))

    outcome = process(producer, verified(SAMPLE))

    [letter] = producer.records(DEAD_LETTER_TOPIC)
    assert (outcome.status, outcome.reason) == ("quarantined", "record_too_large")
    assert dict(letter.headers)["__connect.errors.stage"] == b"KAFKA_PRODUCE"
    assert letter.value == SAMPLE


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(TIMED_OUT, id="timed out"),
        pytest.param(DeliveryFailed("no", code="not_authorized"), id="not authorized"),
        pytest.param(Overloaded("full", code="queue_full"), id="queue full"),
    ],
)
def test_process_when_the_main_topic_is_unavailable(error: BridgeError) -> None:
    """The sender must send again, and no dead letter is written for a fault that is not the event's."""
    producer = FakeProducer(judge=refusing(TOPIC, error))

    assert process(producer, verified(SAMPLE)) == Outcome("unavailable", reason=error.code)
    assert producer.stored == []


def test_process_when_only_the_main_topic_is_unavailable() -> None:
    """An unusable event is quarantined all the same."""
    producer = FakeProducer(judge=refusing(TOPIC, TIMED_OUT))

    assert process(producer, verified(NOT_JSON)).status == "quarantined"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(TIMED_OUT, "delivery_timed_out", id="unavailable"),
        pytest.param(TOO_LARGE, "dead_letter_refused", id="refused"),
    ],
)
def test_process_when_the_dead_letter_cannot_be_written(error: BridgeError, reason: str) -> None:
    """The sender must send again, whatever the reason."""
    producer = FakeProducer(judge=refusing(DEAD_LETTER_TOPIC, error))

    assert process(producer, verified(NOT_JSON)) == Outcome("unavailable", reason=reason)


@pytest.mark.parametrize("body", [SAMPLE, NOT_JSON], ids=["main", "dead letter"])
def test_process_ends_when_the_report_is_there_and_not_before(body: bytes) -> None:
    """While the delivery report is held back nothing is decided; once it arrives, the outcome is success."""

    async def held() -> tuple[bool, Outcome]:
        producer = FakeProducer(reports="held")
        processing = asyncio.create_task(pipeline(producer).process(verified(body)))
        await asyncio.sleep(2)
        early = processing.done()
        assert producer.unreported == 1
        producer.release()
        return early, await processing

    early, outcome = run(held())
    assert not early
    assert outcome.status in {"accepted", "quarantined"}


@pytest.mark.parametrize("body", [SAMPLE, NOT_JSON], ids=["main", "dead letter"])
def test_process_when_the_report_never_comes(body: bytes) -> None:
    """The outcome is unavailable when the budget is used up, and nobody goes on waiting."""

    async def silent() -> tuple[float, Outcome, int]:
        producer = FakeProducer(reports="never")
        loop = asyncio.get_running_loop()
        started = loop.time()
        outcome = await pipeline(producer).process(verified(body))
        return loop.time() - started, outcome, producer.unreported + len(asyncio.all_tasks()) - 1

    seconds, outcome, left_over = run(silent())
    assert outcome == Outcome("unavailable", reason="delivery_timed_out")
    assert seconds == pytest.approx(PRODUCE_BUDGET_SECONDS, abs=0.01)
    assert left_over == 0


def test_process_has_one_budget_for_both_writes() -> None:
    """The dead letter of an event that Kafka refused has the deadline of the first write, not a new one."""

    async def slow_refusal() -> tuple[FakeProducer, Outcome]:
        producer = SlowlyRefusing()
        return producer, await pipeline(producer).process(verified(SAMPLE))

    producer, outcome = run(slow_refusal())
    first, second = producer.deadlines
    assert first == second
    assert outcome.status == "quarantined"


class SlowlyRefusing(FakeProducer):
    async def send(self, record: ProducerRecord, deadline: float) -> RecordMetadata:
        if record.topic == TOPIC:
            self.deadlines.append(deadline)
            await asyncio.sleep(3)
            raise TOO_LARGE
        return await super().send(record, deadline)


def test_budget_outlasts_the_clients_own_time() -> None:
    """The client gives up before the pipeline does, so a report says what happened."""
    assert DELIVERY_TIMEOUT_MS / 1000 < PRODUCE_BUDGET_SECONDS < 15


@pytest.mark.parametrize("size", [786_433, 3_000_000, 8 * 1024 * 1024], ids=["two parts", "four parts", "the most"])
@pytest.mark.parametrize("is_json", [True, False], ids=["JSON", "no JSON"])
def test_process_when_the_body_needs_several_records(size: int, is_json: bool) -> None:
    """All parts are stored under one key; put together by number they are the body, and the digests say so."""
    body = b'{"rma_identifier":"rma1","x":"' + bytes(size - 32).replace(b"\0", b"a") + b'"}'
    body = body if is_json else body[:-1] + b"?"
    producer = FakeProducer()

    outcome = process(producer, verified(body))

    letters = [(dict(record.headers), record) for record in producer.records(DEAD_LETTER_TOPIC)]
    letters.sort(key=lambda letter: int(letter[0]["part-number"]))
    assert outcome.status == "quarantined"
    assert b"".join(record.value for _, record in letters) == body
    assert [int(headers["part-number"]) for headers, _ in letters] == list(range(1, len(letters) + 1))
    assert {headers["part-count"] for headers, _ in letters} == {b"%d" % len(letters)}
    assert {headers["part-id"] for headers, _ in letters} == {hashlib.sha256(body).hexdigest()[:32].encode()}
    assert all(headers["part-sha256"] == hashlib.sha256(r.value).hexdigest().encode() for headers, r in letters)
    assert {record.key for _, record in letters} == {b"rma1" if is_json else (outcome.event_id or "").encode()}


def test_process_when_one_part_fails() -> None:
    """Success is told only when all parts are stored."""
    producer = FakeProducer(judge=failing_at(2, TIMED_OUT))

    assert process(producer, verified(bytes(3_000_000))) == Outcome("unavailable", reason="delivery_timed_out")


def test_process_when_a_valid_event_does_not_fit_a_record() -> None:
    """It goes to the dead letters in parts, all of it."""
    body = rma(vendor="v" * 1_000_000)
    producer = FakeProducer()

    outcome = process(producer, verified(body))

    assert (outcome.status, outcome.reason) == ("quarantined", "record_too_large")
    assert b"".join(record.value for record in producer.records(DEAD_LETTER_TOPIC)) == body


@pytest.mark.parametrize("key", ["k" * 40_000, "k" * 600_000], ids=["40 kB", "600 kB"])
def test_process_when_the_key_is_absurd(key: str) -> None:
    """A dead letter whose key would fill the record is keyed by its event id."""
    producer = FakeProducer(judge=refusing(TOPIC, TOO_LARGE))

    outcome = process(producer, verified(rma(rma_identifier=key)))

    assert {record.key for record in producer.records(DEAD_LETTER_TOPIC)} == {(outcome.event_id or "").encode()}


def test_process_when_the_same_body_comes_ten_times_at_once() -> None:
    """Nothing is dropped: ten records, all under one event id."""

    async def ten() -> list[Outcome]:
        process = pipeline(producer).process
        return await asyncio.gather(*(process(verified(SAMPLE)) for _ in range(10)))

    producer = FakeProducer()
    outcomes = run(ten())
    assert len(set(outcomes)) == 1
    assert len(producer.records()) == 10
    assert {dict(record.headers)["ce_id"].decode() for record in producer.records()} == {outcomes[0].event_id}


def test_process_when_events_come_out_of_order() -> None:
    """An older event after a newer one is stored all the same, with its own time."""
    producer = FakeProducer()
    for second in (2, 1):
        process(producer, verified(rma(updated_at=f"2026-01-01T00:00:0{second}.000Z")))

    times = [dict(record.headers)["ce_time"] for record in producer.records()]
    assert times == [b"2026-01-01T00:00:02.000Z", b"2026-01-01T00:00:01.000Z"]


def test_outcome_holds_nothing_of_the_event() -> None:
    """What goes into answers, metrics and logs has an id and a code, no text of the sender's."""
    outcome = process(FakeProducer(), verified(rma(status=["canary"])))

    assert "canary" not in json.dumps(outcome)
