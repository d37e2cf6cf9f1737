"""Configuration from where the command line says it is: flags over environment over files over defaults."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bridge.app import ConnectorConfig
from bridge.avro.keys import registry_settings
from bridge.avro.registry import RegistryClient
from bridge.config.configuration import Configuration, Problem, RawValue, Resolver, collect, refusal
from bridge.config.references import resolver
from bridge.config.sources import connector_file, environment, layer, process_environment, worker_file
from bridge.definitions import CONNECTOR, WORKER
from bridge.kafka.settings import check_client

_CONNECTOR_SUFFIXES: Final = (".json", ".properties")


@dataclass(frozen=True)
class Overrides:
    """What a command sets by itself: `worker` wins over everything, the defaults give way to what is written.

    `connectors` are whole connectors for when the operator names none.
    """

    worker: Mapping[str, RawValue] = field(default_factory=dict)
    worker_defaults: Mapping[str, RawValue] = field(default_factory=dict)
    connector_defaults: Mapping[str, RawValue] = field(default_factory=dict)
    connectors: Sequence[Mapping[str, RawValue]] = ()


@dataclass(frozen=True)
class Loaded:
    """The whole configuration, checked.

    `from_files` tells whether the operator named the connectors. `again` resolves the references in the same texts
    anew, and raises ConfigurationRefused where one cannot be resolved any more.
    """

    worker: Configuration
    connectors: Sequence[ConnectorConfig]
    from_files: bool
    again: Callable[[], Sequence[Configuration]]


def add_configuration_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where the configuration is."""
    parser.add_argument("worker", nargs="?", type=Path, metavar="WORKER.properties", help="the worker's configuration")
    parser.add_argument(
        "connectors", nargs="*", type=Path, metavar="CONNECTOR.json|.properties", help="one file for each connector"
    )
    parser.add_argument("--port", type=_port, metavar="N", help="port of the webhook; 0 takes a free one")
    parser.add_argument("--rest-port", type=_port, metavar="N", help="port of the REST API; 0 takes a free one")


def load(arguments: argparse.Namespace, overrides: Overrides | None = None) -> Loaded:
    """Return the configuration. Raises ConfigurationRefused with the problems of all files at once."""
    overrides = overrides or Overrides()
    variables = process_environment()
    from_file = worker_file(arguments.worker) if arguments.worker else {}
    raw = layer(overrides.worker, environment(variables), from_file, overrides.worker_defaults)
    raw |= _ports(arguments, raw)
    resolve = resolver(raw, variables)
    worker = partial(WORKER.parse, raw, resolve)
    files = [*arguments.connectors, *_files_in(raw.get("connectors.dir"))]
    named = collect([partial(connector_file, path) for path in files])
    given: list[Mapping[str, RawValue]] = [*named] or [*overrides.connectors]
    connectors = [partial(_connector, layer(each, overrides.connector_defaults), resolve) for each in given]
    checked = collect([worker, *connectors])
    _check_together(checked[1:])
    collect([partial(check, checked[0], each) for each in checked[1:] for check in (check_client, _check_registry)])
    texts = [{name: value.text for name, value in each.items()} for each in given]
    pairs = zip(checked[1:], texts, strict=True)
    shown = [ConnectorConfig(config, _hidden(config, text)) for config, text in pairs]
    return Loaded(checked[0], shown, from_files=bool(named), again=partial(collect, [worker, *connectors]))


def _connector(raw: Mapping[str, RawValue], resolve: Resolver) -> Configuration:
    return CONNECTOR.parse(raw, resolve)


def _check_registry(worker: Configuration, connector: Configuration) -> None:
    """Let the registry's client read certificates and credentials. Raises ConfigurationRefused."""
    RegistryClient(registry_settings(worker, connector))


def _hidden(connector: Configuration, written: Mapping[str, str]) -> dict[str, str]:
    """Return the text as written, but for secrets that stand there themselves."""
    shown = {entry.name: entry.text for entry in connector.entries()}
    return {name: shown.get(name, text) for name, text in written.items()}


def _check_together(connectors: Sequence[Configuration]) -> None:
    problems = [] if connectors else [Problem("connectors", "none; name a connector file or set connectors.dir")]
    for key in ("name", "webhook.path"):
        values = [connector[key] for connector in connectors]
        twice = sorted({value for value in values if values.count(value) > 1})
        problems += [Problem(key, f'"{value}" is that of two connectors; each needs its own') for value in twice]
    if problems:
        raise refusal(problems)


def _files_in(folder: RawValue | None) -> list[Path]:
    if folder is None:
        return []
    try:
        return sorted(path for path in Path(folder.text).iterdir() if path.suffix in _CONNECTOR_SUFFIXES)
    except OSError as exc:
        raise refusal([Problem("connectors.dir", f"cannot be read: {exc.strerror} ({folder.origin})")]) from exc


def _ports(arguments: argparse.Namespace, raw: Mapping[str, RawValue]) -> dict[str, RawValue]:
    flags = {"webhook.listeners": ("--port", arguments.port), "listeners": ("--rest-port", arguments.rest_port)}
    return {
        key: RawValue(_with_port(key, raw.get(key), port), f"flag {flag}")
        for key, (flag, port) in flags.items()
        if port is not None
    }


def _with_port(key: str, written: RawValue | None, port: int) -> str:
    default = next(declared.default[0] for declared in WORKER.keys if declared.name == key)
    host = urlsplit(written.text if written else default).hostname or "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:  # noqa: PLR2004, the range of ports
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port
