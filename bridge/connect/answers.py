"""Answers in Connect's shape: JSON, and errors as `{"error_code": …, "message": …}`."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an error as Connect's clients parse it; `error_code` repeats the status."""
    return JSONResponse({"error_code": status, "message": message}, status, headers)


async def on_http_exception(_request: Request, exc: Exception) -> JSONResponse:
    """Answer Starlette's own refusals in Connect's shape instead of plain text."""
    if not isinstance(exc, HTTPException):
        raise exc
    status = HTTPStatus(exc.status_code)
    message = f"HTTP {status} {status.phrase}" if exc.detail == status.phrase else exc.detail
    return error(status, message, exc.headers)


async def on_unexpected(_request: Request, _exc: Exception) -> JSONResponse:
    """Answer a fault of ours; Starlette logs it."""
    return error(500, "Internal Server Error")
