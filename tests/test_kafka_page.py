"""The recipes of docs/kafka.md."""

import re
from pathlib import Path

import pytest

from bridge.config.configuration import RawValue, no_references
from bridge.config.properties import parse
from bridge.definitions import WORKER

PAGE = (Path(__file__).parents[1] / "docs" / "kafka.md").read_text()
RECIPES = re.findall(r"^```properties\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: parse(recipe)["bootstrap.servers"].value)
def test_recipe_when_parsed(recipe: str) -> None:
    """It is accepted, and every secret in it is a reference."""
    texts = {key: entry.value for key, entry in parse(recipe).items()}
    secrets = {key: text for key, text in texts.items() if key.endswith(("password", "secret"))}
    assert all(text.startswith("${dir:") for text in secrets.values())

    raw = {key: RawValue("a-secret" if key in secrets else text, "docs/kafka.md") for key, text in texts.items()}
    raw["schema.registry.url"] = RawValue("http://registry:8081", "test")
    assert WORKER.parse(raw, no_references)["security.protocol"] == texts["security.protocol"]


def test_recipes_when_counted() -> None:
    """They were found, not none of them."""
    assert len(RECIPES) >= 14
