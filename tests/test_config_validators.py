"""What each validator accepts."""

import pytest

from bridge.config import validators
from bridge.config.validators import Validator

URL = validators.url("http", "https")


@pytest.mark.parametrize(
    ("validator", "value"),
    [
        pytest.param(validators.one_of("a", "b"), "b", id="one_of"),
        pytest.param(validators.at_least(1), 1, id="at_least"),
        pytest.param(validators.between(0, 2), 2, id="between"),
        pytest.param(validators.non_empty, "x", id="non_empty"),
        pytest.param(validators.matches("a+"), "aa", id="matches"),
        pytest.param(validators.each(validators.one_of("a")), ["a", "a"], id="each"),
        pytest.param(validators.each(validators.one_of("a")), [], id="each of none"),
        pytest.param(validators.all_of(validators.non_empty, validators.matches("a*")), "a", id="all_of"),
        pytest.param(URL, "https://registry.example:8081/base", id="url"),
        pytest.param(URL, "http://[::1]:8081", id="url with IPv6"),
        pytest.param(validators.listener, "http://0.0.0.0:8080", id="listener"),
        pytest.param(validators.listener, "http://[::]:0", id="listener with IPv6 and a free port"),
        pytest.param(validators.http_path, "/webhooks/rma", id="http_path"),
        pytest.param(validators.http_path, "/..a/b.c", id="http_path with dots inside a segment"),
        pytest.param(validators.topic_name, "returns.rma-v1_x", id="topic_name"),
        pytest.param(validators.topic_name, "a" * 249, id="longest topic_name"),
        pytest.param(validators.topic_name, "...", id="topic_name of three dots"),
        pytest.param(validators.header_name, "X-Api-Key", id="header_name"),
        pytest.param(validators.absolute_path, "/etc/secrets", id="absolute_path"),
        pytest.param(validators.regular_expression, "RMA_.*", id="regular_expression"),
    ],
)
def test_validator_when_value_is_allowed(validator: Validator, value: object) -> None:
    """What is allowed passes."""
    assert validator.accepts(value)


@pytest.mark.parametrize(
    ("validator", "value"),
    [
        pytest.param(validators.one_of("a", "b"), "A", id="one_of in another case"),
        pytest.param(validators.at_least(1), 0, id="at_least below"),
        pytest.param(validators.between(0, 2), 3, id="between above"),
        pytest.param(validators.non_empty, "", id="non_empty"),
        pytest.param(validators.matches("a+"), "aab", id="matches only the beginning"),
        pytest.param(validators.matches("a+"), "a\n", id="matches with a line end"),
        pytest.param(validators.each(validators.one_of("a")), ["a", "b"], id="each with one wrong"),
        pytest.param(validators.all_of(validators.non_empty, validators.matches("a*")), "b", id="all_of"),
        pytest.param(URL, "ftp://host", id="url scheme"),
        pytest.param(URL, "registry:8081", id="url without scheme"),
        pytest.param(URL, "http://", id="url without host"),
        pytest.param(URL, "http://user:secret@host", id="url with credentials"),
        pytest.param(URL, "http://host:99999", id="url port"),
        pytest.param(URL, "http://host:", id="url with an empty port"),
        pytest.param(URL, "http://host:x", id="url port not a number"),
        pytest.param(URL, "http://host/?q", id="url query"),
        pytest.param(URL, "http://host/#f", id="url fragment"),
        pytest.param(URL, "http://ho st", id="url with a space"),
        pytest.param(URL, "http://ho\nst", id="url with a line end"),
        pytest.param(URL, "http://[::1", id="url with broken IPv6"),
        pytest.param(validators.listener, "http://:8080", id="listener without host"),
        pytest.param(validators.listener, "http://0.0.0.0", id="listener without port"),
        pytest.param(validators.listener, "http://0.0.0.0:80/", id="listener with path"),
        pytest.param(validators.listener, "https://0.0.0.0:80", id="listener with TLS"),
        pytest.param(validators.listener, "http://0.0.0.0:65536", id="listener port"),
        pytest.param(validators.http_path, "rma", id="http_path without slash"),
        pytest.param(validators.http_path, "/", id="http_path root"),
        pytest.param(validators.http_path, "/rma/", id="http_path with slash at its end"),
        pytest.param(validators.http_path, "//rma", id="http_path with empty segment"),
        pytest.param(validators.http_path, "/a/../b", id="http_path with parent"),
        pytest.param(validators.http_path, "/a/..", id="http_path with parent at its end"),
        pytest.param(validators.http_path, "/./a", id="http_path with dot segment"),
        pytest.param(validators.http_path, "/a?b", id="http_path with query"),
        pytest.param(validators.http_path, "/a#b", id="http_path with fragment"),
        pytest.param(validators.http_path, "/a%2Fb", id="http_path with escape"),
        pytest.param(validators.http_path, "/a b", id="http_path with space"),
        pytest.param(validators.topic_name, "", id="topic_name empty"),
        pytest.param(validators.topic_name, ".", id="topic_name dot"),
        pytest.param(validators.topic_name, "..", id="topic_name two dots"),
        pytest.param(validators.topic_name, "a" * 250, id="topic_name too long"),
        pytest.param(validators.topic_name, "a/b", id="topic_name with slash"),
        pytest.param(validators.topic_name, "ä", id="topic_name outside ASCII"),
        pytest.param(validators.header_name, "X Key", id="header_name with space"),
        pytest.param(validators.header_name, "X:", id="header_name with colon"),
        pytest.param(validators.header_name, "", id="header_name empty"),
        pytest.param(validators.absolute_path, "etc", id="absolute_path relative"),
        pytest.param(validators.absolute_path, "/etc/../root", id="absolute_path with parent"),
        pytest.param(validators.absolute_path, "/${env:X}", id="absolute_path with reference"),
        pytest.param(validators.regular_expression, "(", id="regular_expression broken"),
        pytest.param(validators.regular_expression, "[[a]", id="regular_expression Python warns of"),
        pytest.param(validators.regular_expression, "${env:X}", id="regular_expression with reference"),
    ],
)
def test_validator_when_value_is_not_allowed(validator: Validator, value: object) -> None:
    """What is not allowed is refused, and the validator says what is."""
    assert not validator.accepts(value)
    assert validator.allowed
