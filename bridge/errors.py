"""Every error the bridge raises, drawn by what can be done about it.

BridgeError
├── ConfigurationRefused        at start: the operator must change the configuration
├── CredentialsRefused          the caller must send other credentials                → 401
├── EventRefused                the event can never pass as it is                     → dead letter
│   ├── ContractViolation       its bytes are not what the contract says (decode)
│   ├── ConversionFailed        it does not fit the schema (convert)
│   └── RecordRefused           Kafka will never take the record (produce)
└── TemporarilyUnavailable      the same request may work later                       → 503
    ├── NotReady                starting, draining, stopped, failed
    ├── Overloaded              a limit or a queue is full
    ├── DeliveryFailed          no delivery report said yes; the record may have been written
    └── RegistryError           the Schema Registry could not serve us
        ├── RegistryUnreachable no usable answer; trying again may help
        ├── RegistryRefused     it answered no: credentials, permission, invalid schema
        ├── SchemaMissing       our schema is not registered under its subject
        └── SchemaIncompatible  our schema breaks the subject's compatibility level

`code` is for machines and never changes its meaning; the message is for people. Neither holds payload or secrets.
"""

from collections.abc import Sequence
from enum import StrEnum


class Stage(StrEnum):
    """Where an event failed, in the words of Connect's `__connect.errors.stage` header."""

    DECODE = "TASK_POLL"
    CONVERT = "VALUE_CONVERTER"
    PRODUCE = "KAFKA_PRODUCE"


class BridgeError(Exception):
    """The root; `code` is stable."""

    code = "bridge_error"


class ConfigurationRefused(BridgeError):
    """The configuration cannot be used; `problems` has one line for each thing that is wrong."""

    code = "configuration_refused"

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class CredentialsRefused(BridgeError):
    """A definite mismatch. "Cannot tell now" is TemporarilyUnavailable, never this."""

    code = "credentials_refused"


class EventRefused(BridgeError):
    """An authentic event that cannot become a record.

    `path` is the JSON Pointer of the field at fault, "" for the whole body.
    """

    stage = Stage.DECODE

    def __init__(self, code: str, message: str, *, path: str = "") -> None:
        self.code = code
        self.path = path
        super().__init__(message)


class ContractViolation(EventRefused):
    """The bytes are not what Optoro's document promises."""

    stage = Stage.DECODE


class ConversionFailed(EventRefused):
    """The event does not fit the Avro schema."""

    stage = Stage.CONVERT


class RecordRefused(EventRefused):
    """Kafka, or our own size limit, will never take this record."""

    stage = Stage.PRODUCE


class TemporarilyUnavailable(BridgeError):
    """Not now: nothing is known to be stored, and the sender must send again."""

    code = "unavailable"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        if code is not None:
            self.code = code
        super().__init__(message)


class NotReady(TemporarilyUnavailable):
    """Starting, draining, stopped or failed."""

    code = "not_ready"


class Overloaded(TemporarilyUnavailable):
    """A limit of ours is reached."""

    code = "overloaded"


class DeliveryFailed(TemporarilyUnavailable):
    """No delivery report said yes in time. The record may have been written all the same."""

    code = "delivery_failed"


class RegistryError(TemporarilyUnavailable):
    """The Schema Registry could not serve us."""

    code = "registry_error"


class RegistryUnreachable(RegistryError):
    """No usable answer from any configured address; trying again may help."""

    code = "registry_unreachable"


class RegistryRefused(RegistryError):
    """The registry answered no; trying again does not help until somebody changes something."""

    code = "registry_refused"


class SchemaMissing(RegistryError):
    """Our schema is not registered under its subject."""

    code = "schema_missing"


class SchemaIncompatible(RegistryError):
    """Our schema breaks the subject's compatibility level."""

    code = "schema_incompatible"
