"""Run the bridge until SIGTERM or SIGINT.

Standard output has one JSON line, once the bridge is ready; logs go to standard error.
"""

import argparse
import asyncio
import gc
import json
import logging
import signal
from collections.abc import Mapping
from functools import partial
from random import SystemRandom
from typing import Any

import uvloop

from bridge import __version__
from bridge.app import topics_of
from bridge.cli.embedding import Embedding
from bridge.cli.exit_codes import ExitCode
from bridge.cli.loading import Loaded, Overrides, add_configuration_arguments, load
from bridge.embedded.stack import embedded_stack
from bridge.kafka.settings import dead_letter_topic, producer_settings
from bridge.process import Running, running
from bridge.rotation import keep_fresh
from bridge.telemetry.logs import configure

logger = logging.getLogger("bridge")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_configuration_arguments(parser)
    parser.add_argument(
        "--embedded", action="store_true", help="bring a broker and a registry along, for trying; all is forgotten"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run to the end and return the exit code."""
    embedding = Embedding() if arguments.embedded else None
    loaded = load(arguments, embedding.overrides() if embedding else Overrides())
    configure(loaded.worker["log.level"], loaded.worker["log.format"])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(arguments, loaded, embedding))


async def _run(arguments: argparse.Namespace, loaded: Loaded, embedding: Embedding | None) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        if embedding is None:
            return await _serve(loaded, {}, stop)
        async with embedded_stack(topics_of(loaded.connectors)) as addresses:
            whole = load(arguments, embedding.overrides(addresses))
            return await _serve(whole, {} if whole.from_files else embedding.credentials, stop)
    except OSError as exc:
        logger.error("could not start: %s", exc)  # noqa: TRY400, the operator needs the reason, not our stack
        return ExitCode.COULD_NOT_START


async def _serve(loaded: Loaded, credentials: Mapping[str, str], stop: asyncio.Event) -> int:
    async with running(loaded.worker, loaded.connectors, SystemRandom()) as bridge:
        logger.info("rma-bridge %s listens", __version__, extra={"rest": bridge.rest, "webhooks": bridge.webhooks})
        rotation = asyncio.create_task(keep_fresh(partial(_producer_settings, loaded), bridge.producers))
        stopping = asyncio.create_task(stop.wait())
        ready = asyncio.create_task(bridge.worker.wait_until_ready())
        await asyncio.wait({stopping, ready, *bridge.servers}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done() and ready.exception() is None:
            _settle()
            print(json.dumps(ready_line(bridge, loaded) | dict(credentials)), flush=True)
            await asyncio.wait({stopping, *bridge.servers}, return_when=asyncio.FIRST_COMPLETED)
        for task in (rotation, ready, stopping):
            task.cancel()
        logger.info("stopping")
    logger.info("stopped")
    return ExitCode.CLEAN_STOP if stop.is_set() else ExitCode.GAVE_UP


def ready_line(bridge: Running, loaded: Loaded) -> dict[str, str]:
    """Return what the one line on standard output says; of several connectors, the first."""
    connector = loaded.connectors[0].checked
    return {
        "webhook": bridge.webhooks[connector["name"]],
        "rest": bridge.rest,
        "bootstrap.servers": ",".join(loaded.worker["bootstrap.servers"]),
        "schema.registry.url": ",".join(loaded.worker["schema.registry.url"]),
        "topic": connector["topic"],
        "dead.letter.topic": dead_letter_topic(connector),
    }


def _producer_settings(loaded: Loaded) -> dict[str, Mapping[str, Any]]:
    """Return each connector's producer settings as its references resolve now."""
    worker, *connectors = loaded.again()
    return {connector["name"]: producer_settings(worker, connector) for connector in connectors}


def _settle() -> None:
    """Spare the garbage collector what start-up made and will never be freed; an event makes no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
