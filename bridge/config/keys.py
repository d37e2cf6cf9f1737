"""What a key is, and how a definition turns raw text into a checked configuration with all its problems at once."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Final

from bridge.config.configuration import (
    DEFAULT_ORIGIN,
    Configuration,
    Problem,
    RawValue,
    Resolver,
    Setting,
    refusal,
)
from bridge.config.validators import Validator
from bridge.config.values import ALLOWED, HIDDEN, NUMBERS, PYTHON_TYPES, Type, parse_value, quoted, render, reveal

__all__ = [
    "REQUIRED",
    "Check",
    "ConfigDef",
    "ConfigKey",
    "Configuration",
    "Importance",
    "KeyFamily",
    "Problem",
    "RawValue",
    "Resolver",
    "Rule",
    "Type",
]

_MAX_COMPARED_CHARACTERS: Final = 120

Check = Callable[[Mapping[str, str]], Sequence[tuple[str, str]]]
Rule = Callable[[Configuration], Iterable[Problem]]


class Importance(StrEnum):
    """Connect's closed set."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class _Sentinel(Enum):
    REQUIRED = "required"


REQUIRED: Final = _Sentinel.REQUIRED


@dataclass(frozen=True, kw_only=True)
class ConfigKey:
    """One key. `default` is a typed value (SecretStr for a PASSWORD), None for "not set", or REQUIRED.

    The text of a `literal` key is taken as it stands: references in it are not resolved.
    """

    name: str
    type: Type
    documentation: str
    default: Any = REQUIRED
    importance: Importance = Importance.MEDIUM
    group: str = "Common"
    validator: Validator | None = None
    literal: bool = False

    def __post_init__(self) -> None:
        if self.default is REQUIRED or self.default is None:
            return
        if type(self.default) is not PYTHON_TYPES[self.type] or not self._accepts(self.default):
            raise ValueError(f"{self.name}: its default is not a valid {self.type}")

    @property
    def allowed(self) -> str:
        """What may be written, in words."""
        if self.validator is None:
            return ALLOWED[self.type]
        kind = NUMBERS.get(self.type)
        return f"{kind} {self.validator.allowed}" if kind else self.validator.allowed

    def read(self, raw: RawValue | None, resolve: Resolver) -> Setting | list[Problem]:
        """The checked value, or everything that is wrong with it."""
        if raw is None:
            return self._absent()
        if self.literal:
            return self._parse(raw, raw.text, shown=None)
        resolution = resolve(raw.text)
        if resolution.problems:
            return [self._problem(problem, raw) for problem in resolution.problems]
        only_references = not resolution.literal
        referred = resolution.literal != raw.text and (only_references or self.type is not Type.PASSWORD)
        return self._parse(raw, resolution.text, shown=raw.text if referred else None)

    def _absent(self) -> Setting | list[Problem]:
        if self.default is REQUIRED:
            return [Problem(self.name, f"required and not set; {first_sentence(self.documentation)}")]
        return Setting(self.default, DEFAULT_ORIGIN, render(self.default))

    def _parse(self, raw: RawValue, text: str, *, shown: str | None) -> Setting | list[Problem]:
        if not _is_text(text):
            return [self._problem("holds bytes that are not text; allowed: UTF-8 without NUL", raw)]
        try:
            value = parse_value(self.type, text)
        except ValueError:
            return [self._invalid(raw)]
        if not self._accepts(value):
            return [self._invalid(raw)]
        return Setting(value, raw.origin, render(value) if shown is None else shown)

    def _accepts(self, value: Any) -> bool:
        return self.validator is None or self.validator.accepts(reveal(value))

    def _invalid(self, raw: RawValue) -> Problem:
        """What a reference stands for may be secret whatever the key, so the message has the text as written."""
        shown = "its value" if self.type is Type.PASSWORD else quoted(raw.text)
        return self._problem(f"{shown} is not valid; allowed: {self.allowed}", raw)

    def _problem(self, text: str, raw: RawValue) -> Problem:
        return Problem(self.name, f"{text} ({raw.origin})")


@dataclass(frozen=True, kw_only=True)
class KeyFamily:
    """Every key that begins with `prefix` and is not declared itself; the values are text, passed on.

    `protected` has the reason why a suffix is refused, `secrets` the suffixes whose values are PASSWORDs. `check` gets
    all members by suffix, secrets revealed, and returns (suffix, problem) pairs.
    """

    prefix: str
    documentation: str
    importance: Importance = Importance.LOW
    group: str = "Common"
    protected: Mapping[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    check: Check | None = None

    def read(self, members: Mapping[str, RawValue], resolve: Resolver) -> tuple[dict[str, Setting], list[Problem]]:
        """The members by full name, and everything that is wrong with them."""
        settings: dict[str, Setting] = {}
        problems: list[Problem] = []
        for name in sorted(members):
            result = self._read_member(name, members[name], resolve)
            if isinstance(result, Setting):
                settings[name] = result._replace(family=self.prefix)
            else:
                problems += result
        return settings, problems + self._check(settings)

    def _read_member(self, name: str, raw: RawValue, resolve: Resolver) -> Setting | list[Problem]:
        suffix = name.removeprefix(self.prefix)
        if suffix in self.protected:
            return [Problem(name, f"may not be set: {self.protected[suffix]} ({raw.origin})")]
        value_type = Type.PASSWORD if suffix in self.secrets else Type.STRING
        return ConfigKey(name=name, type=value_type, documentation=self.documentation).read(raw, resolve)

    def _check(self, settings: Mapping[str, Setting]) -> list[Problem]:
        """The check may quote a client library, so what must not be printed is taken out of its words."""
        if self.check is None:
            return []
        members = {name.removeprefix(self.prefix): str(reveal(setting.value)) for name, setting in settings.items()}
        hidden = [members[name.removeprefix(self.prefix)] for name, setting in settings.items() if _is_hidden(setting)]
        return [Problem(self.prefix + suffix, _without(hidden, text)) for suffix, text in self.check(members)]


@dataclass(frozen=True)
class ConfigDef:
    """The keys of a worker or of a connector. `rules` look across keys; one that needs a refused key says nothing."""

    keys: tuple[ConfigKey, ...]
    families: tuple[KeyFamily, ...] = ()
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        names = [key.name for key in self.keys] + [family.prefix for family in self.families]
        if len(set(names)) != len(names):
            raise ValueError(f"declared twice: {sorted({name for name in names if names.count(name) > 1})}")

    def parse(self, raw: Mapping[str, RawValue], resolve: Resolver) -> Configuration:
        """The checked configuration; ConfigurationRefused with every problem, sorted by key."""
        settings: dict[str, Setting] = {}
        members, problems = self._assign(raw)
        for key in self.keys:
            result = key.read(raw.get(key.name), resolve)
            if isinstance(result, Setting):
                settings[key.name] = result
            else:
                problems += result
        for family in self.families:
            found, refused = family.read(members[family.prefix], resolve)
            settings |= found
            problems += refused
        configuration = Configuration(settings, members)
        problems += [problem for rule in self.rules for problem in _found_by(rule, configuration)]
        if problems:
            raise refusal(problems)
        return configuration

    def _assign(self, raw: Mapping[str, RawValue]) -> tuple[dict[str, dict[str, RawValue]], list[Problem]]:
        """The raw values of each family, the longest prefix first, and a problem for each key that has no home."""
        known = {key.name for key in self.keys}
        members: dict[str, dict[str, RawValue]] = {family.prefix: {} for family in self.families}
        by_length = sorted(members, key=len, reverse=True)
        problems = []
        for name in raw.keys() - known:
            prefix = next((prefix for prefix in by_length if name.startswith(prefix) and name != prefix), None)
            if prefix is None or not _is_name(name):
                problems.append(self._unknown(name, raw[name].origin))
            else:
                members[prefix][name] = raw[name]
        return members, problems

    def _unknown(self, name: str, origin: str) -> Problem:
        nearest = self._nearest(name[:_MAX_COMPARED_CHARACTERS])
        hint = f'; did you mean "{nearest}"?' if nearest else "; allowed: the documented keys"
        return Problem(name, f"unknown key{hint} ({origin})")

    def _nearest(self, name: str) -> str | None:
        candidates = [key.name for key in self.keys]
        for family in self.families:
            depth = family.prefix.count(".")
            head, rest = ".".join(name.split(".")[:depth]) + ".", ".".join(name.split(".")[depth:])
            if rest and difflib.get_close_matches(head, [family.prefix]):
                candidates.append(family.prefix + rest)
        return next(iter(difflib.get_close_matches(name, candidates, n=1)), None)


def _found_by(rule: Rule, configuration: Configuration) -> list[Problem]:
    try:
        return list(rule(configuration))
    except KeyError:  # a value it needs was refused already
        return []


def first_sentence(text: str) -> str:
    return re.split(r"(?<=\.)\s", text.strip(), maxsplit=1)[0]


def _is_name(name: str) -> bool:
    return name.isprintable() and " " not in name and len(name) <= _MAX_COMPARED_CHARACTERS


def _is_text(text: str) -> bool:
    """Lone surrogates stand for bytes of the environment that are not UTF-8; C libraries end a text at NUL."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _is_hidden(setting: Setting) -> bool:
    return setting.shown != render(setting.value) or setting.shown == HIDDEN


def _without(hidden: Iterable[str], text: str) -> str:
    for value in sorted(filter(None, hidden), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text
