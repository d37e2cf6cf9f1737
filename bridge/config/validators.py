"""What a key's value may be beyond its type; `allowed` says it in messages and in the documentation."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

_PATH_SEGMENT: Final = r"/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+"
_MAX_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Validator:
    """`accepts` gets the typed value, a secret as plain text; it never raises."""

    allowed: str
    accepts: Callable[[Any], bool]


def one_of(*values: str) -> Validator:
    return Validator("one of " + ", ".join(values), lambda value: value in values)


def at_least(minimum: float) -> Validator:
    return Validator(f"of at least {minimum}", lambda value: bool(value >= minimum))


def between(minimum: float, maximum: float) -> Validator:
    return Validator(f"from {minimum} to {maximum}", lambda value: bool(minimum <= value <= maximum))


def matches(pattern: str, allowed: str | None = None) -> Validator:
    """The whole text matches; `allowed` says so in words."""
    compiled = re.compile(pattern)
    return Validator(allowed or f"text that matches `{pattern}`", lambda value: compiled.fullmatch(value) is not None)


def each(validator: Validator) -> Validator:
    """For a LIST; the empty list passes."""
    return Validator(f"a list; each item: {validator.allowed}", lambda values: all(map(validator.accepts, values)))


def all_of(*validators: Validator) -> Validator:
    """Checked in order; the first that refuses ends it."""
    allowed = " and ".join(validator.allowed for validator in validators)
    return Validator(allowed, lambda value: all(validator.accepts(value) for validator in validators))


def url(*schemes: str) -> Validator:
    """An absolute URL. User information is refused: a URL is printed, a secret must not be."""

    def accepts(value: str) -> bool:
        parts = _split(value)
        return parts is not None and parts.scheme in schemes and "?" not in value and "#" not in value

    return Validator(f"a URL ({' or '.join(schemes)}) without credentials, query and fragment", accepts)


def _is_listener(value: str) -> bool:
    parts = _split(value)
    return parts is not None and value == f"http://{parts.netloc}" and parts.port is not None


def _split(value: str) -> SplitResult | None:
    """The parts of a URL that has a host, a possible port and no user information; None for anything else."""
    if not value.isascii() or not value.isprintable() or " " in value or "\\" in value:
        return None
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and "@" not in parts.netloc and (parts.port or 0) <= _MAX_PORT
    except ValueError:
        return None
    return parts if usable and not parts.netloc.endswith(":") else None


def _is_absolute_path(value: str) -> bool:
    return PurePath(value).is_absolute() and ".." not in PurePath(value).parts and "${" not in value


def _is_regular_expression(value: str) -> bool:
    if "${" in value:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError, Warning):
            return False
    return True


non_empty: Final = Validator("not empty", bool)
listener: Final = Validator("http://host:port, port 0 for a free one", _is_listener)
http_path: Final = matches(
    f"(?:{_PATH_SEGMENT})+",
    'a path that begins with "/", without a slash at its end, empty or dot segments, escapes, query and fragment',
)
topic_name: Final = matches(
    r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}",
    'a topic name: 1 to 249 letters, digits, ".", "_" and "-", but not "." or ".."',
)
header_name: Final = matches(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", "an HTTP header name (RFC 9110 token)")
absolute_path: Final = Validator("an absolute path without .. and references", _is_absolute_path)
regular_expression: Final = Validator("a regular expression without references", _is_regular_expression)
