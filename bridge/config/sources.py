"""Where configuration is written: worker and connector files, and the environment. Nothing is checked here but form."""

import json
import os
import re
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bridge.config import properties
from bridge.config.configuration import Problem, RawValue, refusal
from bridge.config.values import quoted
from bridge.errors import ConfigurationRefused

ENVIRONMENT_PREFIX: Final = "BRIDGE_"

_MAX_FILE_BYTES: Final = 1024 * 1024
_UNDERSCORES: Final = re.compile("_{1,3}")
_SEPARATORS: Final = {"_": ".", "__": "_", "___": "-"}


def process_environment() -> Mapping[str, str]:
    """The variables of this process; read here and nowhere else."""
    return os.environ


def layer(*sources: Mapping[str, RawValue]) -> dict[str, RawValue]:
    """One map out of several, the first that has a key wins: flags, environment, file."""
    return dict(ChainMap(*map(dict, sources)))


def environment(variables: Mapping[str, str]) -> dict[str, RawValue]:
    """The worker keys set by `BRIDGE_…` variables: `_` stands for `.`, `__` for `_`, `___` for `-`."""
    values: dict[str, RawValue] = {}
    problems = []
    for variable in sorted(variables):
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        key = environment_key(variable)
        value = RawValue(variables[variable], f"environment {variable}")
        if (first := values.setdefault(key, value)) is not value:
            problems.append(Problem(key, f"set twice; allowed: one of {first.origin}, {value.origin}"))
    if problems:
        raise refusal(problems)
    return values


def environment_key(variable: str) -> str:
    name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
    return _UNDERSCORES.sub(lambda match: _SEPARATORS[match[0]], name)


def worker_file(path: Path) -> dict[str, RawValue]:
    """The entries of a `.properties` file; ConfigurationRefused where it cannot be read or sets a key twice."""
    try:
        entries = properties.parse(read_text(path))
    except ValueError as error:
        raise refusal([Problem(str(path), f"not a properties file: {error}")]) from error
    return {key: RawValue(entry.value, f"file {path}:{entry.line}") for key, entry in entries.items()}


def connector_file(path: Path) -> dict[str, RawValue]:
    """A connector as `.properties`, or as `.json`: the body that Connect's POST takes, or the flat map alone."""
    if path.suffix == ".properties":
        return worker_file(path)
    if path.suffix == ".json":
        return _connector_json(path)
    raise refusal([Problem(str(path), "not a connector file; allowed: a name that ends in .json or .properties")])


def read_text(path: Path) -> str:
    """The file's text, read as UTF-8, at most 1 MiB of it; ConfigurationRefused says why it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
        if len(content) > _MAX_FILE_BYTES:
            raise refusal([Problem(str(path), f"too large; allowed: {_MAX_FILE_BYTES} bytes")])
        return content.decode("utf-8-sig")
    except OSError as error:
        raise refusal([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise refusal([Problem(str(path), "cannot be read: not UTF-8 text")]) from error
    except ValueError as error:
        raise refusal([Problem(str(path), "cannot be read: not a path")]) from error


def _connector_json(path: Path) -> dict[str, RawValue]:
    document = _json_object(path)
    config = document
    problems: list[Problem] = []
    if isinstance(document.get("config"), dict):
        config = {"name": document["name"]} | document["config"] if "name" in document else document["config"]
        problems += _wrapper_problems(document, config)
    problems += [
        Problem(key, f'{_json_type(value)}; allowed: a string ("…"), as Connect wants every value')
        for key, value in config.items()
        if not isinstance(value, str)
    ]
    if problems:
        raise refusal(Problem(problem.key, f"{problem.text} (file {path})") for problem in problems)
    return {key: RawValue(value, f"file {path}") for key, value in config.items()}


def _wrapper_problems(document: dict[str, Any], config: dict[str, Any]) -> list[Problem]:
    allowed = "unknown beside config; allowed: name and config"
    problems = [Problem(key, allowed) for key in document if key not in {"name", "config"}]
    if "name" in document and document["name"] != config["name"]:
        problems.append(Problem("name", "differs inside and beside config; allowed: one name"))
    return problems


def _json_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_text(path), object_pairs_hook=_without_duplicates)
    except ConfigurationRefused:
        raise
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, ValueError) else "nested too deeply"
        raise refusal([Problem(str(path), f"not a JSON file: {why}")]) from error
    if not isinstance(document, dict):
        raise refusal([Problem(str(path), f"{_json_type(document)}; allowed: a JSON object")])
    return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise ValueError(f"{quoted(key)} is set twice")
        members[key] = value
    return members


def _json_type(value: Any) -> str:
    names = {dict: "an object", list: "an array", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a string" if isinstance(value, str) else "a number")
