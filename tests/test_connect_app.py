"""The management port: Connect's resources, health that tells its parts apart, metrics, and who may ask."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from bridge import __version__
from bridge.connect.app import Management, management_app
from bridge.errors import NotReady
from bridge.telemetry.metrics import ConnectorMetrics, Metrics
from bridge.testing import CONNECTOR, FakeProducer, plan
from bridge.webhook.authentication.basic import BasicAuthenticator, BasicCredential
from bridge.worker import Plan, Worker
from tests.asgi import Answer, call
from tests.samples import PASSWORD, USERNAME, basic
from tests.virtual_time import run

CONFIG = {"name": CONNECTOR, "connector.class": "OptoroRmaSource", "webhook.auth.basic.password": "${env:PASSWORD}"}
OPEN = ["/health", "/livez", "/readyz", "/metrics"]
GUARDED = [
    "/",
    "/connectors",
    f"/connectors/{CONNECTOR}",
    f"/connectors/{CONNECTOR}/config",
    f"/connectors/{CONNECTOR}/status",
    f"/connectors/{CONNECTOR}/tasks",
    f"/connectors/{CONNECTOR}/tasks/0/status",
]

Get = Callable[..., Awaitable[Answer]]


async def broken() -> None:
    raise ZeroDivisionError("broken")


async def missing() -> None:
    raise NotReady("missing in Kafka: returns.rma.v1", code="topic_missing")


def asking(
    ask: Callable[[Get, Worker], Awaitable[Any]],
    *,
    prepare_topics: Callable[[], Awaitable[None]] | None = None,
    authenticator: BasicAuthenticator | None = None,
    metrics: Metrics | None = None,
) -> Any:
    """What `ask` returns, given a way to GET paths of the management port of a worker some seconds old."""

    async def main() -> Any:
        async with Worker([_plan(prepare_topics)], randomness=Random(1), on_unflushed=lambda _n, _c: None) as worker:
            await asyncio.sleep(5)
            management = Management(
                worker=worker,
                configs={CONNECTOR: CONFIG},
                metrics=metrics or Metrics(),
                worker_id=lambda: "127.0.0.1:8083",
                authenticator=authenticator,
            )
            app = management_app(management)

            async def get(path: str, **request: Any) -> Answer:
                answer = await call(app, path=path, **({"method": "GET"} | request))
                assert answer is not None
                return answer

            return await ask(get, worker)

    return run(main())


def _plan(prepare_topics: Callable[[], Awaitable[None]] | None) -> Plan:
    whole = plan(FakeProducer())
    return replace(whole, prepare_topics=prepare_topics) if prepare_topics else whole


def get(path: str, **more: Any) -> Answer:
    answer: Answer = asking(lambda get, _worker: get(path), **more)
    return answer


RUNNING = {"state": "RUNNING", "worker_id": "127.0.0.1:8083", "version": __version__}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(
            "/", {"version": "4.1.1", "commit": f"rma-bridge {__version__}", "kafka_cluster_id": ""}, id="root"
        ),
        pytest.param(
            "/health", {"status": "healthy", "message": "Worker has completed startup and is ready."}, id="health"
        ),
        pytest.param("/livez", {"status": "alive"}, id="livez"),
        pytest.param("/readyz", {"status": "ready"}, id="readyz"),
        pytest.param("/connectors", [CONNECTOR], id="connectors"),
        pytest.param(
            f"/connectors/{CONNECTOR}",
            {
                "name": CONNECTOR,
                "config": CONFIG,
                "tasks": [{"connector": CONNECTOR, "task": 0}],
                "type": "source",
            },
            id="connector",
        ),
        pytest.param(f"/connectors/{CONNECTOR}/config", CONFIG, id="config"),
        pytest.param(
            f"/connectors/{CONNECTOR}/status",
            {"name": CONNECTOR, "connector": RUNNING, "tasks": [{"id": 0, **RUNNING}], "type": "source"},
            id="status",
        ),
        pytest.param(
            f"/connectors/{CONNECTOR}/tasks",
            [{"id": {"connector": CONNECTOR, "task": 0}, "config": CONFIG}],
            id="tasks",
        ),
        pytest.param(f"/connectors/{CONNECTOR}/tasks/0/status", {"id": 0, **RUNNING}, id="task status"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"], ids=["bare", "slash"])
def test_get_when_the_worker_runs(path: str, body: Any, slash: str) -> None:
    """Each resource has Connect's shape, with and without a trailing slash, and nothing redirects."""
    answer = get(path if path == "/" else path + slash)

    assert (answer.status, answer.json()) == (200, body)


@pytest.mark.parametrize(
    ("query", "parts"),
    [("expand=status", {"status"}), ("expand=info", {"info"}), ("expand=status&expand=info", {"status", "info"})],
)
def test_connectors_when_expanded(query: str, parts: set[str]) -> None:
    """Each connector comes with the parts that were asked for."""
    body = get(f"/connectors?{query}").json()

    assert set(body[CONNECTOR]) == parts


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("/connectors/other", "Connector other not found", id="connector"),
        pytest.param("/connectors/other/config", "Connector other not found", id="config"),
        pytest.param("/connectors/other/status", "Connector other not found", id="status"),
        pytest.param(f"/connectors/{CONNECTOR}/tasks/1/status", f"No status found for task {CONNECTOR}-1", id="task"),
        pytest.param("/nothing", "HTTP 404 Not Found", id="path"),
        pytest.param("/connectors//config", "HTTP 404 Not Found", id="empty name"),
        pytest.param("/webhooks/rma", "HTTP 404 Not Found", id="the public port's path"),
    ],
)
def test_get_when_there_is_no_such_thing(path: str, message: str) -> None:
    """404 in Connect's shape."""
    answer = get(path)

    assert (answer.status, answer.json()) == (404, {"error_code": 404, "message": message})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_request_when_it_would_change_something(method: str) -> None:
    """The port answers GET only, for now: 405 in Connect's shape, with Allow."""
    answer = asking(lambda get, _worker: get("/connectors", method=method))

    assert (answer.status, answer.json()["error_code"]) == (405, 405)
    assert "GET" in answer.header("allow")


def test_health_when_the_worker_waits() -> None:
    """Alive, not ready, and both say what for; the status has it as the task's trace."""

    async def ask(get: Get, _worker: Worker) -> list[Answer]:
        return [await get(path) for path in ("/livez", "/readyz", "/health", f"/connectors/{CONNECTOR}/status")]

    live, ready, health, status = asking(ask, prepare_topics=missing)
    reason = "topic_missing: missing in Kafka: returns.rma.v1"
    assert (live.status, ready.status, health.status, status.status) == (200, 503, 503, 200)
    assert ready.json()["reasons"] == {CONNECTOR: [reason]}
    assert health.json() == {"status": "starting", "message": f"{CONNECTOR}: {reason}"}
    assert (status.json()["tasks"][0]["state"], status.json()["tasks"][0]["trace"]) == ("UNASSIGNED", reason)


def test_health_when_the_worker_drains() -> None:
    """Alive, and not ready from that moment on."""

    async def ask(get: Get, worker: Worker) -> list[int]:
        before = (await get("/readyz")).status
        worker.drain()
        return [before, (await get("/readyz")).status, (await get("/livez")).status]

    assert asking(ask) == [200, 503, 200]


def test_status_when_the_task_failed() -> None:
    """FAILED, with the trace; alive all the same."""

    async def ask(get: Get, _worker: Worker) -> tuple[Any, int, int]:
        status = (await get(f"/connectors/{CONNECTOR}/status")).json()
        return status, (await get("/readyz")).status, (await get("/livez")).status

    status, ready, live = asking(ask, prepare_topics=broken)
    assert (status["connector"]["state"], status["tasks"][0]["state"], ready, live) == ("FAILED", "FAILED", 503, 200)
    assert "ZeroDivisionError" in status["tasks"][0]["trace"]


def test_metrics_are_prometheus_text() -> None:
    """The page has the version, whether the task runs, and the connector's counters once there was a request."""
    metrics = Metrics()
    ConnectorMetrics(metrics, CONNECTOR).received()

    answer = get("/metrics", metrics=metrics)
    assert answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.body.decode().splitlines()
    assert f'rma_bridge_info{{version="{__version__}"}} 1.0' in lines
    assert f'rma_bridge_task_running{{connector="{CONNECTOR}"}} 1.0' in lines
    assert f'rma_bridge_requests_received_total{{connector="{CONNECTOR}"}} 1.0' in lines


REST = BasicAuthenticator([BasicCredential(USERNAME, PASSWORD)])


@pytest.mark.parametrize("path", [*GUARDED, "/nothing", "/connectors/", "//metrics"])
def test_get_when_credentials_are_needed(path: str) -> None:
    """Without them 401 in Connect's shape, whether the path is there or not; with them as without a guard."""

    async def ask(get: Get, _worker: Worker) -> list[Answer]:
        wrong = [basic(password="wrong")]
        return [await get(path), await get(path, headers=wrong), await get(path, headers=[basic()])]

    without, wrong, right = asking(ask, authenticator=REST)
    for refused in (without, wrong):
        assert (refused.status, refused.json()) == (401, {"error_code": 401, "message": "Unauthorized"})
        assert refused.header("www-authenticate") == REST.challenge
    assert right.status == (200 if path in [*GUARDED, "/connectors/"] else 404)


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("slash", ["", "/"], ids=["bare", "slash"])
def test_probes_need_no_credentials(path: str, slash: str) -> None:
    """Health and metrics answer whoever asks."""
    assert get(path + slash, authenticator=REST).status == 200


def test_get_when_a_handler_breaks() -> None:
    """500 in Connect's shape, without the error's text."""

    class BrokenMetrics(Metrics):
        def exposition(self) -> bytes:
            raise ZeroDivisionError("canary")

    async def ask(get: Get, _worker: Worker) -> None:
        with pytest.raises(ZeroDivisionError):  # for the server's log, after the answer
            await get("/metrics", send=sent_to)

    sent: list[Any] = []

    async def sent_to(message: Any) -> None:
        sent.append(message)

    asking(ask, metrics=BrokenMetrics())
    start, body = sent
    assert (start["status"], body["body"]) == (500, b'{"error_code":500,"message":"Internal Server Error"}')


def test_readyz_when_nothing_gets_into_kafka() -> None:
    """The worker stays ready, and the body and a metric say which topics are shut."""
    metrics = Metrics()

    async def ask(get: Get, worker: Worker) -> tuple[Answer, Answer]:
        producer = worker.producers[CONNECTOR]
        assert isinstance(producer, FakeProducer)
        producer.open_circuits.append("returns.rma.v1")
        return await get("/readyz"), await get("/metrics")

    ready, exposition = asking(ask, metrics=metrics)
    assert ready.status == 200
    assert ready.json() == {"status": "ready", "open_circuits": {CONNECTOR: ["returns.rma.v1"]}}
    assert f'rma_bridge_circuits_open{{connector="{CONNECTOR}"}} 1.0' in exposition.body.decode()


@pytest.mark.parametrize("follows", [True, False], ids=["follows", "does not follow"])
def test_worker_when_readiness_follows_kafka(follows: bool) -> None:
    """With readiness.follows.kafka the worker says not ready while nothing gets into a topic."""

    async def main() -> tuple[bool, bool]:
        producer = FakeProducer()
        worker = Worker(
            [plan(producer)],
            randomness=Random(1),
            on_unflushed=lambda _n, _c: None,
            readiness_follows_kafka=follows,
        )
        async with worker:
            await worker.wait_until_ready()
            before = worker.ready
            producer.open_circuits.append("returns.rma.v1")
            return before, worker.ready

    assert run(main()) == (True, not follows)
