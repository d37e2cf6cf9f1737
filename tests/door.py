"""The public door with a worker and a fake producer behind it, called without sockets and in virtual time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from bridge.records import Outcome, VerifiedRequest
from bridge.testing import CONNECTOR, FakeProducer, Webhook, plan, webhook
from bridge.webhook.authentication import Authenticator
from bridge.webhook.authentication.api_key import ApiKeyAuthenticator
from bridge.webhook.authentication.basic import BasicAuthenticator, BasicCredential
from bridge.worker import Worker
from tests.asgi import Answer, call
from tests.samples import API_KEY, PASSWORD, SAMPLE, USERNAME, basic
from tests.virtual_time import run

T = TypeVar("T")

METHODS: list[Authenticator] = [
    BasicAuthenticator([BasicCredential(USERNAME, PASSWORD)]),
    ApiKeyAuthenticator("X-Api-Key", [API_KEY]),
]


@dataclass
class Bridge:
    """A worker with one task and its public port, over a fake producer."""

    producer: FakeProducer
    worker: Worker
    door: Webhook

    async def post(self, body: bytes | Sequence[bytes] = SAMPLE, **request: Any) -> Answer:
        request.setdefault("headers", [basic()])
        answer = await call(self.door.app, body, **request)
        assert answer is not None
        return answer

    def count(self, name: str, **labels: str) -> float:
        labels = {"connector": CONNECTOR} | labels
        return self.door.metrics.registry.get_sample_value(f"rma_bridge_{name}", labels) or 0.0

    @property
    def in_flight(self) -> float:
        return self.count("requests_in_flight")


def using(
    use: Callable[[Bridge], Awaitable[T]], producer: FakeProducer | None = None, *, max_in_flight: int = 1_000
) -> T:
    """What `use` returns, given a running bridge; nothing is in flight afterwards."""

    async def main() -> T:
        fake = producer or FakeProducer()
        async with Worker([plan(fake)], randomness=Random(1), on_unflushed=lambda _name, _count: None) as worker:
            await worker.wait_until_ready()
            door = webhook(worker.tasks[CONNECTOR].process, METHODS, max_in_flight=max_in_flight)
            bridge = Bridge(fake, worker, door)
            result = await use(bridge)
            assert bridge.in_flight == 0
            return result

    return run(main())


def processing(process: Callable[[VerifiedRequest], Awaitable[Outcome]]) -> Webhook:
    return webhook(process, METHODS)
