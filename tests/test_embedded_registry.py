"""The embedded registry over HTTP as other tools use it; what our client needs of it is in the contract suite."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from bridge.embedded.registry import embedded_registry

ONE = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]})
TWO = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": "string", "default": ""}]})
Step = tuple[str, str, Any]
REGISTER_ONE: Step = ("POST", "/subjects/t-value/versions", {"schema": ONE})
REGISTER_TWO: Step = ("POST", "/subjects/t-value/versions", {"schema": TWO})
ELSEWHERE: Step = ("POST", "/subjects/other-value/versions", {"schema": ONE})


def _ask(*steps: Step) -> httpx2.Response:
    """The answer to the last of `steps` from a new registry."""

    async def run() -> httpx2.Response:
        transport = httpx2.ASGITransport(embedded_registry())
        async with httpx2.AsyncClient(transport=transport, base_url="http://registry.test") as client:
            answers = [await client.request(method, path, json=body) for method, path, body in steps]
        return answers[-1]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/", {}, id="root"),
        pytest.param("/schemas/types", ["AVRO"], id="types"),
        pytest.param("/subjects", ["other-value", "t-value"], id="subjects"),
        pytest.param("/subjects/t-value/versions", [1, 2], id="versions"),
        pytest.param("/subjects/t-value/versions/2/schema", json.loads(TWO), id="a version's schema"),
        pytest.param("/schemas/ids/1/schema", json.loads(ONE), id="an id's schema"),
        pytest.param(
            "/schemas/ids/1/versions",
            [{"subject": "other-value", "version": 1}, {"subject": "t-value", "version": 1}],
            id="an id's versions",
        ),
        pytest.param("/schemas/ids/2/subjects", ["t-value"], id="an id's subjects"),
        pytest.param("/config", {"compatibilityLevel": "BACKWARD"}, id="global level"),
        pytest.param("/config/t-value?defaultToGlobal=true", {"compatibilityLevel": "BACKWARD"}, id="level by default"),
        pytest.param("/mode", {"mode": "READWRITE"}, id="mode"),
        pytest.param("/mode/t-value", {"mode": "READWRITE"}, id="a subject's mode"),
    ],
)
def test_get_answers_like_confluents_registry_when_two_versions_are_there(path: str, expected: Any) -> None:
    """Bodies and media type are the documented ones, with a trailing slash as without."""
    base, question, query = path.partition("?")
    for form in {path, f"{base.rstrip('/')}/{question}{query}"}:
        answer = _ask(REGISTER_ONE, REGISTER_TWO, ELSEWHERE, ("GET", form, None))
        assert (answer.status_code, answer.json()) == (200, expected)
        assert answer.headers["content-type"] == "application/vnd.schemaregistry.v1+json"


@pytest.mark.parametrize("version", ["2", "latest", "-1"])
def test_version_is_returned_whole_when_named_in_any_way(version: str) -> None:
    """A number, latest and -1 lead to the same registration."""
    answer = _ask(REGISTER_ONE, REGISTER_TWO, ("GET", f"/subjects/t-value/versions/{version}", None)).json()
    assert (answer["subject"], answer["version"], answer["id"]) == ("t-value", 2, 2)
    assert json.loads(answer["schema"]) == json.loads(TWO)


@pytest.mark.parametrize(
    ("step", "status", "code"),
    [
        pytest.param(("GET", "/subjects/none/versions", None), 404, 40401, id="subject"),
        pytest.param(("POST", "/subjects/none", {"schema": ONE}), 404, 40401, id="subject looked up"),
        pytest.param(("GET", "/subjects/t-value/versions/9", None), 404, 40402, id="version"),
        pytest.param(("GET", "/subjects/t-value/versions/x", None), 422, 42202, id="no version number"),
        pytest.param(("GET", "/subjects/t-value/versions/0", None), 422, 42202, id="version zero"),
        pytest.param(("POST", "/subjects/t-value", {"schema": TWO}), 404, 40403, id="schema"),
        pytest.param(("GET", "/schemas/ids/9", None), 404, 40403, id="id"),
        pytest.param(("GET", "/config/t-value", None), 404, 40408, id="subject without a level"),
        pytest.param(("PUT", "/config", {"compatibility": "SIDEWAYS"}), 422, 42203, id="level"),
        pytest.param(("PUT", "/config", {"compatibility": 3}), 422, 42203, id="level as a number"),
        pytest.param(("POST", "/subjects/t-value/versions", {"schema": "nonsense"}), 422, 42201, id="no schema"),
        pytest.param(("POST", "/subjects/t-value/versions", {"schema": 3}), 422, 42201, id="schema as a number"),
        pytest.param(("POST", "/subjects/t-value/versions", []), 422, 42201, id="no object"),
        pytest.param(("POST", "/subjects/t-value/versions", None), 422, 42201, id="no body"),
        pytest.param(
            ("POST", "/subjects/t-value/versions", {"schema": "{}", "schemaType": "JSON"}), 422, 42201, id="other type"
        ),
        pytest.param(("POST", "/subjects/t-value/versions", {"schema": '"long"'}), 409, 40901, id="incompatible"),
        pytest.param(("GET", "/nowhere", None), 404, 404, id="path"),
        pytest.param(("DELETE", "/subjects", None), 405, 405, id="method"),
    ],
)
def test_refusals_carry_confluents_code_when_something_is_wrong(step: Step, status: int, code: int) -> None:
    """Status, error_code and a message, never HTML."""
    answer = _ask(REGISTER_ONE, step)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.json()["message"]
    assert answer.headers["content-type"] == "application/vnd.schemaregistry.v1+json"


def test_global_level_governs_when_a_subject_has_none() -> None:
    """With NONE as the global level anything may follow."""
    answer = _ask(
        REGISTER_ONE,
        ("PUT", "/config", {"compatibility": "NONE"}),
        ("POST", "/subjects/t-value/versions", {"schema": '"long"'}),
    )
    assert answer.json() == {"id": 2}


@pytest.mark.parametrize("version", ["/1", "/latest", ""], ids=["number", "latest", "all"])
def test_compatibility_is_explained_when_asked_verbosely(version: str) -> None:
    """The check answers for one version or all of them, with messages only on request."""
    path = f"/compatibility/subjects/t-value/versions{version}"
    quiet = _ask(REGISTER_ONE, ("POST", path, {"schema": '"long"'})).json()
    verbose = _ask(REGISTER_ONE, ("POST", f"{path}?verbose=true", {"schema": '"long"'})).json()
    assert quiet == {"is_compatible": False}
    assert verbose["messages"]
