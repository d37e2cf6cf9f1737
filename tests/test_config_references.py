"""References: what they stand for, and what they may not read."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config import references
from bridge.config.configuration import RawValue, Resolution, Resolver
from bridge.config.keys import ConfigDef
from bridge.config.references import DIR_PATHS, ENV_PATTERN, FILE_PATHS, PROVIDERS
from bridge.errors import ConfigurationRefused

VARIABLES = {"RMA_USER": "u", "RMA_NESTED": "${env:RMA_USER}", "HOME": "/home"}


def resolver(settings: Mapping[str, str]) -> Resolver:
    return references.resolver({name: RawValue(text, "test") for name, text in settings.items()}, VARIABLES)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "kafka.properties").write_text("user=alice\npassword=a\\u00e9b\n")
    (folder / "token").write_text("line one\nline two\n\n")
    (folder / "windows").write_bytes(b"token\r\n")
    (tmp_path / "outside").write_text("user=eve\n")
    return folder


@pytest.fixture
def resolve(secrets: Path) -> Resolver:
    return resolver({FILE_PATHS: str(secrets), DIR_PATHS: str(secrets), ENV_PATTERN: "RMA_.*"})


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        pytest.param("${{file:{0}/kafka.properties:password}}", "aéb", id="file"),
        pytest.param("${{dir:{0}:token}}", "line one\nline two\n", id="dir, one line end taken off"),
        pytest.param("${{dir:{0}:windows}}", "token", id="dir with the line end of Windows"),
        pytest.param("${{env:RMA_USER}}", "u", id="env"),
        pytest.param("<${{env:RMA_USER}}:${{file:{0}/kafka.properties:user}}>", "<u:alice>", id="several and text"),
        pytest.param("${{env:RMA_NESTED}}", "${env:RMA_USER}", id="no second pass"),
        pytest.param("${{vault:a:b}} ${{topic}}-$1 ${{", "${vault:a:b} ${topic}-$1 ${", id="not ours"),
        pytest.param("$${{env:RMA_USER}}", "$u", id="no escape"),
    ],
)
def test_resolve_when_reading_is_allowed(resolve: Resolver, secrets: Path, text: str, resolved: str) -> None:
    """A reference becomes what it stands for; all other text stays as it is."""
    assert resolve(text.format(secrets)).text == resolved


def test_resolve_when_text_and_references_are_mixed(resolve: Resolver) -> None:
    """The text outside references is told apart."""
    assert resolve("a${env:RMA_USER}b${vault:x}").literal == "ab${vault:x}"
    assert resolve("${env:RMA_USER}${env:RMA_USER}") == Resolution("uu", "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("${env:HOME}", f"it may not be read; allowed: what {ENV_PATTERN} matches", id="env not allowed"),
        pytest.param(
            "${env:RMA_NONE}", "no such variable; allowed: one that is set in the environment", id="env unset"
        ),
        pytest.param("${env:a:RMA_USER}", "a path; allowed: ${env:NAME}", id="env with a path"),
        pytest.param(
            "${file:FOLDER/none:a}", "no such file; allowed: a file that exists and can be read", id="no file"
        ),
        pytest.param(
            "${file:FOLDER:a}", "no such file; allowed: a file that exists and can be read", id="folder for a file"
        ),
        pytest.param(
            "${file:FOLDER/kafka.properties:none}",
            "no such key in the file; allowed: a key that is set there",
            id="no key",
        ),
        pytest.param("${file:name}", "no path; allowed: ${file:path:key}", id="file without path"),
        pytest.param(
            "${file:FOLDER/../outside:user}", f"it may not be read; allowed: what is below {FILE_PATHS}", id="parent"
        ),
        pytest.param(
            "${file:FOLDER/../none:user}",
            f"it may not be read; allowed: what is below {FILE_PATHS}",
            id="missing outside, which is not told",
        ),
        pytest.param(
            "${file:secrets:user}", f"it may not be read; allowed: what is below {FILE_PATHS}", id="relative path"
        ),
        pytest.param("${file:FOLDERx:user}", f"it may not be read; allowed: what is below {FILE_PATHS}", id="sibling"),
        pytest.param("${file:/\0:a}", f"it may not be read; allowed: what is below {FILE_PATHS}", id="no path at all"),
        pytest.param("${dir:FOLDER:../outside}", "no path or no file name; allowed: ${dir:path:name}", id="dir parent"),
        pytest.param("${dir:FOLDER:..}", "no path or no file name; allowed: ${dir:path:name}", id="dir two dots"),
        pytest.param("${dir:FOLDER:}", "no path or no file name; allowed: ${dir:path:name}", id="dir without name"),
        pytest.param("${dir:/etc:passwd}", f"it may not be read; allowed: what is below {DIR_PATHS}", id="dir outside"),
    ],
)
def test_resolve_when_a_reference_cannot_be_read(resolve: Resolver, secrets: Path, text: str, problem: str) -> None:
    """What is missing or not allowed is a problem that names the key to set."""
    resolution = resolve(text.replace("FOLDER", str(secrets)))

    assert [found.split(" is not resolved: ")[1] for found in resolution.problems] == [problem]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param("${env:HOME}", ENV_PATTERN, id="env"),
        pytest.param("${file:/etc/hosts:a}", FILE_PATHS, id="file"),
        pytest.param("${dir:/etc:hosts}", DIR_PATHS, id="dir"),
    ],
)
def test_resolve_when_nothing_is_configured(text: str, key: str) -> None:
    """By default nothing may be read, and the problem says which key is not set."""
    (problem,) = resolver({})(text).problems

    assert problem.startswith(f'"{text}" is not resolved: it may not be read')
    assert problem.endswith("which is not set")
    assert key in problem


def test_resolve_when_only_the_beginning_of_a_name_matches() -> None:
    """The pattern must match the whole name."""
    assert resolver({ENV_PATTERN: "RMA"})("${env:RMA_USER}").problems


def test_resolve_when_several_references_are_wrong(resolve: Resolver) -> None:
    """Each has its own problem."""
    assert len(resolve("${env:HOME}${env:RMA_NONE}").problems) == 2


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda secrets: (secrets / "link").symlink_to(secrets.parent / "outside"), id="file"),
        pytest.param(lambda secrets: (secrets / "link").symlink_to(secrets / "link"), id="loop"),
    ],
)
def test_resolve_when_a_symbolic_link_leads_outside(
    resolve: Resolver, secrets: Path, make: Callable[[Path], None]
) -> None:
    """Real paths are compared, so a link inside does not open what is outside, and a loop nothing."""
    make(secrets)

    assert resolve(f"${{file:{secrets}/link:user}}").problems


def test_resolve_when_a_mounted_secret_is_a_chain_of_links(resolve: Resolver, secrets: Path) -> None:
    """The links with which Kubernetes mounts a secret stay inside the folder and may be read."""
    (secrets / "..2026").mkdir()
    (secrets / "..2026" / "api-key").write_text("k\n")
    (secrets / "..data").symlink_to("..2026")
    (secrets / "api-key").symlink_to("..data/api-key")

    assert resolve(f"${{dir:{secrets}:api-key}}").text == "k"


def test_resolve_when_the_allowed_path_is_a_link(secrets: Path, tmp_path: Path) -> None:
    """An allowed path may itself be a link."""
    (tmp_path / "link").symlink_to(secrets)

    assert resolver({DIR_PATHS: f"{tmp_path}/link"})(f"${{dir:{secrets}:windows}}").text == "token"


def test_resolve_when_one_file_is_allowed(secrets: Path) -> None:
    """An allowed path may be a single file, and its neighbours stay closed."""
    resolve = resolver({FILE_PATHS: f"{secrets}/kafka.properties"})

    assert resolve(f"${{file:{secrets}/kafka.properties:user}}").text == "alice"
    assert resolve(f"${{file:{secrets}/token:line}}").problems


def test_resolve_when_the_file_is_no_properties_file(resolve: Resolver, secrets: Path) -> None:
    """The problem quotes nothing of the file, which may be the secret itself."""
    (secrets / "pem").write_text("SECRETLINE\nSECRETLINE\n")

    (problem,) = resolve(f"${{file:{secrets}/pem:a}}").problems

    assert problem.endswith("the file is not a properties file with each key once")


def test_resolve_when_a_provider_is_switched_off() -> None:
    """Text of a provider that is not listed stays as it is, as in Connect."""
    resolve = resolver({PROVIDERS: "file", ENV_PATTERN: ".*"})

    assert resolve("${env:HOME}") == Resolution("${env:HOME}", "${env:HOME}")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(PROVIDERS, "file,vault", id="unknown provider"),
        pytest.param(PROVIDERS, "${env:HOME}", id="reference for the providers"),
        pytest.param(FILE_PATHS, "secrets", id="relative path"),
        pytest.param(FILE_PATHS, "/a,${env:HOME}", id="reference in a path"),
        pytest.param(DIR_PATHS, "/${env:HOME}", id="reference within a path"),
        pytest.param(ENV_PATTERN, "(", id="broken expression"),
        pytest.param(ENV_PATTERN, "${env:HOME}", id="reference for the expression"),
    ],
)
def test_provider_keys_when_they_are_not_valid(name: str, text: str) -> None:
    """The definition refuses them by name, and until they are right no reference is read."""
    raw = {ENV_PATTERN: RawValue(".*", "test"), name: RawValue(text, "test")}
    resolve = references.resolver(raw, VARIABLES)

    with pytest.raises(ConfigurationRefused) as refused:
        ConfigDef(references.KEYS).parse(raw, resolve)
    assert [problem.split(":")[0] for problem in refused.value.problems] == [name]
    assert resolve("${env:HOME}").problems


@given(st.lists(st.sampled_from([*"${}:/.a\n", "env", "file", "dir", "RMA_USER", "HOME", "${env:"]), max_size=30))
def test_resolve_when_given_any_text(pieces: list[str]) -> None:
    """Any text resolves or has problems; nothing is raised, and without a reference nothing changes."""
    text = "".join(pieces)
    resolution = resolver({FILE_PATHS: "/", DIR_PATHS: "/", ENV_PATTERN: "RMA_.*"})(text)

    assert "/home" not in resolution.text
    if resolution.literal == text and not resolution.problems:
        assert resolution.text == text
