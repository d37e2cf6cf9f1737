"""Structured logs on standard error: JSON lines for machines, one readable line each on a terminal.

A record's `extra` becomes fields. Untrusted text is cut and its control characters are escaped; payloads and secrets
are never logged, so there is nothing here to hide them.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

MAX_TEXT_CHARS: Final = 1_024  # a reason that names two registries and what to do fits
_MAX_TRACE_CHARS: Final = 8_192
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

Format = Literal["auto", "json", "text"]


def configure(level: str, log_format: Format, stream: TextIO = sys.stderr) -> None:
    """Send every log of the process to `stream`; "auto" is text on a terminal and JSON elsewhere."""
    as_text = log_format == "text" or (log_format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for chatty in ("httpx2", "httpcore2", "uvicorn.access", "uvicorn.error", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, then the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _bounded(record.getMessage()),
            **_fields(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)[-_MAX_TRACE_CHARS:]
        return json.dumps(entry, ensure_ascii=True, default=str)


class TextFormatter(logging.Formatter):
    """One line for people: time, level, message, fields; a trace below it where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{_time(record)[11:23]} {record.levelname:<7} {_bounded(record.getMessage())}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    own = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    return {name: _bounded(value) if isinstance(value, str) else value for name, value in own.items()}


def _bounded(text: str) -> str:
    if len(text) > MAX_TEXT_CHARS:
        text = f"{text[:MAX_TEXT_CHARS]}…"
    return text if text.isprintable() else text.encode("unicode_escape").decode()
