"""Values to Confluent-framed Avro and back: a zero byte, the schema id in four bytes, the Avro body.

Logical types stay what they are on the wire: a timestamp is epoch milliseconds in both directions.
"""

from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

from fastavro import schemaless_reader, schemaless_writer

from bridge.avro.faults import Fault, first_fault
from bridge.avro.record_writer import WRITING_ERRORS, NotCompilable, Writer, compile_writer
from bridge.avro.schemas import Schema, parse_schema
from bridge.errors import ConversionFailed

_MAGIC: Final = b"\x00"
_PREFIX_BYTES: Final = 5


class AvroConverter:
    """Writes values of one schema under one schema id; made once, used for every event."""

    def __init__(self, schema: Schema, schema_id: int) -> None:
        self._schema = schema
        self._prefix = _MAGIC + schema_id.to_bytes(4, "big")
        self._write = _writer(schema)

    def encode(self, value: dict[str, Any]) -> bytes:
        """Return the framed bytes of `value`, a missing optional key being its default.

        Raises ConversionFailed, and nothing else, where `value` does not fit: there is no conversion between types,
        and a key the schema does not name is refused.
        """
        out = bytearray(self._prefix)
        try:
            self._write(value, out)
        except WRITING_ERRORS:
            # None: the foreign error's text may quote the payload.
            raise _failure(self._schema, value) from None
        return bytes(out)


def schema_id(payload: bytes) -> int:
    """Return the id in front of a framed payload. Raises ConversionFailed where there is none."""
    if len(payload) < _PREFIX_BYTES or payload[:1] != _MAGIC:
        raise ConversionFailed("decode_failed", "the payload does not start with a zero byte and a schema id")
    return int.from_bytes(payload[1:_PREFIX_BYTES], "big")


def decode(payload: bytes, schema_for_id: Callable[[int], str]) -> Any:
    """Return the value in a framed payload, as any consumer sees it who asks `schema_for_id` for the schema's text.

    Raises ConversionFailed where the bytes are not what that schema says.
    """
    schema = _plain(schema_for_id(schema_id(payload)))
    body = BytesIO(payload[_PREFIX_BYTES:])
    try:
        value = schemaless_reader(body, schema, None)
    except (EOFError, *WRITING_ERRORS):
        raise ConversionFailed("decode_failed", "the payload is not what its schema says") from None
    if body.read(1):
        raise ConversionFailed("decode_failed", "the payload goes on after the end of its record")
    return value


def _writer(schema: Schema) -> Writer:
    try:
        return compile_writer(schema)
    except NotCompilable:
        return _general_writer(schema)


def _general_writer(schema: Schema) -> Writer:
    """Return fastavro's writer behind the strict walk, for what the compiler leaves out."""
    plain = _plain(schema.text)

    def write(value: Any, out: bytearray) -> None:
        if first_fault(schema, value) is not None:
            raise ValueError
        body = BytesIO()
        schemaless_writer(body, plain, value)
        out += body.getvalue()

    return write


@lru_cache(maxsize=64)
def _plain(text: str) -> Any:
    return _without_logical_types(parse_schema(text).parsed)


def _without_logical_types(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_logical_types(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value if key == "default" else _without_logical_types(value)
        for key, value in schema.items()
        if key != "logicalType"
    }


def _failure(schema: Schema, value: Any) -> ConversionFailed:
    try:
        fault = first_fault(schema, value)
    except RecursionError:
        fault = Fault("", "nested too deeply")
    path, reason = fault or Fault("", "cannot be written")
    return ConversionFailed("encode_failed", f"{path or 'the value'}: {reason}", path=path)
