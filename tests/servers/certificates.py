"""Certificates made by openssl while a test runs: an authority, and who it vouches for. Nothing of it is kept."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.choice import Unavailable

DAYS = "2"
ALTERNATIVE_NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost"
NO_AUTHORITY = "basicConstraints=critical,CA:FALSE"


@dataclass(frozen=True)
class Certificate:
    """PEM files; `store` has key and certificate in one, as Kafka's PEM key stores want them."""

    certificate: Path
    key: Path

    @property
    def store(self) -> Path:
        path = self.certificate.with_suffix(".store.pem")
        path.write_bytes(self.key.read_bytes() + self.certificate.read_bytes())
        return path


class Authority:
    """A certificate authority with its files in `folder`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self.certificate = folder / f"{name}.crt"
        self._key = folder / f"{name}.key"
        _openssl("req", "-x509", *_new_key(self._key), "-subj", f"/CN={name}", "-days", DAYS, "-out", self.certificate)

    def issue(self, common_name: str) -> Certificate:
        """A certificate for a server on this machine or for a client; the key is not encrypted."""
        made = Certificate(self._folder / f"{common_name}.crt", self._folder / f"{common_name}.key")
        subject = ("-subj", f"/CN={common_name}", "-days", DAYS, "-addext", ALTERNATIVE_NAMES, "-addext", NO_AUTHORITY)
        signed_by = ("-CA", self.certificate, "-CAkey", self._key)
        _openssl("req", "-x509", *_new_key(made.key), *subject, *signed_by, "-out", made.certificate)
        return made


def encrypted(key: Path, password: str) -> Path:
    """The key once more, behind a password."""
    path = key.with_suffix(".encrypted.key")
    _openssl("pkcs8", "-topk8", "-in", key, "-v2", "aes-256-cbc", "-passout", f"pass:{password}", "-out", path)
    return path


def pkcs12(issued: Certificate, password: str) -> Path:
    """Key and certificate in one file behind a password, as Java's key stores are by default."""
    path = issued.certificate.with_suffix(".p12")
    files: list[str | Path] = ["-in", issued.certificate, "-inkey", issued.key, "-out", path]
    _openssl("pkcs12", "-export", *files, "-passout", f"pass:{password}")
    return path


def rsa_key(folder: Path) -> Path:
    """A key for signing tokens."""
    path = folder / "tokens.key"
    _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)
    return path


def modulus(key: Path) -> bytes:
    """The public modulus of an RSA key."""
    answer = _openssl("rsa", "-in", key, "-noout", "-modulus").decode()
    return bytes.fromhex(answer.strip().removeprefix("Modulus="))


def sign(key: Path, content: bytes) -> bytes:
    """RSA with SHA-256, as RS256 wants it."""
    return _openssl("dgst", "-sha256", "-sign", key, content=content)


def _new_key(path: Path) -> list[str | Path]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", path]


def _openssl(*arguments: str | Path, content: bytes = b"") -> bytes:
    path = shutil.which("openssl")
    if path is None:
        raise Unavailable("no openssl on PATH")
    done = subprocess.run([path, *arguments], input=content, capture_output=True, check=False)
    if done.returncode != 0:
        raise Unavailable(f"openssl {arguments[0]}: {done.stderr.decode().strip()[-300:]}")
    return done.stdout
