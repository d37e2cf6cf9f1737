"""Logs: one line a record, for machines and for people, bounded, with nothing that could forge another line."""

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest

from bridge.telemetry.logs import MAX_TEXT_CHARS, JsonFormatter, TextFormatter, configure

LOGGER = logging.getLogger("bridge.test")


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """configure() is for a process of its own; the tests' process goes on."""
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    yield
    logging.captureWarnings(capture=False)
    root.level, root.handlers[:] = before


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def record(message: str = "said", **fields: object) -> logging.LogRecord:
    return LOGGER.makeRecord("bridge.test", logging.WARNING, "f.py", 1, message, (), None, extra=fields)


def test_json_has_time_level_and_fields() -> None:
    """Each record is one JSON object with its own fields beside the common ones."""
    entry = json.loads(JsonFormatter().format(record(connector="rma-source", unflushed=3)))

    assert {name: entry[name] for name in ("level", "logger", "message", "connector", "unflushed")} == {
        "level": "WARNING",
        "logger": "bridge.test",
        "message": "said",
        "connector": "rma-source",
        "unflushed": 3,
    }
    assert entry["time"].endswith("Z")
    assert len(entry) == 6


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()], ids=["json", "text"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("one\ntwo", id="line feed"),
        pytest.param("one\r\ntwo", id="carriage return"),
        pytest.param("\x1b[31mred", id="terminal escape"),
        pytest.param("\u2028line separator", id="unicode line separator"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param("\x00", id="zero"),
    ],
)
def test_format_when_text_would_break_the_line(formatter: logging.Formatter, text: str) -> None:
    """Untrusted text stays one printable line, in the message and in fields, and can be written as UTF-8."""
    for line in (formatter.format(record(text)), formatter.format(record(field=text))):
        assert line.encode().decode().isprintable()


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()], ids=["json", "text"])
def test_format_when_text_is_long(formatter: logging.Formatter) -> None:
    """Text is cut at its bound."""
    line = formatter.format(record("m" * 10_000, field="f" * 10_000))

    assert len(line) < 2 * MAX_TEXT_CHARS + 200


def test_format_when_there_is_an_exception() -> None:
    """The trace is a field in JSON and stands below the line in text."""
    failed = record()
    failed.exc_info = ZeroDivisionError, ZeroDivisionError("broken"), None

    assert "ZeroDivisionError: broken" in json.loads(JsonFormatter().format(failed))["exception"]
    assert TextFormatter().format(failed).splitlines()[-1] == "ZeroDivisionError: broken"


@pytest.mark.parametrize(
    ("log_format", "stream", "is_json"),
    [
        ("auto", io.StringIO(), True),
        ("auto", Terminal(), False),
        ("json", Terminal(), True),
        ("text", io.StringIO(), False),
    ],
    ids=["auto, no terminal", "auto, terminal", "json", "text"],
)
def test_configure_chooses_the_format(log_format: str, stream: io.StringIO, is_json: bool) -> None:
    """Text is for terminals or on request, JSON for the rest."""
    configure("INFO", log_format, stream)  # type: ignore[arg-type]
    LOGGER.info("said")

    assert stream.getvalue().startswith("{") == is_json


def test_configure_sets_the_level() -> None:
    """What is below the level is not written; a library's chatter stays out at INFO."""
    stream = io.StringIO()
    configure("INFO", "json", stream)
    LOGGER.debug("hidden")
    logging.getLogger("uvicorn.error").info("hidden")
    LOGGER.info("shown")

    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["shown"]


def test_configure_takes_warnings_in() -> None:
    """Python's warnings are log lines as everything else."""
    stream = io.StringIO()
    configure("INFO", "json", stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("careful", UserWarning, stacklevel=1)

    assert "careful" in json.loads(stream.getvalue())["message"]
