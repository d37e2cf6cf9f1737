"""References to secrets, as Connect's configuration providers have them: `${file:path:key}`, `${env:NAME}` and
`${dir:path:name}`. What a provider may read is nothing until the operator allows it, since whoever can create a
connector could otherwise read any file into a topic.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bridge.config import properties
from bridge.config.configuration import Configuration, RawValue, Resolution, Resolver, no_references
from bridge.config.keys import ConfigDef, ConfigKey, Importance, Type
from bridge.config.sources import read_text
from bridge.config.validators import absolute_path, each, one_of, regular_expression
from bridge.config.values import quoted
from bridge.errors import ConfigurationRefused

PROVIDERS: Final = "config.providers"
FILE_PATHS: Final = "config.providers.file.param.allowed.paths"
DIR_PATHS: Final = "config.providers.dir.param.allowed.paths"
ENV_PATTERN: Final = "config.providers.env.param.allowlist.pattern"

GROUP: Final = "Configuration providers"
KEYS: Final = (
    ConfigKey(
        name=PROVIDERS,
        type=Type.LIST,
        default=["file", "env", "dir"],
        importance=Importance.LOW,
        group=GROUP,
        validator=each(one_of("file", "env", "dir")),
        literal=True,
        documentation="The providers whose references are resolved. Text of the form ${provider:…} with another"
        " provider stays as it is.",
    ),
    ConfigKey(
        name=FILE_PATHS,
        type=Type.LIST,
        default=[],
        group=GROUP,
        validator=each(absolute_path),
        literal=True,
        documentation="The files and folders that ${file:path:key} may read, a key of a properties file. Nothing may"
        " be read while this is empty. Symbolic links are followed before the comparison.",
    ),
    ConfigKey(
        name=DIR_PATHS,
        type=Type.LIST,
        default=[],
        group=GROUP,
        validator=each(absolute_path),
        literal=True,
        documentation="The folders that ${dir:path:name} may read, a whole file without the line end at its end, such"
        " as a mounted Kubernetes secret. Nothing may be read while this is empty. Symbolic links are followed before"
        " the comparison.",
    ),
    ConfigKey(
        name=ENV_PATTERN,
        type=Type.STRING,
        default=None,
        group=GROUP,
        validator=regular_expression,
        literal=True,
        documentation="The environment variables that ${env:NAME} may read: a regular expression for the whole name."
        " Nothing may be read while this is not set.",
    ),
)

_DEFINITION: Final = ConfigDef(KEYS)
# The same places Connect splits at: the provider ends at the first colon, the path at the second.
_REFERENCE: Final = re.compile(r"\$\{([^}:]*):(?:([^}:]*):)?([^}]*)\}")

_Provider = Callable[[str | None, str], str]


def resolver(raw: Mapping[str, RawValue], variables: Mapping[str, str]) -> Resolver:
    """The resolver for the provider keys of a raw worker configuration and the process's environment.

    Where those keys are refused, which parsing the worker's definition reports, every reference is a problem.
    Resolved text is never resolved again.
    """
    providers: dict[str, _Provider]
    try:
        names = {key.name for key in KEYS}
        settings = _DEFINITION.parse({name: raw[name] for name in names & raw.keys()}, no_references)
    except ConfigurationRefused:
        providers = dict.fromkeys(("file", "env", "dir"), _refuse_all)
    else:
        known = _providers(settings, variables)
        providers = {name: known[name] for name in settings[PROVIDERS]}
    return lambda text: _resolve(text, providers)


def _resolve(text: str, providers: Mapping[str, _Provider]) -> Resolution:
    resolved, literal, problems, end = "", "", [], 0
    for match in _REFERENCE.finditer(text):
        provider, path, key = match.groups()
        if provider not in providers:
            continue
        before, end = text[end : match.start()], match.end()
        literal += before
        try:
            resolved += before + providers[provider](path, key)
        except ConfigurationRefused as refused:
            problems += [f"{quoted(match[0])} is not resolved: {problem}" for problem in refused.problems]
    return Resolution(resolved + text[end:], literal + text[end:], tuple(problems))


def _providers(settings: Configuration, variables: Mapping[str, str]) -> dict[str, _Provider]:
    files = [root for path in settings[FILE_PATHS] if (root := _real(Path(path)))]
    folders = [root for path in settings[DIR_PATHS] if (root := _real(Path(path)))]
    pattern = settings[ENV_PATTERN]
    return {
        "file": lambda path, key: _read_property(path, key, files),
        "dir": lambda path, name: _read_whole_file(path, name, folders),
        "env": lambda path, name: _read_variable(path, name, variables, pattern),
    }


def _refuse_all(_path: str | None, _key: str) -> str:
    raise ConfigurationRefused([f"the keys of {PROVIDERS} are not valid; allowed: see there"])


def _read_property(path: str | None, key: str, allowed: list[Path]) -> str:
    if not path:
        raise ConfigurationRefused(["no path; allowed: ${file:path:key}"])
    text = read_text(_permitted(Path(path), allowed, FILE_PATHS))
    try:
        entry = properties.parse(text).get(key)
    except ValueError as error:
        # The reason quotes a key, which is a piece of the secret where the file is no properties file at all.
        raise ConfigurationRefused(["the file is not a properties file with each key once"]) from error
    if entry is None:
        raise ConfigurationRefused(["no such key in the file; allowed: a key that is set there"])
    return entry.value


def _read_whole_file(path: str | None, name: str, allowed: list[Path]) -> str:
    if not path or not name or Path(name).name != name or name == "..":
        raise ConfigurationRefused(["no path or no file name; allowed: ${dir:path:name}"])
    text = read_text(_permitted(Path(path) / name, allowed, DIR_PATHS))
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _read_variable(path: str | None, name: str, variables: Mapping[str, str], pattern: str | None) -> str:
    if path is not None:
        raise ConfigurationRefused(["a path; allowed: ${env:NAME}"])
    if pattern is None or not re.fullmatch(pattern, name):
        raise ConfigurationRefused([f"it may not be read; allowed: what {ENV_PATTERN} matches{_unset(pattern)}"])
    if name not in variables:
        raise ConfigurationRefused(["no such variable; allowed: one that is set in the environment"])
    return variables[name]


def _permitted(path: Path, allowed: list[Path], key: str) -> Path:
    """The real path, when it is a file below an allowed one; whether others exist is not told."""
    real = _real(path)
    if real is None or not any(real.is_relative_to(root) for root in allowed):
        raise ConfigurationRefused([f"it may not be read; allowed: what is below {key}{_unset(allowed)}"])
    if not _is_file(real):
        raise ConfigurationRefused(["no such file; allowed: a file that exists and can be read"])
    return real


def _real(path: Path) -> Path | None:
    """The absolute path behind all symbolic links; None where it has none: relative, a loop, no path at all."""
    try:
        return path.resolve() if path.is_absolute() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _unset(value: object) -> str:
    return "" if value else ", which is not set"
