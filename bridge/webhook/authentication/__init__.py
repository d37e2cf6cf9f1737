"""Who is calling? One file per method, each an Authenticator; a connector may use several at once."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final, Protocol

from bridge.errors import CredentialsRefused

_DIGEST_KEY: Final = secrets.token_bytes(32)


class Authenticator(Protocol):
    """One method of authentication."""

    @property
    def challenge(self) -> str:
        """The method's `WWW-Authenticate` value (RFC 9110, 11.6.1)."""

    def check_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
        """Return the principal, or None where the credential does not match or is not there.

        Names are in lower case. Runs before the body is read. Raises TemporarilyUnavailable where it cannot tell now;
        never anything else, whatever the bytes.
        """


def authenticate(methods: Sequence[Authenticator], headers: Sequence[tuple[bytes, bytes]]) -> str:
    """Return the principal of the first method that accepts.

    Raises CredentialsRefused where none does.
    """
    for method in methods:
        principal = method.check_headers(headers)
        if principal is not None:
            return principal
    raise CredentialsRefused("no credential matched")


def digest(secret: bytes) -> bytes:
    """Return a digest of fixed length, so that comparing two never tells how alike the secrets are."""
    return hashlib.blake2b(secret, key=_DIGEST_KEY, digest_size=32).digest()


def only_value(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return a header's value, None where it is missing or repeated."""
    values = [value for header, value in headers if header == name]
    return values[0] if len(values) == 1 else None
