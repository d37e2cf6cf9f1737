"""A Schema Registry in memory: the part of Confluent's REST API that our client and ordinary tools use, for Avro.

For trying and testing: it forgets everything when it ends, and knows no users, references or deletion.
"""

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.avro.compatibility import CompatibilityLevel, violations
from bridge.avro.schemas import Schema, parse_schema

MEDIA_TYPE: Final = "application/vnd.schemaregistry.v1+json"


class _Refusal(Exception):
    """An answer other than success; the HTTP status is the first three digits of the code."""

    def __init__(self, error_code: int, message: str) -> None:
        self.error_code = error_code
        super().__init__(message)


class _Store:
    """What the registry remembers: schemas by id, each subject's ids in the order of its versions, and levels."""

    def __init__(self) -> None:
        self.schemas: dict[int, Schema] = {}
        self.subjects: dict[str, list[int]] = {}
        self.global_level = CompatibilityLevel.BACKWARD
        self.levels: dict[str, CompatibilityLevel] = {}
        self._ids: dict[str, int] = {}

    def versions(self, subject: str) -> list[int]:
        if subject not in self.subjects:
            raise _Refusal(40401, f"Subject '{subject}' not found.")
        return self.subjects[subject]

    def version(self, subject: str, version: str) -> int:
        """Return the number that `version` (a number, latest or -1) means."""
        count = len(self.versions(subject))
        if version in ("latest", "-1"):
            return count
        if not version.isdecimal() or int(version) < 1:
            raise _Refusal(42202, f"The specified version '{version}' is not a valid version id.")
        if int(version) > count:
            raise _Refusal(40402, f"Version {version} not found.")
        return int(version)

    def schema(self, schema_id: int) -> Schema:
        if schema_id not in self.schemas:
            raise _Refusal(40403, f"Schema {schema_id} not found")
        return self.schemas[schema_id]

    def registered(self, subject: str, schema: Schema) -> int:
        """Return the number of the subject's version that is `schema`."""
        ids = self.versions(subject)
        schema_id = self._ids.get(_content(schema))
        if schema_id not in ids:
            raise _Refusal(40403, "Schema not found")
        return ids.index(schema_id) + 1

    def register(self, subject: str, schema: Schema) -> int:
        """Return the schema's id, which is the same under every subject."""
        content = _content(schema)
        ids = self.subjects.get(subject, [])
        if self._ids.get(content) in ids:
            return self._ids[content]
        found = self.violations(subject, schema, ids)
        if found:
            raise _Refusal(40901, f"Schema being registered is incompatible with an earlier schema: {'; '.join(found)}")
        schema_id = self._ids.setdefault(content, len(self._ids) + 1)
        self.schemas.setdefault(schema_id, schema)
        self.subjects[subject] = [*ids, schema_id]
        return schema_id

    def violations(self, subject: str, schema: Schema, ids: list[int]) -> list[str]:
        level = self.levels.get(subject, self.global_level)
        return violations(level, schema, [self.schemas[known] for known in ids])


class _Api:
    """One method for each kind of request: the request in, the JSON of a success out."""

    def __init__(self) -> None:
        self._store = _Store()

    async def root(self, _: Request) -> Any:
        return {}

    async def types(self, _: Request) -> Any:
        return ["AVRO"]

    async def subjects(self, _: Request) -> Any:
        return sorted(self._store.subjects)

    async def versions(self, request: Request) -> Any:
        return list(range(1, len(self._store.versions(request.path_params["subject"])) + 1))

    async def version(self, request: Request) -> Any:
        subject = request.path_params["subject"]
        return self._registration(subject, self._store.version(subject, request.path_params["version"]))

    async def version_schema(self, request: Request) -> Any:
        return json.loads((await self.version(request))["schema"])

    async def lookup(self, request: Request) -> Any:
        subject = request.path_params["subject"]
        self._store.versions(subject)
        return self._registration(subject, self._store.registered(subject, await _schema(request)))

    async def register(self, request: Request) -> Any:
        return {"id": self._store.register(request.path_params["subject"], await _schema(request))}

    async def by_id(self, request: Request) -> Any:
        return {"schema": self._store.schema(request.path_params["id"]).text}

    async def by_id_schema(self, request: Request) -> Any:
        return json.loads(self._store.schema(request.path_params["id"]).text)

    async def by_id_versions(self, request: Request) -> Any:
        schema_id = request.path_params["id"]
        self._store.schema(schema_id)
        return [
            {"subject": subject, "version": ids.index(schema_id) + 1}
            for subject, ids in sorted(self._store.subjects.items())
            if schema_id in ids
        ]

    async def by_id_subjects(self, request: Request) -> Any:
        return [use["subject"] for use in await self.by_id_versions(request)]

    async def check_all(self, request: Request) -> Any:
        subject = request.path_params["subject"]
        return await self._check(request, self._store.subjects.get(subject, []))

    async def check_version(self, request: Request) -> Any:
        subject = request.path_params["subject"]
        version = self._store.version(subject, request.path_params["version"])
        return await self._check(request, self._store.versions(subject)[version - 1 : version])

    async def _check(self, request: Request, ids: list[int]) -> Any:
        found = self._store.violations(request.path_params["subject"], await _schema(request), ids)
        answer: dict[str, Any] = {"is_compatible": not found}
        return answer | {"messages": found} if _asks(request, "verbose") else answer

    async def global_level(self, _: Request) -> Any:
        return {"compatibilityLevel": self._store.global_level}

    async def set_global_level(self, request: Request) -> Any:
        self._store.global_level = await _level(request)
        return {"compatibility": self._store.global_level}

    async def level(self, request: Request) -> Any:
        subject = request.path_params["subject"]
        if subject in self._store.levels:
            return {"compatibilityLevel": self._store.levels[subject]}
        if _asks(request, "defaultToGlobal"):
            return await self.global_level(request)
        raise _Refusal(40408, f"Subject '{subject}' does not have subject-level compatibility configured")

    async def set_level(self, request: Request) -> Any:
        level = self._store.levels[request.path_params["subject"]] = await _level(request)
        return {"compatibility": level}

    async def mode(self, _: Request) -> Any:
        return {"mode": "READWRITE"}

    def _registration(self, subject: str, version: int) -> dict[str, Any]:
        schema_id = self._store.versions(subject)[version - 1]
        text = self._store.schema(schema_id).text
        return {"subject": subject, "version": version, "id": schema_id, "schemaType": "AVRO", "schema": text}


_Endpoint = Callable[[Request], Awaitable[Any]]


def embedded_registry() -> Starlette:
    """Return a registry as an ASGI application: empty, its global level BACKWARD as Confluent's."""
    return Starlette(routes=_routes(_Api()), exception_handlers={HTTPException: _not_served, _Refusal: _refused})


def _routes(api: _Api) -> list[Route]:
    subject, by_id = "/subjects/{subject}", "/schemas/ids/{id:int}"
    checks = f"/compatibility{subject}/versions"
    table: list[tuple[str, dict[str, _Endpoint]]] = [
        ("/schemas/types", {"GET": api.types}),
        (by_id, {"GET": api.by_id}),
        (f"{by_id}/schema", {"GET": api.by_id_schema}),
        (f"{by_id}/versions", {"GET": api.by_id_versions}),
        (f"{by_id}/subjects", {"GET": api.by_id_subjects}),
        ("/subjects", {"GET": api.subjects}),
        (subject, {"POST": api.lookup}),
        (f"{subject}/versions", {"GET": api.versions, "POST": api.register}),
        (f"{subject}/versions/{{version}}", {"GET": api.version}),
        (f"{subject}/versions/{{version}}/schema", {"GET": api.version_schema}),
        (checks, {"POST": api.check_all}),
        (f"{checks}/{{version}}", {"POST": api.check_version}),
        ("/config", {"GET": api.global_level, "PUT": api.set_global_level}),
        ("/config/{subject}", {"GET": api.level, "PUT": api.set_level}),
        ("/mode", {"GET": api.mode}),
        ("/mode/{subject}", {"GET": api.mode}),
    ]
    routes = [Route("/", _answering({"GET": api.root}), methods=["GET"])]
    for path, endpoints in table:
        endpoint = _answering(endpoints)
        routes += [Route(form, endpoint, methods=list(endpoints)) for form in (path, f"{path}/")]
    return routes


def _answering(endpoints: dict[str, _Endpoint]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return _json(await endpoints[method](request), HTTPStatus.OK)

    return answer


async def _refused(_: Request, refusal: Exception) -> Response:
    code = refusal.error_code if isinstance(refusal, _Refusal) else 50001
    return _json({"error_code": code, "message": str(refusal)}, int(str(code)[:3]))


async def _not_served(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    return _json({"error_code": int(status), "message": f"HTTP {int(status)} {HTTPStatus(status).phrase}"}, status)


def _json(content: Any, status: int) -> Response:
    return Response(json.dumps(content), status, media_type=MEDIA_TYPE)


async def _body(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(await request.body())
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _Refusal(42201, "The request's body is not a JSON object")
    return document


async def _schema(request: Request) -> Schema:
    document = await _body(request)
    if document.get("schemaType") not in (None, "AVRO") or document.get("references"):
        raise _Refusal(42201, "This registry takes Avro schemas without references only")
    try:
        return parse_schema(document.get("schema") or "")
    except (ValueError, TypeError) as exc:
        raise _Refusal(42201, f"Invalid schema: {exc}") from exc


async def _level(request: Request) -> CompatibilityLevel:
    try:
        return CompatibilityLevel((await _body(request)).get("compatibility", ""))
    except ValueError as exc:
        levels = ", ".join(CompatibilityLevel)
        raise _Refusal(42203, f"Invalid compatibility level. Valid values are {levels}") from exc


def _asks(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() == "true"


def _content(schema: Schema) -> str:
    return json.dumps(json.loads(schema.text), sort_keys=True)
