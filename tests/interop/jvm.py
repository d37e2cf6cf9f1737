"""Java programs: their libraries from Maven, compiled and run by any Java that is new enough, a JRE as well."""

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.servers import maven
from tests.servers.choice import Unavailable
from tests.servers.requirement import not_run
from tests.servers.versions import KAFKA_VERSION, REGISTRY_VERSION

_SOURCES: Final = Path(__file__).parent / "java"
_ENCODING: Final = ("-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8")
RUN_SECONDS: Final = 180
SMALL_HEAP: Final = "-Xmx512m"
_POM: Final = _SOURCES / "pom.xml"
# Flink reflects on collections.
_OPENED: Final = ("--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED")


def java() -> str:
    """The path of java; the test does not run where it or its version is missing."""
    try:
        return maven.java()
    except Unavailable as exc:
        reason = str(exc)
    return not_run(reason)


def jars(profile: str) -> Path:
    """The folder with the libraries of one of the pom's profiles; `kafka` is the broker's own."""
    try:
        return maven.kafka_jars() if profile == "kafka" else _fetched(profile)
    except Unavailable as exc:
        reason = f"Java libraries of {profile}: {exc}"
    return not_run(reason)


def run(
    program: str | Path, *arguments: str | Path, libraries: Sequence[str], lines: Sequence[str] = ()
) -> Sequence[str]:
    """The lines that a program of this folder, or one from another source file, writes when it is fed these."""
    source = _SOURCES / f"{program}.java" if isinstance(program, str) else program
    class_path = os.pathsep.join(f"{jars(profile)}/*" for profile in libraries)
    path = f"{_compiled(source, class_path)}{os.pathsep}{class_path}"
    command = [java(), SMALL_HEAP, *_ENCODING, *_OPENED, "-cp", path, source.stem, *map(str, arguments)]
    # Not splitlines, which knows ten more ends of a line than Java does.
    return _output(command, "".join(f"{line}\n" for line in lines)).split("\n")[:-1]


def _fetched(profile: str) -> Path:
    return maven.cached(f"interop-{profile}-{_digest(_POM)}", lambda folder: _fetch(profile, folder))


def _fetch(profile: str, folder: Path) -> None:
    pom = ["-f", str(_POM), "-P", profile, f"-Dkafka.version={KAFKA_VERSION}", f"-Dregistry.version={REGISTRY_VERSION}"]
    maven.mvn(*pom, f"{maven.COPY}:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}")


def _compiled(source: Path, class_path: str) -> Path:
    compiler = [java(), "-jar", str(next(jars("compiler").glob("ecj-*.jar")))]

    def compile_into(folder: Path) -> None:
        _output([*compiler, "-17", "-encoding", "UTF-8", "-nowarn", "-cp", _listed(class_path), "-d", folder, source])

    return maven.cached(f"interop-{source.stem}-{_digest(source, _POM)}", compile_into)


def _listed(class_path: str) -> str:
    """The compiler does not know the launcher's wildcard."""
    folders = [Path(entry).parent for entry in class_path.split(os.pathsep)]
    return os.pathsep.join(str(jar) for folder in folders for jar in sorted(folder.glob("*.jar")))


def _output(command: Sequence[str | Path], text: str = "") -> str:
    finished = subprocess.run(
        command, input=text, capture_output=True, encoding="utf-8", timeout=RUN_SECONDS, check=False
    )
    assert finished.returncode == 0, f"{finished.stdout[-1_000:]}\n{finished.stderr[-3_000:]}"
    return finished.stdout


def _digest(*files: Path) -> str:
    """A name for what comes of these files and the servers' versions."""
    parts = [KAFKA_VERSION, REGISTRY_VERSION, *(file.read_text() for file in files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
