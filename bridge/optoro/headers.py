"""Optoro's request headers, and the record headers that an event carries to its consumers."""

from datetime import date, timedelta
from functools import lru_cache
from urllib.parse import quote

from bridge.errors import ContractViolation
from bridge.records import Event, VerifiedRequest, WebhookRequest

TENANT = b"x-optiturn-id"
API_VERSION = b"x-optiturn-api-version"

_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)

_READ = (TENANT, API_VERSION, b"content-type", b"content-encoding")


def verified(request: WebhookRequest, principal: str) -> VerifiedRequest:
    """Return the request as the authenticated sender's, its headers read; the first of a repeated header counts."""
    tenant, api_version, content_type, content_encoding = _read(request.headers)
    return VerifiedRequest(
        request.body, request.received_at_ms, principal, tenant, api_version, content_type, content_encoding
    )


def _read(headers: list[tuple[bytes, bytes]]) -> list[str | None]:
    found = dict(reversed(headers))
    return [_text(value) if (value := found.get(name)) else None for name in _READ]


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def check_media_type(request: VerifiedRequest) -> None:
    """Refuse a body that does not call itself JSON in UTF-8; no Content-Type at all is taken for JSON.

    Raises ContractViolation with code `unsupported_content_type` or `unsupported_content_encoding`.
    """
    if request.content_encoding is not None and request.content_encoding.strip().lower() != "identity":
        raise ContractViolation("unsupported_content_encoding", "compressed bodies are not accepted")
    if request.content_type is not None and not _is_json(request.content_type):
        raise ContractViolation("unsupported_content_type", "the Content-Type is not JSON in UTF-8")


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    essence, *parameters = (part.strip().lower() for part in content_type.split(";"))
    kind, _, subtype = essence.partition("/")
    charsets = {
        text.strip(' "') for name, _, text in (p.partition("=") for p in parameters) if name.strip() == "charset"
    }
    return kind == "application" and (subtype == "json" or subtype.endswith("+json")) and charsets <= {"utf-8", "utf8"}


def record_headers(webhook: str, request: VerifiedRequest, event: Event) -> list[tuple[str, bytes]]:
    """Return the main record's headers: CloudEvents in binary mode (Kafka binding 1.0) and the delivery's facts."""
    return [
        ("content-type", b"application/avro"),
        ("ce_specversion", b"1.0"),
        ("ce_id", event.event_id.encode()),
        ("ce_source", _source(request.tenant)),
        ("ce_type", f"optoro.{webhook}".encode()),
        ("ce_time", rfc3339(event.occurred_at_ms).encode()),
        ("ce_subject", event.key.encode()),
        *delivery_headers(request),
    ]


def delivery_headers(request: VerifiedRequest) -> list[tuple[str, bytes]]:
    """Return what any record of this delivery, main or dead letter, says of how it came in."""
    headers = [("received-at", b"%d" % request.received_at_ms)]
    if request.tenant is not None:
        headers.append(("optoro-tenant", request.tenant.encode()))
    if request.api_version is not None:
        headers.append(("optoro-api-version", request.api_version.encode()))
    return headers


def sender_headers(request: VerifiedRequest) -> list[tuple[str, bytes]]:
    """Return what the sender said of the bytes, for a record that holds them as they came."""
    said = (("content-type", request.content_type), ("content-encoding", request.content_encoding))
    return [(name, text.encode()) for name, text in said if text is not None]


@lru_cache(maxsize=256)
def _source(tenant: str | None) -> bytes:
    return f"/optoro/{quote(tenant or '', safe='')}".encode()


def rfc3339(epoch_ms: int) -> str:
    """Return epoch milliseconds as `2018-08-30T15:39:42.025Z`."""
    days, in_day = divmod(epoch_ms, _DAY_MS)
    seconds, milliseconds = divmod(in_day, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_date(days)}T{hour:02d}:{minute:02d}:{second:02d}.{milliseconds:03d}Z"


@lru_cache(maxsize=256)
def _date(days: int) -> str:
    return (_EPOCH + timedelta(days)).isoformat()
