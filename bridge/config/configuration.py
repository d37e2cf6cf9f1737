"""The values of a configuration: what was written, what a reference stood for, and what came out checked."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from bridge.config.values import quoted, reveal
from bridge.errors import ConfigurationRefused

T = TypeVar("T")

DEFAULT_ORIGIN = "default"


@dataclass(frozen=True, slots=True)
class RawValue:
    """Text as it was written, and where: `file worker.properties:12`, `environment BRIDGE_LISTENERS`, `flag --port`."""

    text: str = field(repr=False)
    origin: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """A text after its references were replaced: `literal` is what stood outside them, `problems` why some were not."""

    text: str = field(repr=False)
    literal: str = field(repr=False)
    problems: tuple[str, ...] = ()


Resolver = Callable[[str], Resolution]


def no_references(text: str) -> Resolution:
    """The resolver that knows no provider: every text stands for itself."""
    return Resolution(text, text)


class Problem(NamedTuple):
    """One thing that is wrong: the key, and what is wrong and allowed. It never holds a secret."""

    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.key if self.key.isprintable() else quoted(self.key)}: {self.text}"


def refusal(problems: Iterable[Problem]) -> ConfigurationRefused:
    """The error for these problems, sorted by key."""
    return ConfigurationRefused([str(problem) for problem in sorted(problems)])


def collect(steps: Iterable[Callable[[], T]]) -> list[T]:
    """Every step's result; where some are refused, one ConfigurationRefused with the problems of all."""
    results: list[T] = []
    problems: list[str] = []
    for step in steps:
        try:
            results.append(step())
        except ConfigurationRefused as refused:
            problems += refused.problems
    if problems:
        raise ConfigurationRefused(problems)
    return results


class Setting(NamedTuple):
    """One checked value; `shown` is how it may be printed, `family` the prefix it came in by."""

    value: Any
    origin: str
    shown: str
    family: str | None = None


class Entry(NamedTuple):
    """One line of the effective configuration, safe to print."""

    name: str
    text: str
    origin: str


class Configuration(Mapping[str, Any]):
    """Checked values by key, defaults included; those of PASSWORD keys are `pydantic.SecretStr`.

    Members of a family stand under their full names, and together under `family`.
    """

    def __init__(self, settings: Mapping[str, Setting], prefixes: Iterable[str] = ()) -> None:
        self._settings = dict(settings)
        self._prefixes = frozenset(prefixes)

    def __getitem__(self, name: str) -> Any:
        return self._settings[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings)

    def __len__(self) -> int:
        return len(self._settings)

    def origin(self, name: str) -> str:
        """Where the value was set; `default` where nobody did. KeyError for an unknown name."""
        return self._settings[name].origin

    def secret(self, name: str) -> str | None:
        """The text of a PASSWORD, None where it is not set. KeyError for an unknown name."""
        value = self._settings[name].value
        return None if value is None else str(reveal(value))

    def family(self, prefix: str) -> dict[str, str]:
        """The members of a declared family by suffix, secrets revealed. KeyError for an undeclared prefix."""
        if prefix not in self._prefixes:
            raise KeyError(prefix)
        return {
            name.removeprefix(prefix): reveal(setting.value)
            for name, setting in self._settings.items()
            if setting.family == prefix
        }

    def entries(self) -> list[Entry]:
        """For printing, in declared order: secrets as `[hidden]`, what came from a reference as the reference."""
        return [Entry(name, setting.shown, setting.origin) for name, setting in self._settings.items()]
