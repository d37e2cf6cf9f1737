"""Docker, its images and Compose, or a loud reason why these tests do not run."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.servers.requirement import not_run
from tests.servers.versions import KAFKA_IMAGE, REGISTRY_IMAGE

CHECKOUT = Path(__file__).parents[2]
BASE_IMAGE = "python:3.13-slim-bookworm"
PULL_SECONDS = 60
BUILD_SECONDS = 600


@pytest.fixture(scope="session")
def docker() -> str:
    """The path of a docker whose daemon answers."""
    path = shutil.which("docker")
    if path is None or _run([path, "version"]).returncode != 0:
        not_run("Docker does not answer")
    return path


@pytest.fixture(scope="session")
def image(docker: str) -> str:
    """The bridge's image, built from this checkout."""
    _require_image(docker, BASE_IMAGE)
    tag = "rma-bridge:test"
    built = _run([docker, "build", "--quiet", "--tag", tag, str(CHECKOUT)], seconds=BUILD_SECONDS)
    assert built.returncode == 0, built.stderr
    return tag


@pytest.fixture(scope="session")
def compose(docker: str) -> Sequence[str]:
    """The Compose command, with every image that docker-compose.yml names at hand."""
    if _run([docker, "compose", "version"]).returncode != 0:
        not_run("Docker has no compose plugin")
    for name in (BASE_IMAGE, KAFKA_IMAGE, REGISTRY_IMAGE):
        _require_image(docker, name)
    return [docker, "compose", "--project-name", f"rma-bridge-test-{os.getpid()}"]


def _require_image(docker: str, name: str) -> None:
    if _run([docker, "image", "inspect", name]).returncode == 0:
        return
    try:
        pulled = _run([docker, "pull", "--quiet", name], seconds=PULL_SECONDS)
    except subprocess.TimeoutExpired:
        not_run(f"{name} is not here after {PULL_SECONDS} s of pulling")
    if pulled.returncode != 0:
        not_run(f"{name} cannot be pulled")


def _run(command: Sequence[str], *, seconds: float = 30) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds, cwd=CHECKOUT)
