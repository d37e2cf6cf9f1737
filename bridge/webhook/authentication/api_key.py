"""An API key in a header of the operator's choice."""

import hmac
from collections.abc import Sequence

from bridge.webhook.authentication import digest, only_value


class ApiKeyAuthenticator:
    """Accepts any of several live keys; keeps only their digests."""

    def __init__(self, header: str, keys: Sequence[str]) -> None:
        self._header = header.lower().encode()
        self._digests = [digest(key.encode()) for key in keys]
        self.challenge = f'ApiKey realm="rma-bridge", header="{header}"'

    def check_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
        """Return "api-key", or None."""
        value = only_value(headers, self._header)
        if value is None:
            return None
        presented = digest(value)
        matches = [expected for expected in self._digests if hmac.compare_digest(presented, expected)]
        return "api-key" if matches else None
