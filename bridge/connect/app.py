"""The ASGI application of the management port: Connect's read-only REST resources, health and metrics.

Health questions are asked apart. Liveness depends on nothing outside the process; readiness is false until the worker
has been warmed up once, and afterwards only while it drains.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bridge import __version__
from bridge.connect.access import guarded
from bridge.connect.answers import on_http_exception, on_unexpected
from bridge.telemetry.metrics import CONTENT_TYPE, Metrics
from bridge.webhook.authentication import Authenticator
from bridge.worker import Task, Worker

CONNECT_VERSION = "4.1.1"  # tools read this to decide which of Connect's endpoints they may call


@dataclass(frozen=True)
class Management:
    """What the management port shows. `configs` holds each connector's own configuration, references unresolved."""

    worker: Worker
    configs: Mapping[str, Mapping[str, str]]
    metrics: Metrics
    worker_id: Callable[[], str]
    authenticator: Authenticator | None


def management_app(management: Management) -> ASGIApp:
    """Return the application; every path answers with and without a trailing slash."""
    resources = _Resources(management)
    paths = {
        "/": resources.root,
        "/health": resources.health,
        "/livez": resources.livez,
        "/readyz": resources.readyz,
        "/metrics": resources.metrics,
        "/connectors": resources.connectors,
        "/connectors/{connector}": resources.connector,
        "/connectors/{connector}/config": resources.config,
        "/connectors/{connector}/status": resources.status,
        "/connectors/{connector}/tasks": resources.tasks,
        "/connectors/{connector}/tasks/{task:int}/status": resources.task_status,
    }
    spellings = {spelling: handler for path, handler in paths.items() for spelling in {path, f"{path.rstrip('/')}/"}}
    app = Starlette(
        routes=[Route(path, handler, methods=["GET"]) for path, handler in spellings.items()],
        exception_handlers={HTTPException: on_http_exception, Exception: on_unexpected},
    )
    app.router.redirect_slashes = False
    return guarded(app, management.authenticator)


class _Resources:
    """The handlers, one for each path."""

    def __init__(self, management: Management) -> None:
        self._worker = management.worker
        self._configs = management.configs
        self._metrics = management.metrics
        self._worker_id = management.worker_id

    async def root(self, _request: Request) -> Response:
        return JSONResponse({"version": CONNECT_VERSION, "commit": f"rma-bridge {__version__}", "kafka_cluster_id": ""})

    async def health(self, _request: Request) -> Response:
        if self._worker.ready:
            return JSONResponse({"status": "healthy", "message": "Worker has completed startup and is ready."})
        return JSONResponse({"status": "starting", "message": self._why_not_ready()}, 503)

    async def livez(self, _request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(self, _request: Request) -> Response:
        if self._worker.ready:
            return JSONResponse({"status": "ready", **self._kafka_trouble()})
        reasons = {name: task.reasons for name, task in self._worker.tasks.items() if task.reasons}
        return JSONResponse(
            {"status": "not ready", "message": self._why_not_ready(), "reasons": reasons, **self._kafka_trouble()}, 503
        )

    async def metrics(self, _request: Request) -> Response:
        for name, task in self._worker.tasks.items():
            self._metrics.task_running.labels(name).set(task.state == "RUNNING")
            self._metrics.circuits_open.labels(name).set(len(task.open_circuits))
        return Response(self._metrics.exposition(), media_type=CONTENT_TYPE)

    async def connectors(self, request: Request) -> Response:
        expansions = {part for value in request.query_params.getlist("expand") for part in value.split(",")}
        shown = {"status": self._status, "info": self._info}
        wanted = {name: show for name, show in shown.items() if name in expansions}
        if not wanted:
            return JSONResponse(list(self._configs))
        return JSONResponse({c: {name: show(c) for name, show in wanted.items()} for c in self._configs})

    async def connector(self, request: Request) -> Response:
        return JSONResponse(self._info(self._known(request)))

    async def config(self, request: Request) -> Response:
        return JSONResponse(dict(self._configs[self._known(request)]))

    async def status(self, request: Request) -> Response:
        return JSONResponse(self._status(self._known(request)))

    async def tasks(self, request: Request) -> Response:
        name = self._known(request)
        return JSONResponse([{"id": {"connector": name, "task": 0}, "config": dict(self._configs[name])}])

    async def task_status(self, request: Request) -> Response:
        name, number = self._known(request), request.path_params["task"]
        if number != 0:
            raise HTTPException(404, f"No status found for task {name}-{number}")
        return JSONResponse(self._task(self._worker.tasks[name]))

    def _known(self, request: Request) -> str:
        name: str = request.path_params["connector"]
        if name not in self._configs:
            raise HTTPException(404, f"Connector {name} not found")
        return name

    def _info(self, name: str) -> dict[str, object]:
        tasks = [{"connector": name, "task": 0}]
        return {"name": name, "config": dict(self._configs[name]), "tasks": tasks, "type": "source"}

    def _status(self, name: str) -> dict[str, object]:
        task = self._task(self._worker.tasks[name])
        connector = {key: value for key, value in task.items() if key != "id"}
        return {"name": name, "connector": connector, "tasks": [task], "type": "source"}

    def _task(self, task: Task) -> dict[str, object]:
        shown: dict[str, object] = {
            "id": 0,
            "state": task.state.value,
            "worker_id": self._worker_id(),
            "version": __version__,
        }
        trace = task.trace or "\n".join(task.reasons)
        return {**shown, "trace": trace} if trace else shown

    def _kafka_trouble(self) -> dict[str, object]:
        circuits = self._worker.open_circuits
        return {"open_circuits": circuits} if circuits else {}

    def _why_not_ready(self) -> str:
        if self._worker.draining:
            return "Worker is stopping."
        reasons = [f"{name}: {reason}" for name, task in self._worker.tasks.items() for reason in task.reasons]
        reasons += [f"{name}: nothing gets into {', '.join(c)}" for name, c in self._worker.open_circuits.items()]
        return "; ".join(reasons) or "Worker is still starting up."
