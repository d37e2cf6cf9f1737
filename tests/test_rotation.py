"""Credentials that change while the bridge runs."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import ConfigurationRefused, DeliveryFailed
from bridge.rotation import INTERVAL_SECONDS, fingerprint, keep_fresh
from bridge.testing import FakeProducer

Reading = Mapping[str, Any] | Exception


class Unwilling(FakeProducer):
    """Refuses settings as long as its password is wrong."""

    async def replace(self, settings: Mapping[str, object]) -> None:
        if settings["sasl.password"] == "wrong":
            raise DeliveryFailed("no such mechanism")
        await super().replace(settings)


def rotate(readings: Sequence[Reading], producer: FakeProducer) -> list[Mapping[str, object]]:
    """Return the settings that the producer was given while the readings were taken, one each interval."""
    left = list(readings)
    all_taken = threading.Event()

    def read() -> Mapping[str, Mapping[str, Any]]:
        if not left:
            all_taken.set()
        reading = left.pop(0) if left else readings[-1]
        if isinstance(reading, Exception):
            raise reading
        return {"returns": reading}

    async def main() -> None:
        keeping = asyncio.create_task(keep_fresh(read, {"returns": producer}, interval_seconds=0.001))
        assert await asyncio.to_thread(all_taken.wait, 10)
        keeping.cancel()

    asyncio.run(main())
    return producer.replaced_by


OLD, NEW, WRONG = ({"sasl.password": text} for text in ("old", "new", "wrong"))
GONE = ConfigurationRefused(['sasl.password: "${dir:/secrets:kafka}" is not resolved: empty'])


def test_producer_when_a_password_changes() -> None:
    """It is given the new settings, once."""
    assert rotate([OLD, OLD, NEW, NEW, NEW], FakeProducer()) == [NEW]


def test_producer_when_nothing_changes() -> None:
    """It is left alone."""
    assert rotate([OLD, OLD, OLD], FakeProducer()) == []


def test_producer_when_the_secret_cannot_be_read_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """The former credentials stay, the reason is logged once a minute at most, and the next good value is taken."""
    assert rotate([OLD, GONE, GONE, GONE, NEW], FakeProducer()) == [NEW]
    assert caplog.text.count("could not be read again") == 1


def test_producer_when_the_new_settings_cannot_be_used(caplog: pytest.LogCaptureFixture) -> None:
    """They are tried again until they can, and the former ones stay meanwhile."""
    assert rotate([OLD, WRONG, WRONG, NEW], Unwilling()) == [NEW]
    assert "cannot be used" in caplog.text
    assert "wrong" not in caplog.text


def test_rotation_when_counted() -> None:
    """Three attempts fit into the 90 seconds that a change may take."""
    assert INTERVAL_SECONDS <= 30


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (lambda file: file.write_text("another certificate"), True),
        (lambda file: file.unlink(), True),
        (lambda file: file.touch(), False),
    ],
    ids=["other content", "gone", "only touched"],
)
def test_fingerprint_when_a_file_changes(tmp_path: Path, change: Callable[[Path], object], differs: bool) -> None:
    """The content of a named certificate counts, not its time."""
    certificate = tmp_path / "tls.crt"
    certificate.write_text("a certificate")
    settings = {"ssl.certificate.location": str(certificate)}
    before = fingerprint(settings)
    change(certificate)
    assert (fingerprint(settings) != before) is differs
