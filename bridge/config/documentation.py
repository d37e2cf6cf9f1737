"""The reference of a definition's keys in Markdown, the same text for the same definition."""

from collections.abc import Iterator

from bridge.config.keys import REQUIRED, ConfigDef, ConfigKey, KeyFamily
from bridge.config.values import render


def markdown(title: str, definition: ConfigDef) -> str:
    """A level-two section with a subsection for each group, groups and keys in the order they were declared."""
    lines = [f"## {title}", ""]
    groups = [key.group for key in definition.keys] + [family.group for family in definition.families]
    for group in dict.fromkeys(groups):
        lines += [f"### {group}", ""]
        for key in definition.keys:
            lines += _key(key) if key.group == group else ()
        for family in definition.families:
            lines += _family(family) if family.group == group else ()
    return "\n".join(lines).rstrip("\n") + "\n"


def _key(key: ConfigKey) -> Iterator[str]:
    yield from (f"#### `{key.name}`", "", key.documentation, "")
    yield from _table(
        ("Type", "Default", "Importance", "Allowed"),
        (key.type.lower(), _default(key), key.importance.lower(), key.allowed),
    )


def _default(key: ConfigKey) -> str:
    if key.default is REQUIRED:
        return "required"
    if key.default is None:
        return "not set"
    return f"`{text}`" if (text := render(key.default)) else "empty"


def _family(family: KeyFamily) -> Iterator[str]:
    yield from (f"#### `{family.prefix}*`", "", family.documentation, "")
    yield from (f"Importance: {family.importance.lower()}.", "")
    if family.secrets:
        yield from (
            "Secrets: " + ", ".join(f"`{family.prefix}{suffix}`" for suffix in sorted(family.secrets)) + ".",
            "",
        )
    if family.protected:
        rows = [(f"`{family.prefix}{suffix}`", family.protected[suffix]) for suffix in sorted(family.protected)]
        yield from _table(("Refused", "Reason"), *rows)


def _table(heading: tuple[str, ...], *rows: tuple[str, ...]) -> Iterator[str]:
    yield _row(heading)
    yield _row(("---",) * len(heading))
    yield from map(_row, rows)
    yield ""


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
