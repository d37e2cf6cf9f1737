"""What every Optoro webhook has in common: bytes in, an Event or a ContractViolation out.

A webhook's own module declares its model and fills in a Contract; nothing here names one of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import is_typeddict

from bridge.errors import ContractViolation
from bridge.optoro.headers import check_media_type
from bridge.optoro.identity import canonical_json, event_id, raw_event_id
from bridge.optoro.strict_json import check_depth, escape, parse, pointer, write
from bridge.records import Event, VerifiedRequest

_CODES: Mapping[str, str] = {
    "missing": "field_missing",
    "string_too_short": "field_empty",
    "greater_than_equal": "field_out_of_range",
    "less_than": "field_out_of_range",
    "timestamp": "field_not_a_timestamp",
}


class Identity(NamedTuple):
    """What can be said of any body at all: its id, and its key where one can be read."""

    event_id: str
    key: str | None


@dataclass(frozen=True)
class Contract:
    """One webhook: how its document is read.

    `webhook` is its short name (in ids, headers and metrics), `model` a TypedDict with bridge.optoro.fields' types,
    `key_field` the field that keys the stream, `time_fields` where the sender's own time stands, first present wins,
    `normalise` changes a validated value in place.
    """

    webhook: str
    model: Any
    key_field: str
    time_fields: tuple[str, ...]
    normalise: Callable[[dict[str, Any]], None]
    _validate: Callable[[Any], dict[str, Any]] = field(init=False, repr=False)
    _shape: "_Shape" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_validate", TypeAdapter(self.model).validate_python)
        object.__setattr__(self, "_shape", _shape(self.model))

    def decode(self, request: VerifiedRequest) -> Event:
        """Return the event that the body describes. Raises ContractViolation."""
        check_media_type(request)
        document = parse(request.body)
        identifier = event_id(self.webhook, request.tenant, canonical_json(document))
        try:
            value = self._validate(document)
        except ValidationError as exc:
            raise _violation(exc) from None
        unknown = {} if _all_known(value, self._shape) else _take_unknown(value, self._shape)
        self.normalise(value)
        if unknown:
            value["additional_fields"] = write(unknown)
        value["webhook"] = {
            "event_id": identifier,
            "webhook": self.webhook,
            "tenant": request.tenant,
            "api_version": request.api_version,
            "received_at": request.received_at_ms,
        }
        occurred_at = next(time for name in self.time_fields if (time := value.get(name)) is not None)
        return Event(identifier, value[self.key_field], value, occurred_at, tuple(unknown))

    def identify(self, request: VerifiedRequest) -> Identity:
        """Return the id of any body, with the same algorithm as decode; never raises."""
        try:
            document = parse(request.body)
            identifier = event_id(self.webhook, request.tenant, canonical_json(document))
        except ContractViolation:
            return Identity(raw_event_id(request.body), None)
        key = document.get(self.key_field) if isinstance(document, dict) else None
        return Identity(identifier, key if isinstance(key, str) and key else None)


def _violation(exc: ValidationError) -> ContractViolation:
    errors = exc.errors(include_url=False, include_context=False)
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return ContractViolation(_code(first), first["msg"] + more, path=pointer(first["loc"]))


def _code(error: ErrorDetails) -> str:
    if not error["loc"]:
        return "not_an_object"
    return "field_null" if error["input"] is None else _CODES.get(error["type"], "field_wrong_type")


@dataclass(frozen=True)
class _Shape:
    """The names a TypedDict declares, and those of them that hold TypedDicts, alone or in a list."""

    known: frozenset[str]
    nested: tuple[tuple[str, "_Shape"], ...]


def _shape(model: Any) -> _Shape:
    hints = get_type_hints(model)
    nested = ((name, inner) for name, hint in hints.items() if (inner := _typed_dict_in(hint)) is not None)
    return _Shape(frozenset(hints), tuple((name, _shape(inner)) for name, inner in nested))


def _typed_dict_in(hint: Any) -> Any:
    if is_typeddict(hint):
        return hint
    return next((found for part in get_args(hint) if (found := _typed_dict_in(part)) is not None), None)


def _all_known(value: dict[str, Any], shape: _Shape) -> bool:
    """Whether there is nothing for _take_unknown to take: the usual case, told without building a path."""
    if not shape.known.issuperset(value):
        return False
    for name, inner in shape.nested:
        member = value.get(name)
        members = [member] if member.__class__ is dict else member or ()
        for each in members:
            if not _all_known(each, inner):
                return False
    return True


def _take_unknown(value: dict[str, Any], shape: _Shape, place: str = "", depth: int = 1) -> dict[str, Any]:
    """Move what the shape does not name out of the value: JSON Pointer to what stood there."""
    unknown: dict[str, Any] = {}
    for name in sorted(value.keys() - shape.known):
        path = f"{place}/{escape(name)}"
        check_depth(value[name], path, depth)
        unknown[path] = value.pop(name)
    for name, inner in shape.nested:
        match value.get(name):
            case dict() as member:
                unknown |= _take_unknown(member, inner, f"{place}/{name}", depth + 1)
            case list() as members:
                for index, member in enumerate(members):
                    unknown |= _take_unknown(member, inner, f"{place}/{name}/{index}", depth + 2)
    return dict(sorted(unknown.items())) if unknown and not place else unknown
