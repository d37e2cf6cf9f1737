"""What a Schema Registry's answer means: the one table from status and error_code to our errors.

Codes are those of the Confluent REST API. Where registries differ the HTTP status decides: an incompatible schema is
409 everywhere, its error_code is 40901 or 409.
"""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from bridge.errors import RegistryError, RegistryRefused, RegistryUnreachable, SchemaIncompatible, SchemaMissing

SUBJECT_NOT_FOUND: Final = 40401
VERSION_NOT_FOUND: Final = 40402
SCHEMA_NOT_FOUND: Final = 40403
SUBJECT_LEVEL_NOT_FOUND: Final = 40408

_MAX_ID: Final = 2**31 - 1

_MISSING: Final = frozenset({SUBJECT_NOT_FOUND, VERSION_NOT_FOUND, SCHEMA_NOT_FOUND})
_CREDENTIALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class RegisteredSchema(NamedTuple):
    """A schema under its subject; `guid` is None where the registry has none."""

    subject: str
    id: int
    version: int
    schema_text: str
    guid: str | None = None


class Answer(NamedTuple):
    """A registry's answer: `content` is its JSON, None where it had none; `where` names method and URL for people."""

    where: str
    status: int
    content: Any

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def error_code(self) -> int | None:
        code = self.content.get("error_code") if isinstance(self.content, dict) else None
        return code if isinstance(code, int) else None

    @property
    def message(self) -> str:
        message = self.content.get("message") if isinstance(self.content, dict) else None
        return message if isinstance(message, str) else ""


def read_answer(where: str, status: int, body: bytes) -> Answer:
    """Return the answer. Raises RegistryUnreachable where it is not a registry's, or says to try later."""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise RegistryUnreachable(f"{where} answered {status}, a redirect: set schema.registry.url to where it leads")
    answer = Answer(where, status, _json_or_none(body))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
        raise RegistryUnreachable(f"{_said(answer)}; trying again may help")
    if answer.content is None and status not in _CREDENTIALS:
        raise RegistryUnreachable(f"{where} answered {status} without JSON; is schema.registry.url a Schema Registry?")
    return answer


def error_for(answer: Answer) -> RegistryError:
    """Return the error that an answer other than success means."""
    said = _said(answer)
    if answer.status == HTTPStatus.CONFLICT:
        return SchemaIncompatible(f"{said}; change the schema so that it keeps the subject's compatibility level")
    if answer.status == HTTPStatus.NOT_FOUND and answer.error_code in _MISSING:
        return SchemaMissing(f"{said}; register it with: rma-bridge schema register")
    if answer.status in _CREDENTIALS:
        return RegistryRefused(f"{said}; check the credentials of the Schema Registry and what they may do")
    if answer.status == HTTPStatus.NOT_FOUND:
        return RegistryRefused(f"{said}; check the path of schema.registry.url")
    return RegistryRefused(f"{said}; the request will not succeed until the schema or the registry's settings change")


def success(answer: Answer) -> Answer:
    if not answer.is_success:
        raise error_for(answer)
    return answer


def field_of(answer: Answer, name: str, kind: type) -> Any:
    value = answer.content.get(name) if isinstance(answer.content, dict) else None
    if type(value) is not kind:
        problem = f"answered {answer.status} without a usable {name!r}"
        raise RegistryUnreachable(f"{answer.where} {problem}; is schema.registry.url a Schema Registry?")
    return value


def registered_schema(answer: Answer) -> RegisteredSchema:
    schema_id = field_of(answer, "id", int)
    if not 0 <= schema_id <= _MAX_ID:
        raise RegistryUnreachable(f"{answer.where} answered with an id that is no 32-bit number")
    return RegisteredSchema(
        field_of(answer, "subject", str),
        schema_id,
        field_of(answer, "version", int),
        field_of(answer, "schema", str),
        answer.content.get("guid"),
    )


def compatibility_messages(content: dict[str, Any]) -> list[str]:
    """Confluent and Karapace list `messages`; Apicurio gives one `reason`."""
    messages = content.get("messages") or [content.get("reason")]
    return [str(message) for message in messages if message] if isinstance(messages, Sequence) else []


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _said(answer: Answer) -> str:
    code = "" if answer.error_code is None else f", error_code {answer.error_code}"
    message = f": {answer.message[:300]}" if answer.message else ""
    return f"{answer.where} answered {answer.status}{code}{message}"
