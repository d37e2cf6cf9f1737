"""What is installed is the built wheel: it must carry all that it needs, and nothing else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True, timeout=120)
    [built] = folder.glob("rma_bridge-*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_wheel_when_listed(wheel: Path) -> None:
    """The schemas lie inside the package, and nothing is installed beside it."""
    names = zipfile.ZipFile(wheel).namelist()
    assert "bridge/_schemas/returns.rma.v1-value.avsc" in names
    assert "bridge/_schemas/released/returns.rma.v1-value/1.avsc" in names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"bridge"}


def test_wheel_when_its_metadata_is_read(unpacked: Path) -> None:
    """The command, the licence and the typing marker come with the wheel."""
    [information] = unpacked.glob("*.dist-info")
    assert "rma-bridge = bridge.cli:main" in (information / "entry_points.txt").read_text()
    assert "License-Expression: Apache-2.0" in (information / "METADATA").read_text()
    assert (unpacked / "bridge" / "py.typed").exists()


def test_demo_when_run_from_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    """The demonstration works without the checkout: the package finds its own schemas."""
    program = (
        "import sys, bridge, bridge.cli; print(bridge.__file__, file=sys.stderr); sys.exit(bridge.cli.main(['demo']))"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(unpacked) in done.stderr.splitlines()[0]
    assert "Everything that was answered 200 is in Kafka" in done.stdout
