"""JSON read strictly: bytes have one reading or none.

Refused are duplicate keys at any level (also when one is spelled with escapes), NaN and Infinity in any spelling, lone
surrogates, anything but UTF-8 without a byte order mark, and documents above the limits below. Numbers with a fraction
or an exponent stay the text they were (`jiter.LosslessFloat`), so that nothing is rounded on the way.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

import jiter

from bridge.errors import ContractViolation

MAX_DEPTH: Final = 32
MAX_NODES: Final = 50_000
MAX_POINTER_CHARS: Final = 256

_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)

Steps = tuple[str | int, ...]


def parse(body: bytes) -> Any:
    """Return what the bytes say.

    Raises ContractViolation with code `not_json`, `duplicate_key` or `too_many_values`.
    """
    commas = body.count(b",")
    if commas >= MAX_NODES and commas - _commas_in_strings(body) >= MAX_NODES:
        raise _too_many_values()  # before parsing, which takes 25 times the body's size for such a body
    try:
        value = _parsed(body, catch_duplicate_keys=True)
    except ValueError as exc:
        raise _refusal(body, str(exc)) from None
    most_nodes_possible = commas + body.count(b"[") + body.count(b"{") + 1
    if most_nodes_possible > MAX_NODES and _has_too_many_nodes(value):
        raise _too_many_values()
    return value


def check_depth(value: Any, path: str, depth: int) -> None:
    """Refuse a value nested deeper than MAX_DEPTH, `depth` being the number of containers around it.

    Raises ContractViolation with code `too_deep`.
    """
    steps = _first(value, lambda _, level: level > MAX_DEPTH, depth)
    if steps is not None:
        path = (path + pointer(steps))[:MAX_POINTER_CHARS]
        raise ContractViolation("too_deep", f"nested deeper than {MAX_DEPTH} levels", path=path)


def infinite_number(value: Any) -> str:
    """Return the JSON Pointer of the first number that no double can hold, "" if there is none."""
    return pointer(_first(value, lambda node, _: _is_infinite(node)) or ())


def write(value: Any) -> str:
    """Return compact JSON in which every number with a fraction or an exponent is spelled as it was read."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quote(name)}:{write(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    if isinstance(value, jiter.LosslessFloat):
        return bytes(value).decode()
    return _quote(value)


def pointer(steps: Iterable[str | int]) -> str:
    """Return the steps from the root as a JSON Pointer, cut at MAX_POINTER_CHARS."""
    return "".join(f"/{escape(str(step))}" for step in steps)[:MAX_POINTER_CHARS]


def escape(name: str) -> str:
    """Return a member name as one token of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


_quote = json.JSONEncoder(ensure_ascii=False).encode


def _parsed(body: bytes, *, catch_duplicate_keys: bool) -> Any:
    return jiter.from_json(
        body,
        catch_duplicate_keys=catch_duplicate_keys,
        allow_inf_nan=False,
        float_mode="lossless-float",
        cache_mode="keys",
    )


def _commas_in_strings(body: bytes) -> int:
    return sum(match.group().count(b",") for match in _STRING.finditer(body))


def _too_many_values() -> ContractViolation:
    return ContractViolation("too_many_values", f"more than {MAX_NODES} JSON values")


def _has_too_many_nodes(value: Any) -> bool:
    count, stack = 1, [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict | list):
            count += len(node)
            if count > MAX_NODES:
                return True
            stack.extend(node.values() if isinstance(node, dict) else node)
    return False


def _first(node: Any, at_fault: Callable[[Any, int], bool], level: int = 0) -> Steps | None:
    """Return the steps to the first value, in the document's order, of which `at_fault(value, level)` is true.

    `level` counts the containers down to and including the value. Only the one path is ever built: with a long key
    above many values, all of them would not fit into memory.
    """
    level += isinstance(node, dict | list)
    if at_fault(node, level):
        return ()
    for step, member in _members(node):
        below = _first(member, at_fault, level)
        if below is not None:
            return (step, *below)
    return None


def _members(node: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(node, dict):
        return node.items()
    return enumerate(node) if isinstance(node, list) else ()


def _is_infinite(node: Any) -> bool:
    return isinstance(node, jiter.LosslessFloat) and abs(float(node)) == float("inf")


def _refusal(body: bytes, reason: str) -> ContractViolation:
    if not reason.startswith("Detected duplicate key"):
        return ContractViolation("not_json", f"not JSON: {reason}")
    try:
        _parsed(body, catch_duplicate_keys=False)
    except ValueError as exc:
        return ContractViolation("not_json", f"not JSON: {exc}")
    document = json.loads(body, object_pairs_hook=_marked)
    path = pointer(_first(document, lambda node, _: node is _TWICE) or ())
    return ContractViolation("duplicate_key", "a key stands twice in one object", path=path)


_TWICE: Final = object()


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    times = Counter(name for name, _ in pairs)
    return {next(name for name, _ in pairs if times[name] > 1): _TWICE}
