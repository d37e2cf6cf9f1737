"""Who may call the webhook: each method's matrix, and that no bytes at all make it fail otherwise than by saying no."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import CredentialsRefused
from bridge.webhook.authentication import Authenticator, authenticate
from bridge.webhook.authentication.api_key import ApiKeyAuthenticator
from bridge.webhook.authentication.basic import BasicAuthenticator, BasicCredential
from tests.samples import API_KEY, PASSWORD, USERNAME, basic

Headers = list[tuple[bytes, bytes]]

BASIC = BasicAuthenticator([BasicCredential(USERNAME, PASSWORD), BasicCredential("second", "")])
KEY = ApiKeyAuthenticator("X-Api-Key", [API_KEY, "schlüssel"])


def encoded(text: bytes) -> bytes:
    return base64.b64encode(text)


def authorization(value: bytes) -> Headers:
    return [(b"authorization", value)]


@pytest.mark.parametrize(
    ("headers", "principal"),
    [
        pytest.param([basic()], USERNAME, id="right, with a colon and UTF-8 in the password"),
        pytest.param([basic("second", "")], "second", id="the second credential, its password empty"),
        pytest.param(authorization(b"bAsIc " + basic()[1][6:]), USERNAME, id="scheme in any case"),
        pytest.param(authorization(b"Basic   " + basic()[1][6:]), USERNAME, id="more white space"),
        pytest.param([basic(), (b"x-api-key", b"wrong")], USERNAME, id="beside another header"),
        pytest.param([], None, id="no header"),
        pytest.param(authorization(b""), None, id="empty header"),
        pytest.param(authorization(b"Basic"), None, id="no credential"),
        pytest.param(authorization(b"Basic "), None, id="empty credential"),
        pytest.param(authorization(b"Bearer " + basic()[1][6:]), None, id="wrong scheme"),
        pytest.param(authorization(basic()[1][6:]), None, id="no scheme"),
        pytest.param([basic("other")], None, id="wrong user"),
        pytest.param([basic("")], None, id="empty user"),
        pytest.param([basic(USERNAME.upper())], None, id="user in another case"),
        pytest.param([basic(password="wrong")], None, id="wrong password"),
        pytest.param([basic(password="")], None, id="empty password"),
        pytest.param([basic(password=PASSWORD[:-1])], None, id="prefix of the password"),
        pytest.param([basic(password=PASSWORD + "x")], None, id="longer than the password"),
        pytest.param([basic("second", PASSWORD)], None, id="one user's name, another's password"),
        pytest.param(authorization(b"Basic " + encoded(USERNAME.encode())), None, id="no colon"),
        pytest.param(
            authorization(b"Basic " + encoded(f"{USERNAME}:{PASSWORD}".encode("latin-1"))), None, id="latin-1"
        ),
        pytest.param(authorization(b"Basic " + encoded(b"\xff\xfe:\x00")), None, id="no text in the base64"),
        pytest.param(authorization(basic()[1] + b"="), None, id="base64 with an = too many"),
        pytest.param(authorization(basic()[1].rstrip(b"=")[:-1]), None, id="base64 cut off"),
        pytest.param(authorization(b"Basic !!!!"), None, id="no base64"),
        pytest.param(authorization(b"Basic " + basic()[1][6:12] + b" " + basic()[1][12:]), None, id="a space inside"),
        pytest.param(authorization(b"Basic \xe9\xe9\xe9\xe9"), None, id="bytes beyond ASCII"),
        pytest.param(authorization(b"Basic " + encoded(b"a:" + b"x" * 8_000)), None, id="8 kB"),
        pytest.param([basic(), basic()], None, id="the right header twice"),
        pytest.param([basic(), basic("other")], None, id="right and wrong"),
    ],
)
def test_basic_when_called_with(headers: Headers, principal: str | None) -> None:
    """Exactly the configured credentials, once, in strict base64 and UTF-8, are accepted."""
    assert BASIC.check_headers(headers) == principal


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        pytest.param([(b"x-api-key", API_KEY.encode())], True, id="right"),
        pytest.param([(b"x-api-key", "schlüssel".encode())], True, id="the second key, in UTF-8"),
        pytest.param([], False, id="no header"),
        pytest.param([(b"x-api-key", b"")], False, id="empty"),
        pytest.param([(b"x-api-key", API_KEY.encode()[:-1])], False, id="prefix"),
        pytest.param([(b"x-api-key", API_KEY.encode() + b"5")], False, id="longer"),
        pytest.param([(b"x-api-key", API_KEY.upper().encode())], False, id="other case"),
        pytest.param([(b"x-api-key", b" " + API_KEY.encode())], False, id="a space that the server left there"),
        pytest.param([(b"x-api-key", "schlüssel".encode("latin-1"))], False, id="latin-1"),
        pytest.param([(b"x-api-key", b"\xe9\x00\xff")], False, id="bytes beyond ASCII"),
        pytest.param([(b"x-api-key", b"k" * 8_000)], False, id="8 kB"),
        pytest.param([(b"x-api-key", API_KEY.encode())] * 2, False, id="twice"),
        pytest.param([(b"authorization", API_KEY.encode())], False, id="another header"),
    ],
)
def test_api_key_when_called_with(headers: Headers, accepted: bool) -> None:
    """Exactly the configured keys, once, are accepted."""
    assert KEY.check_headers(headers) == ("api-key" if accepted else None)


@pytest.mark.parametrize("method", [BASIC, KEY], ids=["basic", "api.key"])
@given(value=st.binary(max_size=200))
def test_methods_say_no_when_given_any_bytes(method: Authenticator, value: bytes) -> None:
    """Whatever stands in the headers, the answer is no, never an error."""
    headers = [(b"authorization", b"Basic " + value), (b"x-api-key", b"\0" + value)]

    assert method.check_headers(headers) is None


def test_authenticate_when_one_of_several_methods_accepts() -> None:
    """Any one method is enough, whatever the others find."""
    headers = [basic(password="wrong"), (b"x-api-key", API_KEY.encode())]

    assert authenticate([BASIC, KEY], headers) == "api-key"


@pytest.mark.parametrize("methods", [[BASIC, KEY], []], ids=["two methods", "no method"])
def test_authenticate_when_nobody_accepts(methods: list[Authenticator]) -> None:
    """Without a match the credentials are refused; no method at all lets nobody in."""
    with pytest.raises(CredentialsRefused) as refused:
        authenticate(methods, [basic(password="wrong")])

    assert "wrong" not in str(refused.value)


def test_authenticators_keep_no_secret() -> None:
    """Neither method's state has the secret in it."""
    state = repr(vars(BASIC)) + repr(vars(KEY))

    assert PASSWORD not in state
    assert API_KEY not in state


def test_challenges_name_their_method() -> None:
    """The WWW-Authenticate values are as RFC 7617 and RFC 9110 spell them."""
    assert BASIC.challenge == 'Basic realm="rma-bridge", charset="UTF-8"'
    assert KEY.challenge == 'ApiKey realm="rma-bridge", header="X-Api-Key"'
