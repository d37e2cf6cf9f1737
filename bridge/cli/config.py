"""Print the effective configuration, each value with its origin; secrets stay hidden.

With --reference, print the documentation of every key instead.
"""

import argparse
from collections.abc import Iterable

from bridge.cli.embedding import Embedding
from bridge.cli.exit_codes import ExitCode
from bridge.cli.loading import Overrides, add_configuration_arguments, load
from bridge.config.configuration import Entry
from bridge.config.documentation import markdown
from bridge.definitions import CONNECTOR, WORKER

_INTRODUCTION = """# Configuration

The names are Kafka Connect's wherever Connect has one. This page is made by `rma-bridge config --reference`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_configuration_arguments(parser)
    parser.add_argument("--embedded", action="store_true", help="as it would be with run --embedded")
    parser.add_argument("--reference", action="store_true", help="print the documentation of every key, in Markdown")


def run(arguments: argparse.Namespace) -> int:
    """Print and return the exit code."""
    if arguments.reference:
        print(reference(), end="")
        return ExitCode.CLEAN_STOP
    loaded = load(arguments, Embedding().overrides() if arguments.embedded else Overrides())
    _print_section("Worker", loaded.worker.entries())
    for connector in loaded.connectors:
        _print_section(f"Connector {connector.checked['name']}", connector.checked.entries())
    return ExitCode.CLEAN_STOP


def reference() -> str:
    """Return docs/configuration.md."""
    return "\n".join([_INTRODUCTION, markdown("Worker", WORKER), markdown("Connector", CONNECTOR)])


def _print_section(title: str, entries: Iterable[Entry]) -> None:
    shown = [(f"{entry.name}={entry.text}", entry.origin) for entry in entries]
    width = min(max((len(setting) for setting, _ in shown), default=0), 72)
    print(f"# {title}")
    for setting, origin in shown:
        print(f"{setting:<{width}}  # {origin}")
    print()
