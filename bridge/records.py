"""The values that travel along the pipeline, in its order; each stage takes one and returns the next.

Named tuples: immutable, and the cheapest immutable value Python can make.
"""

from typing import Any, Literal, NamedTuple


class WebhookRequest(NamedTuple):
    """One request as it came in; nothing in it may be believed yet.

    `headers` are raw, names in lower case. `received_at_ms` is epoch milliseconds.
    """

    headers: list[tuple[bytes, bytes]]
    body: bytes
    received_at_ms: int


class VerifiedRequest(NamedTuple):
    """A request whose sender was authenticated: only this can be decoded.

    `tenant` and `api_version` are Optoro's headers, None where absent; `principal` names the credential, never its
    secret.
    """

    body: bytes
    received_at_ms: int
    principal: str
    tenant: str | None
    api_version: str | None
    content_type: str | None
    content_encoding: str | None


class Event(NamedTuple):
    """A decoded event: `value` has the field names of the Avro record, every type settled, times in epoch milliseconds.

    `occurred_at_ms` is the sender's own time for the event, in epoch milliseconds. `unknown_fields` are the JSON
    Pointers of what the contract does not name.
    """

    event_id: str
    key: str
    value: dict[str, Any]
    occurred_at_ms: int
    unknown_fields: tuple[str, ...] = ()


class ProducerRecord(NamedTuple):
    """What is handed to Kafka: bytes, and headers in order."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class RecordMetadata(NamedTuple):
    """Where Kafka stored a record. `offset` is None where the broker confirmed without telling it."""

    topic: str
    partition: int
    offset: int | None


class Outcome(NamedTuple):
    """How one request ended. `reason` is a stable code, None where the event is in the main topic.

    "refused" is what was no acceptable event at all, "unavailable" what the sender must send again.
    """

    status: Literal["accepted", "quarantined", "refused", "unavailable"]
    event_id: str | None = None
    reason: str | None = None
