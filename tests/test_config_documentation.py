"""The generated reference."""

from bridge.config.documentation import markdown
from bridge.config.keys import ConfigDef, ConfigKey, Importance, KeyFamily, Type
from bridge.config.validators import matches

DEFINITION = ConfigDef(
    keys=(
        ConfigKey(
            name="topic", type=Type.STRING, documentation="Where records go.", importance=Importance.HIGH, group="Kafka"
        ),
        ConfigKey(
            name="word",
            type=Type.STRING,
            documentation="A word.",
            default="a",
            group="Words",
            validator=matches("a|b"),
        ),
        ConfigKey(name="names", type=Type.LIST, documentation="Names.", default=[], group="Kafka"),
        ConfigKey(name="key", type=Type.PASSWORD, documentation="A key.", default=None, group="Kafka"),
    ),
    families=(
        KeyFamily(
            prefix="producer.",
            documentation="Passed on.",
            group="Kafka",
            protected={"b": "no", "acks": "all is needed"},
            secrets=frozenset({"sasl.password"}),
        ),
    ),
)

EXPECTED = """## Connector

### Kafka

#### `topic`

Where records go.

| Type | Default | Importance | Allowed |
| --- | --- | --- | --- |
| string | required | high | text |

#### `names`

Names.

| Type | Default | Importance | Allowed |
| --- | --- | --- | --- |
| list | empty | medium | values separated by commas, none of them empty |

#### `key`

A key.

| Type | Default | Importance | Allowed |
| --- | --- | --- | --- |
| password | not set | medium | a secret that is not blank |

#### `producer.*`

Passed on.

Importance: low.

Secrets: `producer.sasl.password`.

| Refused | Reason |
| --- | --- |
| `producer.acks` | all is needed |
| `producer.b` | no |

### Words

#### `word`

A word.

| Type | Default | Importance | Allowed |
| --- | --- | --- | --- |
| string | `a` | medium | text that matches `a\\|b` |
"""


def test_markdown_when_a_definition_has_groups_and_families() -> None:
    """Every key stands under its group with what an operator must know, in declared order."""
    assert markdown("Connector", DEFINITION) == EXPECTED
