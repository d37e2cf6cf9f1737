"""Send a return's life to a webhook, as Optoro would, and print each answer."""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bridge.cli.exit_codes import ExitCode
from bridge.simulator import Sender, life_cycle, unusable, version_4, with_new_field

_OK = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("--url", required=True, help="the webhook's full URL")
    parser.add_argument("--username", required=True, help="user name for HTTP Basic")
    password = parser.add_mutually_exclusive_group(required=True)
    password.add_argument("--password", help="its password; others on this machine can see it")
    password.add_argument("--password-file", type=Path, help="a file that holds the password")
    parser.add_argument("--rma", default=f"rma-{int(time.time())}", help="the rma_identifier to use")


def run(arguments: argparse.Namespace) -> int:
    """Send everything; the exit code is 1 where an answer is not 200, 4 where there is none."""
    try:
        password = arguments.password or arguments.password_file.read_text().rstrip("\n")
        return _send_all(Sender(arguments.url, arguments.username, password), arguments.rma)
    except OSError as exc:
        print(f"{arguments.url}: {exc}", file=sys.stderr)
        return ExitCode.COULD_NOT_START


def _send_all(sender: Sender, identifier: str) -> int:
    now = datetime.now(UTC)
    extras = [make(f"{identifier}-{make.__name__}", now) for make in (version_4, with_new_field, unusable)]
    refused = 0
    for delivery in [*life_cycle(identifier, now), *extras]:
        reply = sender.post(delivery.body)
        refused += reply.status != _OK
        print(f"{reply.status} {reply.body.decode(errors='replace')}  {delivery.title}")
    return ExitCode.CHECK_FAILED if refused else ExitCode.CLEAN_STOP
