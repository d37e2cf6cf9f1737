"""Definitions: parsing, defaults, families, rules, and every problem at once."""

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from pydantic import SecretStr

from bridge.config import references
from bridge.config.configuration import Entry, Resolution, collect, no_references
from bridge.config.keys import (
    REQUIRED,
    ConfigDef,
    ConfigKey,
    Configuration,
    Importance,
    KeyFamily,
    Problem,
    RawValue,
    Type,
)
from bridge.config.validators import between, http_path
from bridge.errors import ConfigurationRefused

SECRET = "hunter2-Zq"


def key(name: str, key_type: Type = Type.STRING, default: object = None) -> ConfigKey:
    return ConfigKey(name=name, type=key_type, default=default, documentation=f"What {name} is. More of it.")


TOPIC = key("topic", default=REQUIRED)
PATH = ConfigKey(
    name="webhook.path", type=Type.STRING, default="/rma", validator=http_path, documentation="Where events come in."
)
PORT = ConfigKey(name="port", type=Type.INT, default=0, validator=between(0, 65535), documentation="The port.")
PASSWORD = key("password", Type.PASSWORD)
PRODUCER = KeyFamily(
    prefix="producer.",
    documentation="Passed to the producer.",
    protected={"acks": "the bridge confirms only what every replica has"},
    secrets=frozenset({"sasl.password"}),
)
DEFINITION = ConfigDef((TOPIC, PATH, PORT, PASSWORD, key("producer.name"), key("names", Type.LIST, [])), (PRODUCER,))


def raw(**values: str) -> dict[str, RawValue]:
    return {name.replace("__", "."): RawValue(text, f"flag --{name}") for name, text in values.items()}


def parse(definition: ConfigDef, values: Mapping[str, RawValue]) -> Configuration:
    return definition.parse(values, references.resolver(ALLOW_ALL, ENVIRONMENT))


def problems(definition: ConfigDef, values: Mapping[str, RawValue]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationRefused) as refused:
        parse(definition, values)
    return refused.value.problems


ENVIRONMENT = {"SECRET": SECRET, "EMPTY": "", "TOPIC": "returns", "BAD": "not a path", "BYTES": "\udcff"}
ALLOW_ALL = {references.ENV_PATTERN: RawValue("[A-Z]+", "test")}


def test_parse_when_only_what_is_required_is_set() -> None:
    """Every key has a value: its own, or its default."""
    configuration = parse(DEFINITION, raw(topic="returns"))

    assert dict(configuration) == {
        "topic": "returns",
        "webhook.path": "/rma",
        "port": 0,
        "password": None,
        "producer.name": None,
        "names": [],
    }


def test_parse_when_values_are_typed() -> None:
    """Text becomes the value of the key's type, a secret one that does not print itself."""
    configuration = parse(DEFINITION, raw(topic="t", port="80", password=SECRET, names="a,b"))

    assert configuration["port"] == 80
    assert configuration["names"] == ["a", "b"]
    assert configuration["password"] == SecretStr(SECRET)
    assert SECRET not in repr(dict(configuration))


def test_origin_when_values_come_from_several_places() -> None:
    """Each value knows where it was set."""
    configuration = parse(DEFINITION, raw(topic="t"))

    assert configuration.origin("topic") == "flag --topic"
    assert configuration.origin("port") == "default"
    with pytest.raises(KeyError):
        configuration.origin("nothing")


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        pytest.param(
            raw(webhook__path="rma"),
            'webhook.path: "rma" is not valid; allowed: a path that begins with "/", without a slash at its end,'
            " empty or dot segments, escapes, query and fragment (flag --webhook__path)",
            id="validator",
        ),
        pytest.param(
            raw(port="70000"),
            'port: "70000" is not valid; allowed: a whole number from 0 to 65535 (flag --port)',
            id="number out of bounds",
        ),
        pytest.param(
            raw(port="many"),
            'port: "many" is not valid; allowed: a whole number from 0 to 65535 (flag --port)',
            id="not a number",
        ),
        pytest.param(
            raw(topc="x"), 'topc: unknown key; did you mean "topic"? (flag --topc)', id="unknown key, one is near"
        ),
        pytest.param(raw(zzz="x"), "zzz: unknown key; allowed: the documented keys (flag --zzz)", id="unknown key"),
        pytest.param(
            raw(prodcer__linger__ms="1"),
            'prodcer.linger.ms: unknown key; did you mean "producer.linger.ms"? (flag --prodcer__linger__ms)',
            id="unknown key near a family",
        ),
        pytest.param(
            raw(producer__="1"),
            'producer.: unknown key; did you mean "producer.name"? (flag --producer__)',
            id="prefix alone",
        ),
        pytest.param(
            raw(producer__acks="1"),
            "producer.acks: may not be set: the bridge confirms only what every replica has (flag --producer__acks)",
            id="protected member",
        ),
        pytest.param(
            raw(producer__sasl__password=""),
            "producer.sasl.password: its value is not valid; allowed: a secret that is not blank"
            " (flag --producer__sasl__password)",
            id="empty secret of a family",
        ),
        pytest.param(
            raw(password="${env:EMPTY}"),
            "password: its value is not valid; allowed: a secret that is not blank (flag --password)",
            id="secret that resolves to nothing",
        ),
        pytest.param(
            raw(webhook__path="${env:BAD}"),
            'webhook.path: "${env:BAD}" is not valid; allowed: a path that begins with "/", without a slash at its end,'
            " empty or dot segments, escapes, query and fragment (flag --webhook__path)",
            id="resolved text is not quoted",
        ),
        pytest.param(
            raw(names="a\0b"),
            "names: holds bytes that are not text; allowed: UTF-8 without NUL (flag --names)",
            id="NUL",
        ),
        pytest.param(
            raw(names="a\udcff"),
            "names: holds bytes that are not text; allowed: UTF-8 without NUL (flag --names)",
            id="bytes of the environment that are no UTF-8",
        ),
        pytest.param(
            raw(password="${env:BYTES}"),
            "password: holds bytes that are not text; allowed: UTF-8 without NUL (flag --password)",
            id="bytes behind a reference",
        ),
        pytest.param(
            {"a\nb": RawValue("", "x")},
            '"a\\nb": unknown key; allowed: the documented keys (x)',
            id="name with a line end",
        ),
    ],
)
def test_parse_when_one_thing_is_wrong(values: dict[str, RawValue], problem: str) -> None:
    """A problem names the key, what is wrong, what is allowed and where it was set."""
    assert problems(DEFINITION, raw(topic="t") | values) == (problem,)


def test_parse_when_a_required_key_is_missing() -> None:
    """The first sentence of its documentation says what is missing."""
    assert problems(DEFINITION, {}) == ("topic: required and not set; What topic is.",)


def test_parse_when_several_things_are_wrong() -> None:
    """All problems come at once, sorted by key."""
    found = problems(DEFINITION, raw(port="x", password="", zzz="1", producer__acks="1"))

    assert [problem.split(":")[0] for problem in found] == ["password", "port", "producer.acks", "topic", "zzz"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("${env:SECRET}", "${env:SECRET}", id="reference"),
        pytest.param(SECRET, "[hidden]", id="literal"),
        pytest.param(f"{SECRET}${{env:TOPIC}}", "[hidden]", id="literal beside a reference"),
        pytest.param("${vault:" + SECRET + "}", "[hidden]", id="provider that is not known"),
    ],
)
@pytest.mark.parametrize("name", ["password", "producer.sasl.password"])
def test_entries_when_a_secret_is_set(name: str, text: str, shown: str) -> None:
    """A secret is hidden, and a reference to it is shown only where nothing stands beside it."""
    configuration = parse(DEFINITION, raw(topic="t") | {name: RawValue(text, "file a:1")})

    assert Entry(name, shown, "file a:1") in configuration.entries()


def test_entries_when_values_are_set_and_not() -> None:
    """Entries stand in declared order, then the families; a reference is shown as it was written."""
    values = raw(topic="${env:TOPIC}", port="+1", producer__linger__ms="${env:TOPIC}s", producer__a="http://u:p@host")

    assert parse(DEFINITION, values).entries() == [
        Entry("topic", "${env:TOPIC}", "flag --topic"),
        Entry("webhook.path", "/rma", "default"),
        Entry("port", "1", "flag --port"),
        Entry("password", "null", "default"),
        Entry("producer.name", "null", "default"),
        Entry("names", "", "default"),
        Entry("producer.a", "http://[hidden]@host", "flag --producer__a"),
        Entry("producer.linger.ms", "${env:TOPIC}s", "flag --producer__linger__ms"),
    ]


def test_family_when_members_and_a_declared_key_share_the_prefix() -> None:
    """A family has its members by suffix, secrets revealed, without the keys that are declared themselves."""
    values = raw(topic="t", producer__linger__ms="5", producer__name="n", producer__sasl__password="${env:SECRET}")
    configuration = parse(DEFINITION, values)

    assert configuration.family("producer.") == {"linger.ms": "5", "sasl.password": SECRET}
    assert configuration["producer.sasl.password"] == SecretStr(SECRET)


def test_family_when_the_prefix_is_not_declared() -> None:
    """An undeclared family is a mistake of the caller; a declared one may be empty."""
    configuration = parse(DEFINITION, raw(topic="t"))

    assert configuration.family("producer.") == {}
    with pytest.raises(KeyError):
        configuration.family("consumer.")


def test_family_when_prefixes_overlap() -> None:
    """A key belongs to the family with the longest prefix."""
    families = (KeyFamily(prefix="a.", documentation="A."), KeyFamily(prefix="a.b.", documentation="B."))
    configuration = parse(ConfigDef((), families), raw(a__b__c="1", a__d="2"))

    assert configuration.family("a.b.") == {"c": "1"}
    assert configuration.family("a.") == {"d": "2"}


def test_check_when_members_do_not_fit_together() -> None:
    """A family's check sees all members, and a secret that it quotes is taken out."""

    def quoting(members: Mapping[str, str]) -> list[tuple[str, str]]:
        return [(suffix, f"no such property, value {value}") for suffix, value in sorted(members.items())]

    family = KeyFamily(prefix="p.", documentation="P.", secrets=frozenset({"key"}), check=quoting)
    found = problems(ConfigDef((), (family,)), raw(p__key=SECRET, p__user="${env:SECRET}", p__x="5"))

    assert found == (
        "p.key: no such property, value [hidden]",
        "p.user: no such property, value [hidden]",
        "p.x: no such property, value 5",
    )


def at_most_one(configuration: Configuration) -> Iterable[Problem]:
    if configuration["a"] and configuration["b"]:
        yield Problem("a", "set beside b; allowed: one of them")


RULED = ConfigDef((key("a", Type.BOOLEAN, default=False), key("b", Type.BOOLEAN, default=False)), rules=(at_most_one,))


def test_rules_when_every_key_is_valid() -> None:
    """A rule across keys refuses what each key alone allows."""
    assert problems(RULED, raw(a="true", b="true")) == ("a: set beside b; allowed: one of them",)


def test_rules_when_a_key_is_refused() -> None:
    """Rules run only over values that exist."""
    assert problems(RULED, raw(a="true", b="perhaps")) == (
        'b: "perhaps" is not valid; allowed: true or false (flag --b)',
    )


@pytest.mark.parametrize(
    ("key_type", "default"),
    [
        pytest.param(Type.INT, "1", id="text for a number"),
        pytest.param(Type.INT, True, id="boolean for a number"),
        pytest.param(Type.DOUBLE, 1, id="integer for a double"),
        pytest.param(Type.PASSWORD, "secret", id="plain text for a secret"),
    ],
)
def test_config_key_when_its_default_is_not_of_its_type(key_type: Type, default: object) -> None:
    """A wrong declaration fails where it stands."""
    with pytest.raises(ValueError, match="its default is not a valid"):
        key("a", key_type, default)


def test_config_key_when_its_validator_refuses_the_default() -> None:
    """A default obeys the key's own validator."""
    with pytest.raises(ValueError, match="its default is not a valid STRING"):
        ConfigKey(name="a", type=Type.STRING, default="b", validator=http_path, documentation="A.")


def test_config_def_when_a_key_is_declared_twice() -> None:
    """Each key is declared once."""
    with pytest.raises(ValueError, match=r"declared twice: \['a'\]"):
        ConfigDef((key("a"), key("b"), key("a")))


def test_literal_when_the_text_has_a_reference() -> None:
    """The text of a literal key is taken as it stands."""
    literal = ConfigKey(name="a", type=Type.STRING, documentation="A.", literal=True)

    assert parse(ConfigDef((literal,)), raw(a="${env:TOPIC}"))["a"] == "${env:TOPIC}"


def test_no_references_when_text_has_one() -> None:
    """Without providers every text stands for itself."""
    assert no_references("${env:A}") == Resolution("${env:A}", "${env:A}")


def test_raw_value_when_printed() -> None:
    """A raw value does not print its text, which may be a secret."""
    assert SECRET not in repr(RawValue(SECRET, "test"))
    assert SECRET not in repr(Resolution(SECRET, SECRET))


def test_collect_when_some_steps_are_refused() -> None:
    """The problems of all steps come in one error, the results only where none is refused."""

    def refuse(problem: str) -> int:
        raise ConfigurationRefused([problem])

    assert collect([lambda: 1, lambda: 2]) == [1, 2]
    with pytest.raises(ConfigurationRefused) as refused:
        collect([lambda: refuse("a"), lambda: 1, lambda: refuse("b")])
    assert refused.value.problems == ("a", "b")


def test_importance_and_type_when_shown() -> None:
    """The words are Connect's closed sets."""
    assert list(Importance) == ["HIGH", "MEDIUM", "LOW"]
    assert list(Type) == ["BOOLEAN", "CLASS", "DOUBLE", "INT", "LIST", "LONG", "PASSWORD", "SHORT", "STRING"]


EVERY_TYPE = ConfigDef(
    (*(key(value_type.lower(), value_type) for value_type in Type), *DEFINITION.keys[:3], *references.KEYS),
    (PRODUCER, KeyFamily(prefix="a.b.", documentation="B.")),
)
NAMES = st.one_of(
    st.sampled_from([declared.name for declared in EVERY_TYPE.keys]),
    st.sampled_from(["producer.acks", "producer.sasl.password", "a.b.c", "tpoic"]),
    st.text(st.characters(), max_size=30),
)
TEXTS = st.one_of(
    st.text(st.characters(), max_size=30),
    st.sampled_from(
        ["1", "true", "/a", "a,b", "${env:SECRET}", "${env:NONE}", "${file:/:x}", "${dir:/:", "${env:", "["]
    ),
    st.lists(st.sampled_from(["${", "env", "file", "dir", ":", "/", "A", "SECRET", "}"]), max_size=12).map("".join),
)


def outcome(texts: Mapping[str, str]) -> Configuration | ConfigurationRefused:
    values = {name: RawValue(text, "test") for name, text in texts.items()}
    try:
        return EVERY_TYPE.parse(values, references.resolver(values | ALLOW_ALL, ENVIRONMENT))
    except ConfigurationRefused as refused:
        return refused


@given(st.dictionaries(NAMES, TEXTS, max_size=4))
def test_parse_when_given_any_text(texts: dict[str, str]) -> None:
    """Any map of text parses or is refused with printable problems, and nothing else happens."""
    found = outcome({"topic": "t"} | texts)

    if isinstance(found, ConfigurationRefused):
        event("refused")
        assert found.problems
        assert all(problem.isprintable() for problem in found.problems)
    else:
        event("parsed")
        assert {*texts} <= {*found} == {entry.name for entry in found.entries()}
        assert all(isinstance(entry.text, str) for entry in found.entries())


@given(st.sampled_from(["password", "producer.sasl.password"]), TEXTS, TEXTS, st.dictionaries(NAMES, TEXTS, max_size=3))
def test_parse_when_a_secret_stands_in_any_configuration(
    name: str, before: str, after: str, texts: dict[str, str]
) -> None:
    """No message and no printed entry has a secret, wherever it stands in the text and however much else is wrong."""
    secret = "Geheimnis-77"
    literal = f"{before.replace('${', '')}{secret}{after.replace('}', '')}"
    found = outcome(texts | {"topic": f"${{env:SECRET}}{after}", "password": literal, name: literal})

    if isinstance(found, ConfigurationRefused):
        event("refused")
        shown = str(found) + repr(found)
    else:
        event("parsed")
        shown = repr(found) + repr(found.entries()) + repr(found[name])
    assert secret not in shown
    assert SECRET not in shown
