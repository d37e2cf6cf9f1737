"""An OAuth 2.0 token endpoint for the client credentials grant, with the keys that its tokens are checked by."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.servers.certificates import Certificate, modulus, rsa_key, sign

ISSUER = "https://issuer.test"
AUDIENCE = "kafka"
EXPONENT = 65_537
LIFETIME_SECONDS = 300


@dataclass(frozen=True)
class TokenServer:
    """`url` gives tokens to whoever has the client's secret; `key_set` is a file with the JSON Web Key Set."""

    url: str
    key_set: Path


@contextmanager
def token_server(
    folder: Path, certificate: Certificate, *, client_id: str, client_secret: str
) -> Iterator[TokenServer]:
    """Serve HTTPS on loopback while the block runs."""
    key = rsa_key(folder)
    key_set = folder / "keys.json"
    key_set.write_text(json.dumps({"keys": [_public(key)]}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, _login(client_id, client_secret), key, client_id))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield TokenServer(f"https://127.0.0.1:{server.server_port}/token", key_set)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, login: str, key: Path, subject: str, *arguments: Any) -> None:
        self._login, self._key, self._subject = login, key, subject
        super().__init__(*arguments)

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        granted = form.get("grant_type") == ["client_credentials"] and self.headers["authorization"] == self._login
        if granted:
            self._answer(200, {"access_token": _token(self._key, self._subject), "token_type": "Bearer"})
        else:
            self._answer(401, {"error": "invalid_client"})

    def log_message(self, *_arguments: Any) -> None:
        """Keep the tests' output clean."""

    def _answer(self, status: int, content: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _login(client_id: str, client_secret: str) -> str:
    return f"Basic {base64.b64encode(f'{client_id}:{client_secret}'.encode()).decode()}"


def _public(key: Path) -> dict[str, str]:
    exponent = EXPONENT.to_bytes(3, "big")
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": _text(modulus(key)), "e": _text(exponent)}


def _token(key: Path, subject: str) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + LIFETIME_SECONDS}
    parts = ({"alg": "RS256", "typ": "JWT", "kid": "1"}, claims)
    signed = ".".join(_text(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_text(sign(key, signed.encode()))}"


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
