"""Files and environment to raw values."""

from pathlib import Path

import pytest

from bridge.config.configuration import RawValue
from bridge.config.sources import connector_file, environment, layer, worker_file
from bridge.errors import ConfigurationRefused


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused_problems(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigurationRefused) as refused:
        connector_file(path)
    return tuple(problem.replace(str(path), "FILE") for problem in refused.value.problems)


def test_worker_file_when_it_has_entries(tmp_path: Path) -> None:
    """Each entry knows its file and line."""
    path = written(tmp_path, "worker.properties", "# worker\nlisteners=http://a:1\nname = é\n")

    assert worker_file(path) == {
        "listeners": RawValue("http://a:1", f"file {path}:2"),
        "name": RawValue("é", f"file {path}:3"),
    }


def test_worker_file_when_it_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark, as Windows editors write it, is no part of the first key."""
    assert list(worker_file(written(tmp_path, "w.properties", b"\xef\xbb\xbfa=1"))) == ["a"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param('{"name": "rma", "config": {"topic": "t"}}', id="body of Connect's POST"),
        pytest.param('{"name": "rma", "config": {"name": "rma", "topic": "t"}}', id="name in both places"),
        pytest.param('{"name": "rma", "topic": "t"}', id="flat map"),
        pytest.param('{"config": {"name": "rma", "topic": "t"}}', id="name inside only"),
    ],
)
def test_connector_file_when_it_is_json(tmp_path: Path, content: str) -> None:
    """Both of Connect's shapes give the same flat configuration."""
    path = written(tmp_path, "c.json", content)

    assert connector_file(path) == {
        "name": RawValue("rma", f"file {path}"),
        "topic": RawValue("t", f"file {path}"),
    }


def test_connector_file_when_it_is_properties(tmp_path: Path) -> None:
    """A connector may be a properties file, as in Connect's standalone mode."""
    path = written(tmp_path, "c.properties", "name=rma")

    assert connector_file(path) == {"name": RawValue("rma", f"file {path}:1")}


@pytest.mark.parametrize(
    ("name", "content", "problems"),
    [
        pytest.param(
            "c.json",
            '{"tasks.max": 1, "a": null, "b": true, "c": [], "d": {}}',
            [
                f'{key}: {kind}; allowed: a string ("…"), as Connect wants every value (file FILE)'
                for key, kind in [
                    ("a", "null"),
                    ("b", "a boolean"),
                    ("c", "an array"),
                    ("d", "an object"),
                    ("tasks.max", "a number"),
                ]
            ],
            id="values that are no strings",
        ),
        pytest.param(
            "c.json",
            '{"name": "a", "config": {"name": "b"}, "initial_state": "PAUSED"}',
            [
                "initial_state: unknown beside config; allowed: name and config (file FILE)",
                "name: differs inside and beside config; allowed: one name (file FILE)",
            ],
            id="body that contradicts itself",
        ),
        pytest.param("c.json", "[]", ["FILE: an array; allowed: a JSON object"], id="array"),
        pytest.param("c.json", '"x"', ["FILE: a string; allowed: a JSON object"], id="string"),
        pytest.param("c.json", '{"a": "1", "a": "2"}', ['FILE: not a JSON file: "a" is set twice'], id="duplicate"),
        pytest.param(
            "c.json",
            '{"name": "x", "config": {"a": "1", "a": "2"}}',
            ['FILE: not a JSON file: "a" is set twice'],
            id="duplicate inside",
        ),
        pytest.param(
            "c.json",
            "{",
            ["FILE: not a JSON file: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"],
            id="broken JSON",
        ),
        pytest.param("c.json", "[" * 200_000, ["FILE: not a JSON file: nested too deeply"], id="nested JSON"),
        pytest.param("c.json", b'{"a": "\xff"}', ["FILE: cannot be read: not UTF-8 text"], id="not UTF-8"),
        pytest.param("c.json", b" " * (1024 * 1024 + 1), ["FILE: too large; allowed: 1048576 bytes"], id="too large"),
        pytest.param(
            "c.properties",
            "a=1\na=2",
            ['FILE: not a properties file: line 2: "a" is already set on line 1'],
            id="duplicate in properties",
        ),
        pytest.param(
            "c.yaml", "", ["FILE: not a connector file; allowed: a name that ends in .json or .properties"], id="suffix"
        ),
    ],
)
def test_connector_file_when_it_cannot_be_used(
    tmp_path: Path, name: str, content: str | bytes, problems: list[str]
) -> None:
    """The problem names the file and why; no value is in it."""
    assert refused_problems(written(tmp_path, name, content)) == tuple(problems)


def test_connector_file_when_it_is_missing(tmp_path: Path) -> None:
    """A file that is not there is a problem, not a crash."""
    assert refused_problems(tmp_path / "c.json") == ("FILE: cannot be read: No such file or directory",)


def test_connector_file_when_it_is_a_folder(tmp_path: Path) -> None:
    """A folder cannot be read as a file."""
    (tmp_path / "c.json").mkdir()

    assert refused_problems(tmp_path / "c.json") == ("FILE: cannot be read: Is a directory",)


def test_connector_file_when_its_name_is_no_path() -> None:
    """A name that no file can have is a problem, not a crash."""
    assert refused_problems(Path("a\0.json")) == ('"a\\u0000.json": cannot be read: not a path',)


@pytest.mark.parametrize(
    ("variable", "key"),
    [
        pytest.param("BRIDGE_LISTENERS", "listeners", id="one word"),
        pytest.param("BRIDGE_SCHEMA_REGISTRY_URL", "schema.registry.url", id="dots"),
        pytest.param("BRIDGE_A__B", "a_b", id="underscore"),
        pytest.param("BRIDGE_A___B", "a-b", id="hyphen"),
        pytest.param("BRIDGE_A____B", "a-.b", id="four underscores"),
        pytest.param("BRIDGE_", "", id="nothing after the prefix"),
    ],
)
def test_environment_when_a_variable_is_ours(variable: str, key: str) -> None:
    """A variable's name is a worker key's by the rule of Kafka's own image."""
    assert environment({variable: "x", "PATH": "/bin"}) == {key: RawValue("x", f"environment {variable}")}


def test_environment_when_two_variables_mean_one_key() -> None:
    """Neither wins by chance."""
    with pytest.raises(ConfigurationRefused) as refused:
        environment({"BRIDGE_A": "1", "BRIDGE_a": "2"})

    assert refused.value.problems == ("a: set twice; allowed: one of environment BRIDGE_A, environment BRIDGE_a",)


def test_layer_when_several_sources_have_a_key() -> None:
    """The first source wins, key by key."""
    flags = {"port": RawValue("1", "flag --port")}
    variables = {"port": RawValue("2", "environment BRIDGE_PORT"), "a": RawValue("3", "environment BRIDGE_A")}
    file = {"a": RawValue("4", "file w:1"), "b": RawValue("5", "file w:2")}

    merged = layer(flags, variables, file)

    assert {key: value.text for key, value in merged.items()} == {"port": "1", "a": "3", "b": "5"}
