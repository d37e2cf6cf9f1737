"""HTTP Basic (RFC 7617), in UTF-8 and strict base64."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import NamedTuple

from bridge.webhook.authentication import digest, only_value

_SCHEME = b"basic "


class BasicCredential(NamedTuple):
    """A user name and its password."""

    username: str
    password: str


class BasicAuthenticator:
    """Accepts any of several live credentials; keeps only their digests."""

    challenge = 'Basic realm="rma-bridge", charset="UTF-8"'

    def __init__(self, credentials: Sequence[BasicCredential]) -> None:
        self._digests = [(c.username, digest(f"{c.username}:{c.password}".encode())) for c in credentials]

    def check_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
        """Return the user name, or None."""
        value = only_value(headers, b"authorization")
        if value is None or value[: len(_SCHEME)].lower() != _SCHEME:
            return None
        try:
            presented = digest(base64.b64decode(value[len(_SCHEME) :].strip(), validate=True))
        except binascii.Error:
            return None
        matches = [name for name, expected in self._digests if hmac.compare_digest(presented, expected)]
        return matches[0] if matches else None
