"""The Schema Registry's REST API as this bridge uses it: one request a call, no retries; the caller backs off."""

import asyncio
import json
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import httpx2

from bridge.avro.registry_answers import (
    SCHEMA_NOT_FOUND,
    SUBJECT_LEVEL_NOT_FOUND,
    SUBJECT_NOT_FOUND,
    VERSION_NOT_FOUND,
    Answer,
    RegisteredSchema,
    compatibility_messages,
    error_for,
    field_of,
    read_answer,
    registered_schema,
    success,
)
from bridge.avro.registry_settings import RegistrySettings, tls_context
from bridge.errors import ConfigurationRefused, RegistryUnreachable

__all__ = ["RegisteredSchema", "RegistryClient", "RegistrySettings"]

_MEDIA_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_MAX_BODY_BYTES: Final = 1024 * 1024


class RegistryClient:
    """An async context manager. Every method raises the RegistryErrors of bridge.errors, and nothing else."""

    def __init__(self, settings: RegistrySettings, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        """Raises ConfigurationRefused where a URL or a TLS file cannot be used."""
        self._urls = [_base_url(url) for url in settings.urls]
        self._timeout_seconds = settings.timeout_seconds
        self._http = httpx2.AsyncClient(
            auth=_authentication(settings),
            headers={"accept": f"{_MEDIA_TYPE}, application/json", "accept-encoding": "identity"},
            verify=tls_context(settings),
            timeout=settings.timeout_seconds,
            transport=transport,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    @property
    def address(self) -> str:
        """The registry that answered last, without credentials."""
        return _shown(self._urls[0])

    async def ping(self) -> None:
        """Return when a registry answers."""
        await self._call("GET", "/schemas/types")

    async def lookup(self, subject: str, schema_text: str) -> RegisteredSchema:
        """Return the registration of the schema under `subject`; a normalised match counts where no exact one is."""
        path = f"/subjects/{_quoted(subject)}"
        answer = await self._ask("POST", path, {"schema": schema_text})
        if answer.error_code == SCHEMA_NOT_FOUND:
            answer = await self._ask("POST", f"{path}?normalize=true", {"schema": schema_text})
        return registered_schema(success(answer))

    async def register(self, subject: str, schema_text: str) -> RegisteredSchema:
        """Register the schema, or find it registered already."""
        path, body = f"/subjects/{_quoted(subject)}", {"schema": schema_text}
        answer = await self._ask("POST", f"{path}/versions", body)
        found = await self._ask("POST", path, body)
        # Apicurio answers 409 too where another worker registered the same schema at the same moment.
        if not answer.is_success and not (answer.status == HTTPStatus.CONFLICT and found.is_success):
            raise error_for(answer)
        return registered_schema(success(found))

    async def latest(self, subject: str) -> RegisteredSchema:
        return registered_schema(await self._call("GET", f"/subjects/{_quoted(subject)}/versions/latest"))

    async def schema_by_id(self, schema_id: int) -> str:
        answer = await self._call("GET", f"/schemas/ids/{schema_id}")
        return str(field_of(answer, "schema", str))

    async def check_compatibility(self, subject: str, schema_text: str) -> list[str]:
        """Return why the registry would refuse the schema; empty where it would take it, as for a new subject.

        Apicurio compares with every version even at a level that is not transitive.
        """
        path = f"/compatibility/subjects/{_quoted(subject)}/versions?verbose=true"
        answer = await self._ask("POST", path, {"schema": schema_text})
        if answer.error_code in (SUBJECT_NOT_FOUND, VERSION_NOT_FOUND):
            return []
        if field_of(success(answer), "is_compatible", bool):
            return []
        return compatibility_messages(answer.content) or [f"{answer.where} says no and gives no reason"]

    async def compatibility_level(self, subject: str) -> str:
        """Return the subject's level, the registry's global one where it has none of its own."""
        answer = await self._ask("GET", f"/config/{_quoted(subject)}")
        if answer.error_code in (SUBJECT_LEVEL_NOT_FOUND, SUBJECT_NOT_FOUND):
            answer = await self._ask("GET", "/config")
        return str(field_of(success(answer), "compatibilityLevel", str))

    async def set_compatibility_level(self, subject: str, level: str) -> None:
        await self._call("PUT", f"/config/{_quoted(subject)}", {"compatibility": level})

    async def _call(self, method: str, path: str, body: Any = None) -> Answer:
        return success(await self._ask(method, path, body))

    async def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Return the first usable answer, a refusal included, and remember who gave it."""
        failures = []
        for url in list(self._urls):
            try:
                answer = await self._send(url, method, path, body)
            except RegistryUnreachable as error:
                failures.append(str(error))
                continue
            self._urls.sort(key=lambda other: other != url)
            return answer
        raise RegistryUnreachable("; ".join(failures))

    async def _send(self, url: httpx2.URL, method: str, path: str, body: Any) -> Answer:
        where = f"{method} {_shown(url)}{path}"
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"content-type": _MEDIA_TYPE}
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._http.stream(method, f"{url}{path}", content=content, headers=headers) as response,
            ):
                return read_answer(where, response.status_code, await _bounded_body(response, where))
        except TimeoutError as exc:
            waited = f"no answer within {self._timeout_seconds:g} s"
            raise RegistryUnreachable(f"{where}: {waited}; is it overloaded, or is a firewall in the way?") from exc
        except httpx2.HTTPError as exc:
            raise RegistryUnreachable(f"{where}: {type(exc).__name__}{_detail(exc)}; {_advice(exc)}") from exc


async def _bounded_body(response: httpx2.Response, where: str) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            problem = f"answered with more than {_MAX_BODY_BYTES} bytes"
            raise RegistryUnreachable(f"{where} {problem}; is schema.registry.url a Schema Registry?")
    return bytes(body)


def _detail(error: httpx2.HTTPError) -> str:
    # Only a failed connection's text is known to hold no header.
    return f": {error}" if isinstance(error, httpx2.ConnectError) and str(error) else ""


def _advice(error: httpx2.HTTPError) -> str:
    if isinstance(error, httpx2.ConnectError) and "SSL" in str(error):
        return "check that schema.registry.url says https where TLS is spoken, and schema.registry.ssl.ca.location"
    if isinstance(error, httpx2.ConnectError):
        return "is the registry running, and is schema.registry.url right?"
    return "is schema.registry.url a Schema Registry, and http or https as it should be?"


def _quoted(subject: str) -> str:
    return quote(subject, safe="")


def _base_url(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url.rstrip("/"))
    except httpx2.InvalidURL:
        parsed = httpx2.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment:
        raise ConfigurationRefused(["schema.registry.url: not a list of http:// or https:// addresses"])
    return parsed


def _shown(url: httpx2.URL) -> str:
    return str(url.copy_with(username=None, password=None)).rstrip("/")


def _authentication(settings: RegistrySettings) -> httpx2.Auth | None:
    if settings.token is not None:
        return _Bearer(settings.token)
    if settings.user_info is not None:
        username, _, password = settings.user_info.partition(":")
        return httpx2.BasicAuth(username, password)
    return None


class _Bearer(httpx2.Auth):
    def __init__(self, token: str) -> None:
        if not (token.isascii() and token.isprintable()):
            raise ConfigurationRefused(["the bearer token of the Schema Registry is not printable ASCII"])
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx2.Request) -> Any:
        request.headers["authorization"] = self._header
        yield request
