"""The command `rma-bridge`: one module for each subcommand, each with `add_arguments` and `run`."""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from bridge import __version__
from bridge.cli import config, demo, run, schema, simulate
from bridge.cli.exit_codes import ExitCode
from bridge.errors import ConfigurationRefused

_COMMANDS: Final = {"run": run, "demo": demo, "config": config, "schema": schema, "simulate": simulate}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="rma-bridge", description="Optoro's returns webhooks as Avro records on Kafka."
    )
    parser.add_argument("--version", action="version", version=f"rma-bridge {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in _COMMANDS.items():
        summary = (module.__doc__ or "").partition("\n")[0]
        module.add_arguments(commands.add_parser(name, help=summary, description=summary))
    parsed = parser.parse_args(arguments)
    try:
        return int(_COMMANDS[parsed.command].run(parsed))
    except ConfigurationRefused as refused:
        print(f"The configuration is refused, {len(refused.problems)} problem(s):", file=sys.stderr)
        for problem in refused.problems:
            print(f"  {problem}", file=sys.stderr)
        return ExitCode.CONFIGURATION_REFUSED
    except BrokenPipeError:
        return ExitCode.COULD_NOT_START
