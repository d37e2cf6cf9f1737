"""Who may call the REST API: nobody is asked on a loopback address, HTTP Basic is elsewhere."""

from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.connect.answers import error
from bridge.errors import CredentialsRefused
from bridge.webhook.authentication import Authenticator, authenticate

OPEN_PATHS = frozenset({"/health", "/livez", "/readyz", "/metrics"})


def guarded(app: ASGIApp, authenticator: Authenticator | None) -> ASGIApp:
    """Return the application behind the authenticator; probes and metrics stay open."""
    if authenticator is None:
        return app

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].rstrip("/") not in OPEN_PATHS:
            try:
                authenticate([authenticator], scope["headers"])
            except CredentialsRefused:
                refusal = error(401, "Unauthorized", {"WWW-Authenticate": authenticator.challenge})
                await refusal(scope, receive, send)
                return
        await app(scope, receive, send)

    return guard
