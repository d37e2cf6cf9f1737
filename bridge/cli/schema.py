"""Register, check or compare the Avro schemas of the configured connectors.

`check` asks the registry whether it would take our schema, and changes nothing; exit code 1 says it would not.
"""

import argparse
import asyncio
import difflib
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from bridge.app import connector_schema
from bridge.avro.keys import registry_settings
from bridge.avro.registry import RegistryClient
from bridge.avro.schemas import Schema, parse_schema, same_schema
from bridge.avro.subject import resolve_schema_id
from bridge.cli.exit_codes import ExitCode
from bridge.cli.loading import Loaded, Overrides, add_configuration_arguments, load
from bridge.config.configuration import RawValue
from bridge.errors import RegistryError, SchemaMissing

_UNUSED: Final = RawValue("127.0.0.1:1", "not used by this command")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("action", choices=sorted(_ACTIONS), help="what to do with each connector's schema")
    add_configuration_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Carry out the action for every connector; the exit code is the worst."""
    loaded = load(arguments, Overrides(worker_defaults={"bootstrap.servers": _UNUSED}))
    return asyncio.run(_run(_ACTIONS[arguments.action], loaded))


async def _run(action: Callable[[RegistryClient, Schema], Awaitable[int]], loaded: Loaded) -> int:
    worst: int = ExitCode.CLEAN_STOP
    for connector in loaded.connectors:
        schema = connector_schema(connector.checked)
        try:
            async with RegistryClient(registry_settings(loaded.worker, connector.checked)) as client:
                worst = max(worst, await action(client, schema))
        except RegistryError as error:
            print(f"{schema.subject}: {error.code}: {error}", file=sys.stderr)
            worst = max(worst, ExitCode.COULD_NOT_START)
    return worst


async def _register(client: RegistryClient, schema: Schema) -> int:
    schema_id = await resolve_schema_id(client, schema, auto_register=True)
    level = await client.compatibility_level(schema.subject)
    print(f"{schema.subject}: registered with id {schema_id}, compatibility {level}")
    return ExitCode.CLEAN_STOP


async def _check(client: RegistryClient, schema: Schema) -> int:
    reasons = await client.check_compatibility(schema.subject, schema.text)
    for reason in reasons:
        print(f"{schema.subject}: incompatible: {reason}")
    if reasons:
        return ExitCode.CHECK_FAILED
    try:
        found = await client.lookup(schema.subject, schema.text)
        print(f"{schema.subject}: registered as version {found.version} with id {found.id}")
    except SchemaMissing:
        print(f"{schema.subject}: compatible, not registered yet; register it with: rma-bridge schema register")
    return ExitCode.CLEAN_STOP


async def _diff(client: RegistryClient, schema: Schema) -> int:
    try:
        latest = await client.latest(schema.subject)
    except SchemaMissing:
        print(f"{schema.subject}: the registry has no version yet")
        return ExitCode.CHECK_FAILED
    registered = parse_schema(latest.schema_text, subject=schema.subject)
    if same_schema(registered, schema):
        print(f"{schema.subject}: version {latest.version} in the registry is ours")
        return ExitCode.CLEAN_STOP
    names = (f"registry version {latest.version}", "ours")
    print("\n".join(difflib.unified_diff(_lines(registered), _lines(schema), *names, lineterm="")))
    return ExitCode.CHECK_FAILED


def _lines(schema: Schema) -> list[str]:
    return json.dumps(json.loads(schema.text), indent=2, ensure_ascii=False).splitlines()


_ACTIONS: Final = {"register": _register, "check": _check, "diff": _diff}
