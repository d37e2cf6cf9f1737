"""What the image is, whoever runs it."""

import subprocess

import pytest

LOCKED_DOWN = ["--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none"]


def run(docker: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [docker, "run", *LOCKED_DOWN, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_image_runs_as_a_numeric_user_when_nothing_is_said(docker: str, image: str) -> None:
    """Kubernetes can prove that it is not root."""
    command = [docker, "image", "inspect", "--format", "{{.Config.User}}", image]
    user = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert user.strip() == "65532:65532"


@pytest.mark.parametrize("user", ["65532", "12345"])
def test_image_works_when_nothing_is_writable(docker: str, image: str, user: str) -> None:
    """A read-only root, no capability and any user id are enough."""
    answer = run(docker, "--user", user, image, "--version")
    assert (answer.returncode, answer.stdout.split()[:1]) == (0, ["rma-bridge"])


@pytest.mark.parametrize("program", ["gcc", "cc", "make", "git", "curl"])
def test_image_lacks_the_program_when_asked_for(docker: str, image: str, program: str) -> None:
    """What the bridge does not need is not there to be used by anybody else."""
    answer = run(docker, "--entrypoint", "sh", image, "-c", f"command -v {program}")
    assert (answer.returncode != 0, answer.stdout) == (True, "")


def test_image_cannot_install_packages_when_running(docker: str, image: str) -> None:
    """The environment that the bridge runs in has no installer."""
    answer = run(docker, "--entrypoint", "python", image, "-m", "pip", "--version")
    assert (answer.returncode, "No module named pip" in answer.stderr) == (1, True)


def test_image_refuses_an_open_rest_listener_when_nobody_allowed_it(docker: str, image: str) -> None:
    """The image listens to everybody, so it wants credentials or an explicit word for the REST API."""
    brokers = ["--env", "BRIDGE_BOOTSTRAP_SERVERS=kafka:9092"]
    registry = ["--env", "BRIDGE_SCHEMA_REGISTRY_URL=http://registry:8081"]
    answer = run(docker, *brokers, *registry, image, "run")
    assert (answer.returncode, "rest.auth" in answer.stderr) == (3, True)
