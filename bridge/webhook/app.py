"""The ASGI application of the public port: the connectors' webhooks, and 404 for everything else."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.webhook.acknowledgement import not_found


def webhook_app(endpoints: Mapping[str, ASGIApp]) -> ASGIApp:
    """Return the application that serves each endpoint on its path, with and without a trailing slash.

    The path is looked up by itself: a router would cost more than the rest of the request's handling.
    """
    exact = {spelling: endpoint for path, endpoint in endpoints.items() for spelling in (path, f"{path}/")}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        endpoint = exact.get(scope["path"])
        if endpoint is not None:
            await endpoint(scope, receive, send)
            return
        start, body = not_found()
        await send(start)
        await send(body)

    return app
