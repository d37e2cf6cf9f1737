"""JSON read strictly: bytes have one reading or none.

Refused are duplicate keys at any level (also when one is spelled with escapes), NaN and Infinity in any spelling, lone
surrogates, anything but UTF-8 without a byte order mark, and documents above the limits below. Numbers with a fraction
or an exponent stay the text they were (`jiter.LosslessFloat`), so that nothing is rounded on the way.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import jiter

from bridge.errors import ContractViolation

MAX_DEPTH: Final = 32
MAX_NODES: Final = 50_000
MAX_POINTER_CHARS: Final = 256


def parse(body: bytes) -> Any:
    """Return what the bytes say.

    Raises ContractViolation with code `not_json`, `duplicate_key` or `too_many_values`.
    """
    try:
        value = jiter.from_json(
            body, catch_duplicate_keys=True, allow_inf_nan=False, float_mode="lossless-float", cache_mode="keys"
        )
    except ValueError as exc:
        raise _refusal(body, str(exc)) from None
    if _most_nodes_possible(body) > MAX_NODES and sum(1 for _ in _walk(value)) > MAX_NODES:
        raise ContractViolation("too_many_values", f"more than {MAX_NODES} JSON values")
    return value


def check_depth(value: Any, pointer: str, depth: int) -> None:
    """Refuse a value nested deeper than MAX_DEPTH, `depth` being the number of containers around it.

    Raises ContractViolation with code `too_deep`.
    """
    for path, _, level in _walk(value, pointer, depth):
        if level > MAX_DEPTH:
            raise ContractViolation("too_deep", f"nested deeper than {MAX_DEPTH} levels", path=path[:MAX_POINTER_CHARS])


def infinite_number(value: Any) -> str:
    """Return the JSON Pointer of the first number that no double can hold, "" if there is none."""
    for path, node, _ in _walk(value):
        if isinstance(node, jiter.LosslessFloat) and abs(float(node)) == float("inf"):
            return path[:MAX_POINTER_CHARS]
    return ""


def write(value: Any) -> str:
    """Return compact JSON in which every number is spelled as it was read."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quote(name)}:{write(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    if isinstance(value, jiter.LosslessFloat):
        return bytes(value).decode()
    return _quote(value)


def escape(name: str) -> str:
    """Return a member name as one token of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


_quote = json.JSONEncoder(ensure_ascii=False).encode


def _most_nodes_possible(body: bytes) -> int:
    # Each value opens a container's list or follows a comma, so this counts at least as many as there are.
    return body.count(b",") + body.count(b"[") + body.count(b"{") + 1


def _walk(value: Any, pointer: str = "", depth: int = 0) -> Iterator[tuple[str, Any, int]]:
    """Yield (pointer, value, number of containers down to and including it), outermost first."""
    stack = [(pointer, value, depth)]
    while stack:
        path, node, level = stack.pop()
        inside = level + isinstance(node, dict | list)
        yield path, node, inside
        if isinstance(node, dict):
            stack.extend((f"{path}/{escape(name)}", member, inside) for name, member in node.items())
        elif isinstance(node, list):
            stack.extend((f"{path}/{index}", member, inside) for index, member in enumerate(node))


def _refusal(body: bytes, reason: str) -> ContractViolation:
    if reason.startswith("Detected duplicate key"):
        path = _duplicate(json.loads(body, object_pairs_hook=_Pairs))
        return ContractViolation("duplicate_key", "a key stands twice in one object", path=path)
    return ContractViolation("not_json", f"not JSON: {reason}")


class _Pairs(list[tuple[str, Any]]):
    """An object as the parser saw it, duplicates included."""


def _duplicate(node: Any, pointer: str = "") -> str:
    """Return the JSON Pointer of the first key that stands twice, "" if there is none."""
    if isinstance(node, _Pairs):
        seen: set[str] = set()
        for name, member in node:
            path = f"{pointer}/{escape(name)}"
            if name in seen:
                return path[:MAX_POINTER_CHARS]
            seen.add(name)
            if inner := _duplicate(member, path):
                return inner
    elif isinstance(node, list):
        for index, member in enumerate(node):
            if inner := _duplicate(member, f"{pointer}/{index}"):
                return inner
    return ""
