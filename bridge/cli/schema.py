"""Show our Avro schemas, check them against their releases or a registry, compare, register.

`check` changes nothing, and exit code 1 says that the schema breaks compatibility. `check --released` needs no
registry and no configuration.
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
from bridge.avro.releases import LEVEL, history_breaches
from bridge.avro.schemas import Schema, load_schema, parse_schema, released_schemas, same_schema, schema_names
from bridge.avro.subject import resolve_schema_id
from bridge.cli.exit_codes import ExitCode
from bridge.cli.loading import Loaded, Overrides, add_configuration_arguments, load
from bridge.config.configuration import RawValue
from bridge.errors import RegistryError, RegistryRefused, SchemaIncompatible, SchemaMissing

_UNUSED: Final = RawValue("127.0.0.1:1", "not used by this command")
_REMEDY: Final = (
    "keep every required field, type and name as it is and add fields only as optional ones, or start a new topic"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print one of our schemas")
    show.add_argument("name", choices=schema_names(), metavar="NAME", help=f"one of: {', '.join(schema_names())}")
    for action, summary in _SUMMARIES.items():
        arguments = actions.add_parser(action, help=summary, description=summary)
        add_configuration_arguments(arguments)
        if action == "check":
            arguments.add_argument(
                "--released", action="store_true", help="against our own released versions: no registry, no files"
            )


def run(arguments: argparse.Namespace) -> int:
    """Carry out the action for every connector; the exit code is the worst."""
    if arguments.action == "show":
        return _show(load_schema(arguments.name))
    if arguments.action == "check" and arguments.released:
        return _check_releases(arguments)
    loaded = load(arguments, Overrides(worker_defaults={"bootstrap.servers": _UNUSED}))
    return asyncio.run(_run(_ACTIONS[arguments.action], loaded))


def _show(schema: Schema) -> int:
    print("\n".join(_lines(schema)))
    return ExitCode.CLEAN_STOP


def _check_releases(arguments: argparse.Namespace) -> int:
    if arguments.worker is not None:
        print("rma-bridge schema check: --released asks no registry and takes no files", file=sys.stderr)
        return ExitCode.USAGE
    return max(_check_release(load_schema(name), released_schemas(name)) for name in schema_names())


def _check_release(schema: Schema, released: list[Schema]) -> ExitCode:
    found = history_breaches([*released, schema])
    for why in found:
        print(f"{schema.subject}: breaks {LEVEL}: {why}")
    if found:
        print(f"{schema.subject}: {_REMEDY}; see docs/schemas.md")
        return ExitCode.CHECK_FAILED
    if released and json.loads(released[-1].text) == json.loads(schema.text):
        print(f"{schema.subject}: is release {len(released)}")
    else:
        print(f"{schema.subject}: may become release {len(released) + 1}, each reads what any other wrote")
    return ExitCode.CLEAN_STOP


async def _run(action: Callable[[RegistryClient, Schema], Awaitable[int]], loaded: Loaded) -> int:
    worst: int = ExitCode.CLEAN_STOP
    for connector in loaded.connectors:
        schema = connector_schema(connector.checked)
        try:
            async with RegistryClient(registry_settings(loaded.worker, connector.checked)) as client:
                worst = max(worst, await action(client, schema))
        except RegistryError as error:
            print(f"{schema.subject}: {error.code}: {error}", file=sys.stderr)
            refused = isinstance(error, SchemaIncompatible)
            worst = max(worst, ExitCode.CHECK_FAILED if refused else ExitCode.COULD_NOT_START)
    return worst


async def _register(client: RegistryClient, schema: Schema) -> int:
    schema_id = await resolve_schema_id(client, schema, auto_register=True)
    print(f"{schema.subject}: registered with id {schema_id}, compatibility {await _level(client, schema.subject)}")
    return ExitCode.CLEAN_STOP


async def _check(client: RegistryClient, schema: Schema) -> int:
    reasons = await client.check_compatibility(schema.subject, schema.text)
    for reason in reasons:
        print(f"{schema.subject}: incompatible: {reason}")
    if reasons:
        print(f"{schema.subject}: {_REMEDY}; see docs/schemas.md")
        return ExitCode.CHECK_FAILED
    try:
        found = await client.lookup(schema.subject, schema.text)
        print(f"{schema.subject}: registered as version {found.version} with id {found.id}")
    except SchemaMissing:
        print(f"{schema.subject}: compatible, not registered yet; register it with: rma-bridge schema register")
    await _warn_of_level(client, schema.subject)
    return ExitCode.CLEAN_STOP


async def _diff(client: RegistryClient, schema: Schema) -> int:
    try:
        latest = await client.latest(schema.subject)
    except SchemaMissing:
        print(f"{schema.subject}: the registry has no version yet; register ours with: rma-bridge schema register")
        return ExitCode.CHECK_FAILED
    try:
        registered = parse_schema(latest.schema_text, subject=schema.subject)
    except ValueError:
        print(f"{schema.subject}: version {latest.version} in the registry is no Avro schema; is it another topic's?")
        return ExitCode.CHECK_FAILED
    if same_schema(registered, schema):
        print(f"{schema.subject}: version {latest.version} in the registry is ours")
        return ExitCode.CLEAN_STOP
    names = (f"registry version {latest.version}", "ours")
    print("\n".join(difflib.unified_diff(_lines(registered), _lines(schema), *names, lineterm="")))
    return ExitCode.CHECK_FAILED


async def _warn_of_level(client: RegistryClient, subject: str) -> None:
    """A new subject gets our level from `register`; an older one keeps its own."""
    try:
        await client.latest(subject)
    except SchemaMissing:
        return
    level = await _level(client, subject)
    if level != LEVEL:
        print(f"{subject}: its level is {level}; set it to {LEVEL}, or the registry lets pass what breaks consumers")


async def _level(client: RegistryClient, subject: str) -> str:
    try:
        return await client.compatibility_level(subject)
    except RegistryRefused:
        return "unknown (we may not ask)"


def _lines(schema: Schema) -> list[str]:
    return json.dumps(json.loads(schema.text), indent=2, ensure_ascii=False).splitlines()


_ACTIONS: Final = {"register": _register, "check": _check, "diff": _diff}
_SUMMARIES: Final = {
    "check": "ask the registry whether it would take each connector's schema; changes nothing",
    "diff": "compare each connector's schema with the registry's latest version",
    "register": "register each connector's schema; a new subject is given FULL_TRANSITIVE",
}
