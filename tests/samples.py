"""Requests as Optoro sends them."""

import base64
import json
from pathlib import Path
from typing import Any

from bridge.records import VerifiedRequest
from bridge.testing import NOW_MS

PAYLOADS = Path(__file__).parent / "payloads"
SAMPLE = (PAYLOADS / "rma_spec5_created.json").read_bytes()
NOT_JSON = b"{"
USERNAME, PASSWORD = "optoro", "pass:wörd"
API_KEY = "key-1234"


def rma(**fields: Any) -> bytes:
    """The sample with other fields, `...` taking one away."""
    document = json.loads(SAMPLE) | fields
    return json.dumps({name: value for name, value in document.items() if value is not ...}).encode()


def verified(
    body: bytes, *, tenant: str | None = "Modrno", content_type: str | None = "application/json"
) -> VerifiedRequest:
    return VerifiedRequest(body, NOW_MS, "optoro", tenant, "3", content_type, None)


def basic(username: str = USERNAME, password: str = PASSWORD) -> tuple[bytes, bytes]:
    return b"authorization", b"Basic " + base64.b64encode(f"{username}:{password}".encode())
