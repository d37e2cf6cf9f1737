"""Connect's closed set of key types: how text becomes a typed value, and how a value is shown again."""

import json
import math
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from pydantic import SecretStr

HIDDEN: Final = "[hidden]"

_MAX_SHOWN_CHARACTERS: Final = 120
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_USER_INFORMATION: Final = re.compile(r"//.*@", re.DOTALL)


class Type(StrEnum):
    """The types that Connect's REST clients parse; there is no other."""

    BOOLEAN = "BOOLEAN"
    CLASS = "CLASS"
    DOUBLE = "DOUBLE"
    INT = "INT"
    LIST = "LIST"
    LONG = "LONG"
    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a type
    SHORT = "SHORT"
    STRING = "STRING"


ALLOWED: Final = {
    Type.BOOLEAN: "true or false",
    Type.CLASS: "a class name",
    Type.DOUBLE: "a finite decimal number",
    Type.INT: "a whole number from -2147483648 to 2147483647",
    Type.LIST: "values separated by commas, none of them empty",
    Type.LONG: "a whole number from -9223372036854775808 to 9223372036854775807",
    Type.PASSWORD: "a secret that is not blank",
    Type.SHORT: "a whole number from -32768 to 32767",
    Type.STRING: "text",
}

NUMBERS: Final = {
    Type.DOUBLE: "a number",
    Type.INT: "a whole number",
    Type.LONG: "a whole number",
    Type.SHORT: "a whole number",
}

PYTHON_TYPES: Final[dict[Type, type]] = {
    Type.BOOLEAN: bool,
    Type.CLASS: str,
    Type.DOUBLE: float,
    Type.INT: int,
    Type.LIST: list,
    Type.LONG: int,
    Type.PASSWORD: SecretStr,
    Type.SHORT: int,
    Type.STRING: str,
}


def parse_value(value_type: Type, text: str) -> Any:
    """The typed value; ValueError where the text is not of that type. All but secrets are trimmed, as in Kafka."""
    return _PARSERS[value_type](text if value_type is Type.PASSWORD else text.strip())


def render(value: Any) -> str:
    """A value as an operator would write it; secrets, also the user information of a URL, are hidden."""
    if value is None:
        return "null"
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, bool):
        return str(value).lower()
    text = ",".join(value) if isinstance(value, list) else str(value)
    return _USER_INFORMATION.sub(f"//{HIDDEN}@", text)


def quoted(text: str) -> str:
    """Text for a message: in quotes, on one line, bounded, without the user information of a URL."""
    shown = render(text)
    if len(shown) > _MAX_SHOWN_CHARACTERS:
        shown = shown[:_MAX_SHOWN_CHARACTERS] + "…"
    return json.dumps(shown, ensure_ascii=not shown.isprintable())


def reveal(value: Any) -> Any:
    """The value without its SecretStr."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError
    return text.lower() == "true"


def _class(text: str) -> str:
    if not text or any(character.isspace() for character in text):
        raise ValueError
    return text


def _double(text: str) -> float:
    if not _DECIMAL.fullmatch(text) or not math.isfinite(number := float(text)):
        raise ValueError
    return number


def _integer(bits: int) -> Callable[[str], int]:
    limit = 1 << (bits - 1)

    def parse(text: str) -> int:
        if not _INTEGER.fullmatch(text) or not -limit <= (number := int(text)) < limit:
            raise ValueError
        return number

    return parse


def _list(text: str) -> list[str]:
    if not text:
        return []
    items = [item.strip() for item in text.split(",")]
    if not all(items):
        raise ValueError
    return items


def _password(text: str) -> SecretStr:
    if not text.strip():
        raise ValueError
    return SecretStr(text)


_PARSERS: Final[dict[Type, Callable[[str], Any]]] = {
    Type.BOOLEAN: _boolean,
    Type.CLASS: _class,
    Type.DOUBLE: _double,
    Type.INT: _integer(32),
    Type.LIST: _list,
    Type.LONG: _integer(64),
    Type.PASSWORD: _password,
    Type.SHORT: _integer(16),
    Type.STRING: str,
}
