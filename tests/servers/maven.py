"""The servers' Java artifacts, fetched once by Maven into a cache below the checkout."""

import fcntl
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.choice import Unavailable
from tests.servers.versions import KAFKA_VERSION, REGISTRY_VERSION

CHECKOUT = Path(__file__).parents[2]
POM = Path(__file__).with_name("pom.xml")
JAVA_VERSION = 17
DOWNLOAD_SECONDS = 600
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


def java() -> str:
    """The path of a java that is new enough for both servers."""
    path = shutil.which("java")
    if path is None:
        raise Unavailable(f"no java on PATH, {JAVA_VERSION} or newer is needed")
    answer = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', answer)
    if version is None or int(version[1]) < JAVA_VERSION:
        raise Unavailable(f"java is older than {JAVA_VERSION}")
    return path


def kafka_jars() -> Path:
    """The folder of Kafka's jars."""
    return cached(f"kafka-{KAFKA_VERSION}", _copy_kafka)


def registry_jar() -> Path:
    """Apicurio's runnable jar, with its libraries beside it."""
    folder = cached(f"apicurio-{REGISTRY_VERSION}", _copy_registry)
    return folder / f"apicurio-registry-app-{REGISTRY_VERSION}-runner.jar"


def _copy_kafka(folder: Path) -> None:
    pom = ["-f", str(POM), f"-Dkafka.version={KAFKA_VERSION}"]
    mvn(*pom, f"{COPY}:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}")


def _copy_registry(folder: Path) -> None:
    artifact = f"io.apicurio:apicurio-registry-app:{REGISTRY_VERSION}:zip:all"
    mvn(f"{COPY}:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}")
    archive = next(folder.glob("*.zip"))
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    archive.unlink()


def mvn(*arguments: str) -> None:
    path = shutil.which("mvn")
    if path is None:
        raise Unavailable("no mvn on PATH")
    command = [path, "-q", "-B", *arguments]
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=DOWNLOAD_SECONDS, cwd=CHECKOUT)
    except subprocess.CalledProcessError as exc:
        errors = [line for line in exc.stdout.splitlines() if "ERROR" in line] or ["mvn failed"]
        raise Unavailable(errors[0]) from exc
    except subprocess.TimeoutExpired as exc:
        raise Unavailable(f"mvn took longer than {DOWNLOAD_SECONDS} s") from exc


def cached(name: str, fill: Callable[[Path], None]) -> Path:
    """The cache's folder `name`, complete or absent: it is filled under another name first."""
    cache = Path(os.environ.get("RMA_BRIDGE_TEST_CACHE") or CHECKOUT / ".cache" / "servers")
    folder = cache / name
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / "lock"):
        if not folder.is_dir():
            partial = cache / f"{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            fill(partial)
            partial.rename(folder)
    return folder


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Maven's own repository is not safe for two at once."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
