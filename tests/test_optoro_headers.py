"""Optoro's headers in, the record's headers out."""

import pytest

from bridge.errors import ContractViolation
from bridge.optoro.headers import delivery_headers, record_headers, rfc3339, sender_headers, verified
from bridge.optoro.rma import RMA
from bridge.records import VerifiedRequest, WebhookRequest
from tests import samples
from tests.rma_fields import sample_with
from tests.samples import SAMPLE

Headers = list[tuple[bytes, bytes]]


def read(*headers: tuple[bytes, bytes]) -> VerifiedRequest:
    return verified(WebhookRequest(list(headers), SAMPLE, 1), "optoro")


def headers_of(body: bytes, tenant: str | None = "Modrno") -> dict[str, bytes]:
    request = samples.verified(body, tenant=tenant)
    return dict(record_headers("rma", request, RMA.decode(request)))


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json; charset=utf8",
        "application/json; Charset = utf-8",
        "application/json; profile=x",
        "application/json;",
        "application/vnd.api+json",
        "application/problem+JSON; charset=utf-8",
    ],
)
def test_decode_when_the_content_type_is_json(content_type: str | None) -> None:
    """JSON by any of its names, in UTF-8, is accepted; so is saying nothing."""
    assert RMA.decode(samples.verified(SAMPLE, content_type=content_type)).key == "rma1234"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/json",
        "application/xml",
        "application/jsonx",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; charset=",
        "application/json; charset=utf-8; charset=latin-1",
        "application/json, application/json",
        "json",
        "/",
        ";",
        "application",
        "application/",
        "ä/ö",
    ],
)
def test_decode_when_the_content_type_is_not_json(content_type: str) -> None:
    """Anything else, malformed ones too, is refused; that it might be JSON after all is not tried."""
    with pytest.raises(ContractViolation) as caught:
        RMA.decode(samples.verified(SAMPLE, content_type=content_type))

    assert (caught.value.code, caught.value.path) == ("unsupported_content_type", "")


@pytest.mark.parametrize("coding", [None, "identity", "Identity", " identity "])
def test_decode_when_the_body_is_not_compressed(coding: str | None) -> None:
    """A body that says it is as it is, is accepted."""
    assert RMA.decode(samples.verified(SAMPLE)._replace(content_encoding=coding)).key == "rma1234"


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd", "identity, gzip", "x", ","])
def test_decode_when_the_body_is_compressed(coding: str) -> None:
    """A compressed body is refused, whatever is in it."""
    with pytest.raises(ContractViolation) as caught:
        RMA.decode(samples.verified(SAMPLE)._replace(content_encoding=coding))

    assert caught.value.code == "unsupported_content_encoding"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(b"Modrno", "Modrno", id="ASCII"),
        pytest.param("Möbel😀".encode(), "Möbel😀", id="UTF-8"),
        pytest.param("Möbel".encode("latin-1"), "Möbel", id="Latin-1"),
        pytest.param(b"\xff\xfe", "ÿþ", id="any bytes"),
        pytest.param(b"", None, id="empty is absent"),
    ],
)
def test_verified_reads_the_tenant(value: bytes, text: str | None) -> None:
    """The tenant is text whatever its bytes, UTF-8 where they are that."""
    assert read((b"x-optiturn-id", value)).tenant == text


def test_verified_when_headers_are_absent() -> None:
    """What the sender did not say is None."""
    assert read()[3:] == (None, None, None, None)


def test_verified_when_a_header_is_repeated() -> None:
    """The first of two counts."""
    request = read((b"x-optiturn-id", b"one"), (b"x-optiturn-api-version", b"3"), (b"x-optiturn-id", b"two"))

    assert (request.tenant, request.api_version) == ("one", "3")


def test_record_headers_in_their_order() -> None:
    """The main record carries CloudEvents' headers and the delivery's facts, in this order."""
    assert list(headers_of(SAMPLE)) == [
        "content-type",
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_subject",
        "received-at",
        "optoro-tenant",
        "optoro-api-version",
    ]


@pytest.mark.parametrize(
    ("tenant", "source"),
    [
        (None, b"/optoro/"),
        ("Modrno", b"/optoro/Modrno"),
        ("a/b c?", b"/optoro/a%2Fb%20c%3F"),
        ("Möbel", b"/optoro/M%C3%B6bel"),
    ],
)
def test_record_headers_name_the_source(tenant: str | None, source: bytes) -> None:
    """`ce_source` is a URI reference for any tenant; the tenant itself stands in `optoro-tenant`."""
    headers = headers_of(SAMPLE, tenant)

    assert headers["ce_source"] == source
    assert headers.get("optoro-tenant") == (tenant.encode() if tenant else None)


@pytest.mark.parametrize(
    ("updated_at", "time"),
    [
        ("2018-08-30T17:39:42+02:00", b"2018-08-30T15:39:42.000Z"),
        (None, b"2018-08-30T15:39:42.025Z"),
        ("0001-01-01T00:00:00Z", b"0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", b"9999-12-31T23:59:59.999Z"),
    ],
)
def test_record_headers_tell_the_time(updated_at: str | None, time: bytes) -> None:
    """`ce_time` is `updated_at`, else `created_at`, in UTC, with four digits of a year."""
    assert headers_of(sample_with("/updated_at", updated_at))["ce_time"] == time


def test_record_headers_name_the_subject() -> None:
    """`ce_subject` is the RMA, in UTF-8."""
    assert headers_of(sample_with("/rma_identifier", "rma/ä😀\n"))["ce_subject"] == "rma/ä😀\n".encode()


def test_rfc3339_before_the_epoch() -> None:
    """Milliseconds before the epoch count backwards."""
    assert rfc3339(-1) == "1969-12-31T23:59:59.999Z"


def test_delivery_headers_when_the_sender_said_nothing() -> None:
    """Only the time of receipt is certain."""
    assert delivery_headers(read()) == [("received-at", b"1")]


def test_sender_headers_keep_what_the_sender_said() -> None:
    """A record of raw bytes says what the sender called them."""
    request = read((b"content-type", b"Text/Plain"), (b"content-encoding", b"gzip"))

    assert sender_headers(request) == [("content-type", b"Text/Plain"), ("content-encoding", b"gzip")]
    assert sender_headers(read()) == []
