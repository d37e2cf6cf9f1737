"""Which server a run takes, and that it is said."""

import pytest

from tests.servers.choice import Candidate, Server, Unavailable, choose
from tests.servers.requirement import not_run


def serving(name: str) -> Candidate:
    return Candidate(name, lambda: Server(f"{name}:9092", f"{name} Kafka", lambda: None))


def refusing(name: str, reason: str) -> Candidate:
    def refuse() -> Server:
        raise Unavailable(reason)

    return Candidate(name, refuse)


NO_DOCKER = refusing("container", "Docker does not answer")
NO_JAVA = refusing("local", "no java on PATH")


@pytest.mark.parametrize(
    ("given", "others", "address"),
    [
        pytest.param(serving("given"), [serving("container"), serving("local")], "given:9092", id="environment-first"),
        pytest.param(None, [serving("container"), serving("local")], "container:9092", id="container-before-local"),
        pytest.param(None, [NO_DOCKER, serving("local")], "local:9092", id="local-where-no-container"),
    ],
)
def test_choice_follows_the_order_when_several_serve(
    given: Candidate | None, others: list[Candidate], address: str
) -> None:
    """The environment's address wins over containers, and containers over local processes."""
    assert choose(given, others).address == address


def test_choice_tells_what_it_passed_over_when_a_later_candidate_serves() -> None:
    """Whoever reads the summary sees why the container was not used."""
    assert choose(None, [NO_DOCKER, serving("local")]).how == "local Kafka; container: Docker does not answer"


def test_choice_names_every_reason_when_nothing_serves() -> None:
    """The skip reason says what each candidate lacked."""
    with pytest.raises(Unavailable, match="container: Docker does not answer; local: no java on PATH"):
        choose(None, [NO_DOCKER, NO_JAVA])


def test_choice_does_not_fall_back_when_the_given_address_is_dead() -> None:
    """A wrong address in the environment is reported, not hidden by another server."""
    with pytest.raises(Unavailable, match="given: no answer"):
        choose(refusing("given", "no answer"), [serving("container")])


def test_choice_does_not_open_later_candidates_when_one_serves() -> None:
    """Nothing is started that is not used."""
    opened: list[str] = []

    def open_late() -> Server:
        opened.append("local")
        return Server("late:9092", "late", lambda: None)

    choose(None, [serving("container"), Candidate("local", open_late)])
    assert opened == []


def test_not_run_skips_with_the_reason_when_nothing_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a developer's machine a missing server is a visible skip."""
    monkeypatch.delenv("REQUIRE_REAL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no java"):
        not_run("no java")


def test_not_run_fails_when_real_servers_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """CI cannot pass without its real servers."""
    monkeypatch.setenv("REQUIRE_REAL", "1")
    with pytest.raises(pytest.fail.Exception, match="no java"):
        not_run("no java")
