"""Kafka credentials that change while the bridge runs: passwords behind references, certificates in files.

References are resolved again from time to time; where something differs the producer goes over to a new client. What
cannot be read or used leaves the last good credentials in force, and is said once a minute at most.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from bridge.errors import ConfigurationRefused, DeliveryFailed

INTERVAL_SECONDS: Final = 20.0
_REMIND_SECONDS: Final = 60.0
_FILE_SUFFIX: Final = ".location"

Settings = Mapping[str, Any]

logger = logging.getLogger(__name__)


class Replaceable(Protocol):
    """A producer that can go over to other settings."""

    async def replace(self, settings: Settings) -> None:
        """Raises DeliveryFailed where the settings cannot be used; then the former ones stay."""


async def keep_fresh(
    read: Callable[[], Mapping[str, Settings]],
    producers: Mapping[str, Replaceable],
    *,
    interval_seconds: float = INTERVAL_SECONDS,
) -> None:
    """Give each producer the settings that `read` returns for it, whenever they differ from before; runs for ever.

    `read` may block, and raises ConfigurationRefused where a reference cannot be resolved.
    """
    known = {name: fingerprint(settings) for name, settings in (await asyncio.to_thread(read)).items()}
    reminder = _Reminder()
    while True:
        await asyncio.sleep(interval_seconds)
        try:
            fresh = await asyncio.to_thread(read)
        except ConfigurationRefused as refused:
            reminder.say(f"credentials could not be read again, the former ones stay: {'; '.join(refused.problems)}")
            continue
        for name, settings in fresh.items():
            now = await asyncio.to_thread(fingerprint, settings)
            if now != known[name] and await _replaced(producers[name], settings, name, reminder):
                known[name] = now


async def _replaced(producer: Replaceable, settings: Settings, name: str, reminder: "_Reminder") -> bool:
    try:
        await producer.replace(settings)
    except DeliveryFailed as refused:
        reminder.say(f"the new credentials of {name} cannot be used, the former ones stay: {refused}")
        return False
    logger.info("the producer goes over to new credentials", extra={"connector": name})
    return True


def fingerprint(settings: Settings) -> str:
    """Return a digest of the settings and of the files they name; an unreadable file counts as empty."""
    digest = hashlib.sha256()
    for name in sorted(settings):
        digest.update(f"{name}={settings[name]!r}\n".encode())
        if name.endswith(_FILE_SUFFIX):
            digest.update(_content(Path(settings[name])))
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


class _Reminder:
    """Says the same thing once a minute at most."""

    def __init__(self) -> None:
        self._said: tuple[str, float] = ("", 0.0)

    def say(self, message: str) -> None:
        now = asyncio.get_running_loop().time()
        text, at = self._said
        if message != text or now - at >= _REMIND_SECONDS:
            logger.warning(message)
            self._said = (message, now)
