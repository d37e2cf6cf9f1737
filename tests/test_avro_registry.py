"""The registry client against servers that answer everything a registry, or something else, can answer."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import pytest

from bridge.avro.registry import RegisteredSchema, RegistryClient, RegistrySettings
from bridge.errors import (
    ConfigurationRefused,
    RegistryError,
    RegistryRefused,
    RegistryUnreachable,
    SchemaIncompatible,
    SchemaMissing,
)

URL = "http://registry.test/base"
SCHEMA = '"string"'
Handler = Callable[[httpx2.Request], Any]


def _call(
    handler: Handler, use: Callable[[RegistryClient], Awaitable[Any]], settings: RegistrySettings | None = None
) -> Any:
    async def run() -> Any:
        chosen = settings or RegistrySettings(urls=(URL,))
        async with RegistryClient(chosen, transport=httpx2.MockTransport(handler)) as client:
            return await use(client)

    return asyncio.run(run())


def _lookup(client: RegistryClient) -> Awaitable[RegisteredSchema]:
    return client.lookup("t-value", SCHEMA)


def _refusal(status: int, code: int) -> httpx2.Response:
    return httpx2.Response(status, json={"error_code": code, "message": "because"})


def _registration(**changes: Any) -> httpx2.Response:
    content = {"subject": "t-value", "id": 3, "version": 2, "schema": SCHEMA, **changes}
    return httpx2.Response(200, json={key: value for key, value in content.items() if value is not None})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(_refusal(404, 40401), SchemaMissing, id="subject"),
        pytest.param(_refusal(404, 40402), SchemaMissing, id="version"),
        pytest.param(_refusal(404, 40403), SchemaMissing, id="schema"),
        pytest.param(_refusal(404, 40404), RegistryRefused, id="soft-deleted subject"),
        pytest.param(_refusal(404, 404), RegistryRefused, id="path"),
        pytest.param(_refusal(409, 40901), SchemaIncompatible, id="incompatible"),
        pytest.param(_refusal(409, 409), SchemaIncompatible, id="incompatible, older code"),
        pytest.param(_refusal(401, 40101), RegistryRefused, id="unauthorized"),
        pytest.param(_refusal(403, 40301), RegistryRefused, id="forbidden"),
        pytest.param(httpx2.Response(401, text="<html>"), RegistryRefused, id="unauthorized by a proxy"),
        pytest.param(_refusal(422, 42201), RegistryRefused, id="invalid schema"),
        pytest.param(_refusal(422, 42205), RegistryRefused, id="read-only"),
        pytest.param(_refusal(400, 400), RegistryRefused, id="bad request"),
        pytest.param(_refusal(500, 50001), RegistryUnreachable, id="store"),
        pytest.param(_refusal(500, 50002), RegistryUnreachable, id="store timeout"),
        pytest.param(_refusal(500, 50003), RegistryUnreachable, id="forwarding"),
        pytest.param(_refusal(503, 50004), RegistryUnreachable, id="no leader"),
        pytest.param(httpx2.Response(502, text="bad gateway"), RegistryUnreachable, id="gateway"),
        pytest.param(_refusal(429, 429), RegistryUnreachable, id="throttled"),
        pytest.param(
            httpx2.Response(302, headers={"location": "http://evil.test"}), RegistryUnreachable, id="redirect"
        ),
        pytest.param(httpx2.Response(200, html="<html></html>"), RegistryUnreachable, id="html"),
        pytest.param(httpx2.Response(404, html="<html></html>"), RegistryUnreachable, id="html not found"),
        pytest.param(httpx2.Response(200, text=""), RegistryUnreachable, id="empty"),
        pytest.param(httpx2.Response(200, text="[" * 100_000), RegistryUnreachable, id="nested garbage"),
        pytest.param(httpx2.Response(200, content=b"\xff"), RegistryUnreachable, id="not text"),
        pytest.param(httpx2.Response(200, json=[]), RegistryUnreachable, id="other json"),
        pytest.param(_registration(id=None), RegistryUnreachable, id="no id"),
        pytest.param(_registration(id="3"), RegistryUnreachable, id="id as text"),
        pytest.param(_registration(id=True), RegistryUnreachable, id="id as boolean"),
        pytest.param(_registration(padding="x" * 2**20), RegistryUnreachable, id="too large"),
    ],
)
def test_lookup_raises_by_what_can_be_done_when_the_answer_is_no_registration(
    answer: httpx2.Response, error: type[RegistryError]
) -> None:
    """Each kind of answer has its error, and its message says who answered."""
    with pytest.raises(RegistryError, match=r"registry\.test/base/subjects/t-value") as caught:
        _call(lambda _: answer, _lookup)
    assert type(caught.value) is error


def test_messages_have_status_code_and_advice_when_refused() -> None:
    """A refusal tells method, address, status, the registry's own code and words, and what to do."""
    with pytest.raises(RegistryRefused) as caught:
        _call(lambda _: _refusal(403, 40301), _lookup)
    assert str(caught.value) == (
        "POST http://registry.test/base/subjects/t-value answered 403, error_code 40301: because; "
        "check the credentials of the Schema Registry and what they may do"
    )


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ConnectError("refused"),
        httpx2.ReadError(""),
        httpx2.RemoteProtocolError("cut"),
        httpx2.ReadTimeout("slow"),
    ],
    ids=["connect", "read", "protocol", "timeout"],
)
def test_lookup_says_unreachable_when_the_connection_fails(failure: httpx2.TransportError) -> None:
    """A failure on the wire may pass."""

    def fail(_: httpx2.Request) -> httpx2.Response:
        raise failure

    with pytest.raises(RegistryUnreachable, match=type(failure).__name__):
        _call(fail, _lookup)


def test_lookup_says_unreachable_when_no_answer_comes_in_time() -> None:
    """The time-out covers the whole exchange."""

    async def never(_: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def soon(client: RegistryClient) -> None:
        async with asyncio.timeout(5):
            await _lookup(client)

    with pytest.raises(RegistryUnreachable, match=r"no answer within 0\.05 s"):
        _call(never, soon, RegistrySettings(urls=(URL,), timeout_seconds=0.05))


def test_lookup_returns_the_registration_when_found() -> None:
    """Id, version and subject are the registry's; a GUID is kept where it has one."""
    assert _call(lambda _: _registration(), _lookup) == RegisteredSchema("t-value", 3, 2, SCHEMA)
    assert _call(lambda _: _registration(guid="g"), _lookup).guid == "g"


def test_lookup_asks_for_a_normalised_match_when_the_text_is_unknown() -> None:
    """The exact text first, then what the registry holds for equal."""
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.query.decode())
        return _registration() if request.url.query else _refusal(404, 40403)

    assert _call(answer, _lookup).id == 3
    assert asked == ["", "normalize=true"]


def test_requests_carry_the_registrys_media_type_when_they_have_a_body() -> None:
    """Schema and media type are what the REST API documents."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["content-type"] == "application/vnd.schemaregistry.v1+json"
        assert json.loads(request.content) == {"schema": SCHEMA}
        return _registration()

    _call(answer, _lookup)


def test_subjects_are_quoted_when_they_hold_special_characters() -> None:
    """A subject is one path segment whatever it holds."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.raw_path == b"/base/subjects/a%2Fb%3Fc-value/versions/latest"
        return _registration()

    _call(answer, lambda client: client.latest("a/b?c-value"))


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        pytest.param({"urls": (URL,)}, None, id="none"),
        pytest.param(
            {"urls": (URL,), "user_info": "me:se:cret"}, f"Basic {base64.b64encode(b'me:se:cret').decode()}", id="basic"
        ),
        pytest.param({"urls": (URL,), "token": "t0ken"}, "Bearer t0ken", id="bearer"),
        pytest.param(
            {"urls": ("http://me:secret@registry.test/base",)},
            f"Basic {base64.b64encode(b'me:secret').decode()}",
            id="in the address",
        ),
    ],
)
def test_requests_carry_the_credentials_when_there_are_some(settings: dict[str, Any], header: str | None) -> None:
    """HTTP Basic, a bearer token, or nothing."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.headers.get("authorization") == header
        return _registration()

    _call(answer, _lookup, RegistrySettings(**settings))


def test_credentials_stay_out_of_messages_when_something_fails() -> None:
    """Neither errors nor the settings' repr show a password or a token."""
    address = RegistrySettings(urls=("http://me:secret@registry.test",))
    with pytest.raises(RegistryUnreachable) as caught:
        _call(lambda _: httpx2.Response(500), _lookup, address)
    settings = RegistrySettings(urls=("http://me:secret@registry.test",), user_info="me:secret", token="secret")
    assert "secret" not in f"{caught.value}{settings!r}{address!r}"


@pytest.mark.parametrize("token", ["a\nb", "ä", "\x00"], ids=["line feed", "umlaut", "null byte"])
def test_client_refuses_when_the_token_cannot_be_a_header(token: str) -> None:
    """Such a token is refused at start, unquoted."""
    with pytest.raises(ConfigurationRefused) as caught:
        RegistryClient(RegistrySettings(urls=(URL,), token=token))
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["", "registry.test", "ftp://registry.test", "http://", "http://registry.test/?a=b", "http://[::1"],
    ids=["empty", "no scheme", "ftp", "no host", "query", "broken"],
)
def test_client_refuses_when_an_address_is_no_http_address(url: str) -> None:
    """An address that cannot work is refused at start."""
    with pytest.raises(ConfigurationRefused):
        RegistryClient(RegistrySettings(urls=(url,)))


def test_client_refuses_when_a_certificate_file_is_missing() -> None:
    """A TLS file that cannot be read is refused at start."""
    with pytest.raises(ConfigurationRefused, match="certificate"):
        RegistryClient(RegistrySettings(urls=(URL,), ca_location="no/such/file.pem"))


class _Cluster:
    """Registries by host; `answers` is what each one says, None for a dead one."""

    def __init__(self, **answers: httpx2.Response | None) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.url.host)
        answer = self.answers[request.url.host]
        if answer is None:
            raise httpx2.ConnectError("refused")
        return answer


TWO = RegistrySettings(urls=("http://a", "http://b"))


def test_next_address_is_asked_when_the_first_is_dead() -> None:
    """One living registry is enough, and it is asked first from then on."""
    cluster = _Cluster(a=None, b=_registration())

    async def twice(client: RegistryClient) -> None:
        await _lookup(client)
        await _lookup(client)

    _call(cluster, twice, TWO)
    assert cluster.asked == ["a", "b", "b"]


def test_next_address_is_not_asked_when_the_first_refuses() -> None:
    """A no is an answer."""
    cluster = _Cluster(a=_refusal(401, 40101), b=_registration())
    with pytest.raises(RegistryRefused):
        _call(cluster, _lookup, TWO)
    assert cluster.asked == ["a"]


def test_unreachable_names_every_address_when_none_answers() -> None:
    """The message has each address with its own reason."""
    with pytest.raises(RegistryUnreachable, match=r"http://a/.*refused.*http://b/.*500"):
        _call(_Cluster(a=None, b=httpx2.Response(500)), _lookup, TWO)


def _answers(*responses: httpx2.Response) -> Handler:
    remaining: Iterator[httpx2.Response] = iter(responses)
    return lambda _: next(remaining)


def test_register_returns_the_registration_when_another_worker_was_first() -> None:
    """A conflict over a schema that is registered after all is no incompatibility."""
    found = _call(_answers(_refusal(409, 409), _registration()), lambda client: client.register("t-value", SCHEMA))
    assert found.id == 3


@pytest.mark.parametrize(
    ("refusal", "error"),
    [(_refusal(409, 40901), SchemaIncompatible), (_refusal(403, 40301), RegistryRefused)],
    ids=["incompatible", "forbidden"],
)
def test_register_raises_when_the_schema_is_not_registered(
    refusal: httpx2.Response, error: type[RegistryError]
) -> None:
    """The registration's own answer is what is reported."""
    with pytest.raises(error):
        _call(_answers(refusal, _refusal(404, 40403)), lambda client: client.register("t-value", SCHEMA))


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        pytest.param(httpx2.Response(200, json={"is_compatible": True}), [], id="yes"),
        pytest.param(
            httpx2.Response(200, json={"is_compatible": False, "messages": ["a", "b"]}), ["a", "b"], id="messages"
        ),
        pytest.param(httpx2.Response(200, json={"is_compatible": False, "reason": "c"}), ["c"], id="reason"),
        pytest.param(_refusal(404, 40401), [], id="new subject"),
        pytest.param(_refusal(404, 40402), [], id="no versions"),
    ],
)
def test_check_compatibility_returns_the_reasons_when_answered(answer: httpx2.Response, reasons: list[str]) -> None:
    """Whichever way a registry words its reasons; a new subject has none."""
    assert _call(lambda _: answer, lambda client: client.check_compatibility("t-value", SCHEMA)) == reasons


def test_check_compatibility_has_a_reason_when_the_registry_gives_none() -> None:
    """A bare no is not mistaken for a yes."""
    answer = httpx2.Response(200, json={"is_compatible": False, "reason": None})
    assert len(_call(lambda _: answer, lambda client: client.check_compatibility("t-value", SCHEMA))) == 1


def test_compatibility_level_is_global_when_the_subject_has_none() -> None:
    """40408 leads to the global level."""
    answer = _answers(_refusal(404, 40408), httpx2.Response(200, json={"compatibilityLevel": "BACKWARD"}))
    assert _call(answer, lambda client: client.compatibility_level("t-value")) == "BACKWARD"
