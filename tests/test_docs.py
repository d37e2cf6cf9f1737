"""The documents say what is so."""

import json
import re
from pathlib import Path

import pytest

from bridge.cli.config import reference
from bridge.config.configuration import RawValue, no_references
from bridge.config.properties import parse
from bridge.definitions import CONNECTOR, WORKER

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def blocks(language: str) -> list[str]:
    """Return the README's code blocks in a language."""
    readme = (ROOT / "README.md").read_text()
    return [text for found, text in BLOCK.findall(readme) if found == language]


def without_references(text: str) -> RawValue:
    return RawValue(re.sub(r"\$\{.*\}", "a-secret", text), "README.md")


def test_configuration_page_when_keys_change() -> None:
    """docs/configuration.md is what `rma-bridge config --reference` prints."""
    assert (ROOT / "docs" / "configuration.md").read_text() == reference()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_when_followed(page: Path) -> None:
    """Every link to a file of the repository leads somewhere."""
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert not broken


def test_worker_example_when_parsed() -> None:
    """The README's worker configuration is accepted."""
    [example] = blocks("properties")
    raw = {key: without_references(entry.value) for key, entry in parse(example).items()}
    assert WORKER.parse(raw, no_references)["security.protocol"] == "SASL_SSL"


def test_connector_example_when_parsed() -> None:
    """The README's connector configuration is accepted."""
    example = next(json.loads(text) for text in blocks("json") if '"config"' in text)
    raw = {key: without_references(value) for key, value in example["config"].items()}
    assert CONNECTOR.parse(raw | {"name": RawValue(example["name"], "README.md")}, no_references)["topic"]


def test_ready_line_example_when_compared() -> None:
    """The README's ready line has the keys that the command prints, in its order."""
    example = next(json.loads(text) for text in blocks("json") if '"webhook"' in text)
    assert list(example) == [
        "webhook",
        "rest",
        "bootstrap.servers",
        "schema.registry.url",
        "topic",
        "dead.letter.topic",
        "username",
        "password",
    ]


def test_example_connectors_when_parsed() -> None:
    """Every connector file in examples/ is accepted."""
    files = sorted(ROOT.glob("examples/**/*.properties"))
    assert files
    for file in files:
        raw = {key: without_references(entry.value) for key, entry in parse(file.read_text()).items()}
        assert CONNECTOR.parse(raw, no_references)["name"]


def test_testing_page_when_tests_move() -> None:
    """Every file, folder and test that docs/testing.md names exists."""
    named = re.findall(r"`(tests/[^`]+)`", (ROOT / "docs" / "testing.md").read_text())
    assert named
    for name in named:
        path, _, test = name.partition("::")
        assert (ROOT / path).exists(), name
        assert not test or f"def {test}(" in (ROOT / path).read_text(), name


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements/*.txt")), ids=lambda path: path.name)
def test_lock_files_when_read(lock: Path) -> None:
    """Every requirement has its hashes, and no address of an index is written down."""
    text = lock.read_text()
    assert "://" not in text
    pinned = re.findall(r"^[a-z0-9][^\s=]*==\S+", text, re.MULTILINE)
    assert pinned
    assert len(re.findall(r"^[a-z0-9][^\n]*\\\n    --hash=sha256:", text, re.MULTILINE)) == len(pinned)
