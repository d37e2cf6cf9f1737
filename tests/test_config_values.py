"""Text to typed values, and values to text that may be shown."""

import pytest
from pydantic import SecretStr

from bridge.config.values import Type, parse_value, quoted, render, reveal


@pytest.mark.parametrize(
    ("value_type", "text", "value"),
    [
        pytest.param(Type.BOOLEAN, " TRUE ", True, id="boolean in any case"),
        pytest.param(Type.BOOLEAN, "false", False, id="boolean false"),
        pytest.param(Type.CLASS, "io.example.Source", "io.example.Source", id="class"),
        pytest.param(Type.DOUBLE, "1e3", 1000.0, id="double with exponent"),
        pytest.param(Type.DOUBLE, "-.5", -0.5, id="double without leading digit"),
        pytest.param(Type.INT, "-2147483648", -(2**31), id="least int"),
        pytest.param(Type.INT, "+2147483647", 2**31 - 1, id="greatest int, signed"),
        pytest.param(Type.SHORT, "32767", 32767, id="greatest short"),
        pytest.param(Type.LONG, "9223372036854775807", 2**63 - 1, id="greatest long"),
        pytest.param(Type.LIST, " a , b ", ["a", "b"], id="list is trimmed"),
        pytest.param(Type.LIST, "  ", [], id="empty list"),
        pytest.param(Type.STRING, " text ", "text", id="string is trimmed"),
        pytest.param(Type.STRING, "", "", id="empty string"),
    ],
)
def test_parse_value_when_text_is_of_the_type(value_type: Type, text: str, value: object) -> None:
    """Text of the type becomes the Python value of exactly that type."""
    parsed = parse_value(value_type, text)

    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("value_type", "text"),
    [
        pytest.param(Type.BOOLEAN, "yes", id="boolean yes"),
        pytest.param(Type.BOOLEAN, "1", id="boolean 1"),
        pytest.param(Type.CLASS, "", id="empty class"),
        pytest.param(Type.CLASS, "two words", id="class with space"),
        pytest.param(Type.DOUBLE, "1e999", id="infinite double"),
        pytest.param(Type.DOUBLE, "nan", id="not a number"),
        pytest.param(Type.DOUBLE, "1_0", id="double with underscore"),
        pytest.param(Type.INT, "2147483648", id="int above its range"),
        pytest.param(Type.INT, "1.0", id="int with fraction"),
        pytest.param(Type.INT, "1_000", id="int with underscore"),
        pytest.param(Type.INT, "\u0661", id="digit of another script"),
        pytest.param(Type.INT, "", id="empty int"),
        pytest.param(Type.SHORT, "-32769", id="short below its range"),
        pytest.param(Type.LONG, "9223372036854775808", id="long above its range"),
        pytest.param(Type.LONG, "9" * 5000, id="more digits than Python converts"),
        pytest.param(Type.LIST, "a,,b", id="list with an empty item"),
        pytest.param(Type.LIST, "a,", id="list with a comma at its end"),
        pytest.param(Type.PASSWORD, "", id="empty password"),
        pytest.param(Type.PASSWORD, " \n", id="blank password"),
    ],
)
def test_parse_value_when_text_is_not_of_the_type(value_type: Type, text: str) -> None:
    """What is not of the type is a ValueError, without the text in it."""
    with pytest.raises(ValueError, match=r"^$"):
        parse_value(value_type, text)


def test_parse_value_when_a_secret_has_spaces_around_it() -> None:
    """A secret is never altered."""
    assert reveal(parse_value(Type.PASSWORD, " hunter2 ")) == " hunter2 "


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "null", id="none"),
        pytest.param(True, "true", id="boolean"),
        pytest.param(["a", "b"], "a,b", id="list"),
        pytest.param(1.5, "1.5", id="double"),
        pytest.param(SecretStr("hunter2"), "[hidden]", id="secret"),
        pytest.param("http://user:p/a@s@host/x", "http://[hidden]@host/x", id="credentials in a URL"),
    ],
)
def test_render_when_value_is_typed(value: object, text: str) -> None:
    """A value is shown as it would be written, secrets and a URL's credentials hidden."""
    assert render(value) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param('a"b', '"a\\"b"', id="quote"),
        pytest.param("é", '"é"', id="letter outside ASCII"),
        pytest.param("a\nb", '"a\\nb"', id="line end"),
        pytest.param("\ud800", '"\\ud800"', id="lone surrogate"),
        pytest.param("x" * 121, '"' + "x" * 120 + '…"', id="long"),
    ],
)
def test_quoted_when_text_is_awkward(text: str, shown: str) -> None:
    """Any text becomes one bounded, printable line."""
    assert quoted(text) == shown
