"""The public door over real sockets: what a sender really hears."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from bridge.testing import CONNECTOR, FakeProducer, Webhook, pipeline, webhook
from bridge.webhook.authentication.basic import BasicAuthenticator, BasicCredential
from tests.asgi import Answer
from tests.samples import NOT_JSON, PASSWORD, SAMPLE, USERNAME, basic
from tests.sockets import Connection, chunked, connected, head, served

T = TypeVar("T")

MIB = 1024 * 1024


@pytest.fixture
def producer() -> FakeProducer:
    return FakeProducer()


@pytest.fixture
def door(producer: FakeProducer) -> Iterator[Webhook]:
    methods = [BasicAuthenticator([BasicCredential(USERNAME, PASSWORD)])]
    door = webhook(pipeline(producer).process, [*methods])
    yield door
    assert in_flight(door) == 0, "something is still in flight"


def in_flight(door: Webhook) -> float | None:
    return door.metrics.registry.get_sample_value("rma_bridge_requests_in_flight", {"connector": CONNECTOR})


def over(door: Webhook, use: Callable[[Connection], Awaitable[T]]) -> T:
    async def main() -> T:
        async with served(door.app) as port, connected(port) as connection:
            return await asyncio.wait_for(use(connection), 20)

    return asyncio.run(main())


async def post(connection: Connection, body: bytes = SAMPLE, *, path: str = "/webhooks/rma") -> Answer:
    await connection.send(head([basic()], length=len(body), path=path) + body)
    return await connection.answer()


def test_post_when_the_connection_is_kept(door: Webhook, producer: FakeProducer) -> None:
    """One connection serves one event after the other, and nothing tells what serves them."""

    async def use(connection: Connection) -> list[Answer]:
        return [await post(connection), await post(connection, NOT_JSON), await post(connection)]

    answers = over(door, use)
    assert [answer.json()["status"] for answer in answers] == ["accepted", "quarantined", "accepted"]
    assert len(producer.stored) == 3
    for answer in answers:
        assert answer.header("server") is None
        assert answer.header("content-type") == "application/json"
        assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/webhooks/rma/", 200, id="trailing slash"),
        pytest.param("/webhooks/%72ma", 200, id="percent-encoded letter"),
        pytest.param("/webhooks/rma?a=b", 200, id="query"),
        pytest.param("/webhooks%2Frma", 200, id="percent-encoded slash"),
        pytest.param("//webhooks/rma", 404, id="double slash"),
        pytest.param("/%ff", 404, id="no UTF-8"),
    ],
)
def test_post_when_the_path_is(door: Webhook, path: str, status: int) -> None:
    """The path means what it means after percent-decoding; nothing redirects."""
    answer = over(door, lambda connection: post(connection, path=path))

    assert (answer.status, answer.header("location")) == (status, None)


@pytest.mark.parametrize(("method", "has_body"), [("GET", True), ("HEAD", False), ("DELETE", True), ("OPTIONS", True)])
def test_request_when_the_method_is_not_post(door: Webhook, method: str, has_body: bool) -> None:
    """405 with Allow, and the connection goes on."""

    async def use(connection: Connection) -> tuple[Answer, Answer]:
        await connection.send(head([basic()], method=method))
        return await connection.answer(has_body=has_body), await post(connection)

    refused, accepted = over(door, use)
    assert (refused.status, refused.header("allow"), accepted.status) == (405, "POST", 200)


@pytest.mark.parametrize("length", [4 * MIB, None], ids=["Content-Length", "chunked"])
def test_post_when_the_credentials_are_wrong_for_a_large_body(door: Webhook, length: int | None) -> None:
    """The sender of 4 MiB hears the 401, not a reset, and the same connection takes the right credentials then."""
    body = bytes(4 * MIB)

    async def use(connection: Connection) -> tuple[Answer, Answer]:
        wrong = head([basic(password="wrong")], length=length)
        await connection.send(wrong, body if length else chunked([body]))
        return await connection.answer(), await post(connection)

    refused, accepted = over(door, use)
    assert (refused.status, accepted.status) == (401, 200)
    assert refused.header("www-authenticate") == 'Basic realm="rma-bridge", charset="UTF-8"'


@pytest.mark.parametrize("length", [12 * MIB, None], ids=["Content-Length", "chunked"])
def test_post_when_the_body_is_above_the_limit(door: Webhook, length: int | None, producer: FakeProducer) -> None:
    """The sender of 12 MiB hears the 413, not a reset, and nothing is stored."""
    body = bytes(12 * MIB)

    async def use(connection: Connection) -> tuple[Answer, bytes]:
        await connection.send(head([basic()], length=length), body if length else chunked([body]))
        return await connection.answer(), await connection.reader.read()

    answer, rest = over(door, use)
    assert (answer.status, rest, producer.stored) == (413, b"", [])


def test_post_when_chunks_are_single_bytes(door: Webhook, producer: FakeProducer) -> None:
    """100 kB in chunks of one byte are one event with every byte."""
    body = NOT_JSON * 100_000

    async def use(connection: Connection) -> Answer:
        await connection.send(head([basic()], length=None), chunked(body[n : n + 1] for n in range(len(body))))
        return await connection.answer()

    assert over(door, use).status == 200
    assert producer.records("returns.rma.v1.dlq")[0].value == body


def test_post_when_the_sender_asks_before_it_sends(door: Webhook) -> None:
    """Expect: 100-continue is answered 100, then 200."""

    async def use(connection: Connection) -> list[int]:
        await connection.send(head([basic(), (b"expect", b"100-continue")], length=len(SAMPLE)))
        first = await connection.answer(has_body=False)
        await connection.send(SAMPLE)
        return [first.status, (await connection.answer()).status]

    assert over(door, use) == [100, 200]


@pytest.mark.parametrize("sent", [b"", SAMPLE[:50]], ids=["nothing", "half"])
def test_post_when_the_body_is_cut_off(
    door: Webhook, producer: FakeProducer, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is produced of a body that did not come whole, and nothing is logged as a fault of ours."""

    async def use(connection: Connection) -> None:
        await connection.send(head([basic()], length=len(SAMPLE)) + sent)
        await until(lambda: in_flight(door) == 1)
        await connection.close()
        await until(lambda: in_flight(door) == 0)

    over(door, use)
    assert producer.stored == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_post_when_the_sender_goes_before_the_answer(door: Webhook, producer: FakeProducer) -> None:
    """A whole event whose sender is gone is stored once all the same."""
    producer.reports = "held"

    async def use(connection: Connection) -> None:
        await connection.send(head([basic()], length=len(SAMPLE)) + SAMPLE)
        await until(lambda: producer.unreported == 1)
        await connection.close()
        producer.release()
        await until(lambda: in_flight(door) == 0)

    over(door, use)
    assert len(producer.records()) == 1


def test_post_sends_no_byte_before_the_report(door: Webhook, producer: FakeProducer) -> None:
    """While the report is held back, nothing at all can be read from the connection."""
    producer.reports = "held"

    async def use(connection: Connection) -> int:
        await connection.send(head([basic()], length=len(SAMPLE)) + SAMPLE)
        await until(lambda: producer.unreported == 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.reader.read(1), 0.3)
        producer.release()
        return (await connection.answer()).status

    assert over(door, use) == 200


def test_post_when_two_come_at_once_on_one_connection(door: Webhook, producer: FakeProducer) -> None:
    """Pipelined requests are answered in their order."""

    async def use(connection: Connection) -> list[str]:
        one = head([basic()], length=len(SAMPLE)) + SAMPLE
        two = head([basic()], length=len(NOT_JSON)) + NOT_JSON
        await connection.send(one + two)
        return [(await connection.answer()).json()["status"] for _ in range(2)]

    assert over(door, use) == ["accepted", "quarantined"]
    assert len(producer.stored) == 2


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110, the condition is on the other side of a socket
            await asyncio.sleep(0.005)
