"""relay.rollup.engines: which engine an operator gets."""

import pytest

from relay.errors import ConfigError
from relay.pipeline import build_engine, build_namer, listeners_note
from relay.rollup import engines
from relay.rollup.engines import engine_names, engine_note, open_engine
from relay.rollup.python import PythonEngine
from relay.settings import Settings, load
from relay.statsd.grammar import Grammar
from tests.rollup.rig import Rig, resolve


@pytest.mark.parametrize("name", [*engine_names()])
def test_every_engine_of_this_installation_can_be_asked_for(name: str) -> None:
    """The one in Python is there always."""
    assert open_engine(name, resolve, Grammar(), period_seconds=2).name == name
    assert engine_names()[-1] == "python"


def test_auto_is_the_fastest_there_is() -> None:
    """The native one where it was built, and then there is nothing to be said."""
    assert (engine_note("auto") is None) == ("native" in engine_names())
    assert open_engine("auto", resolve, Grammar()).name == engine_names()[0]


@pytest.fixture
def without_native(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without a compiler."""
    monkeypatch.setattr(engines, "_here", {"python": PythonEngine})


@pytest.mark.usefixtures("without_native")
@pytest.mark.parametrize(
    ("name", "says"), [("native", "no native engine"), ("rust", "auto, python")]
)
def test_an_engine_that_is_not_there_is_the_operators_error(
    name: str, says: str
) -> None:
    """Never a silent fallback; the message names the setting and the way out."""
    with pytest.raises(ConfigError, match=f"engine: .*{says}"):
        open_engine(name, resolve, Grammar())


@pytest.mark.usefixtures("without_native")
def test_without_the_native_engine_auto_is_the_one_in_python() -> None:
    """An installation without a compiler works."""
    assert engine_names() == ("python",)
    note = engine_note("auto")
    assert note is not None
    assert "not built" in note
    assert engine_note("python") is None
    assert open_engine("auto", resolve, Grammar()).name == "python"


@pytest.mark.usefixtures("without_native")
def test_without_the_native_engine_there_is_one_listener() -> None:
    """Whoever asked for more hears why."""
    assert Rig("auto", shards=4).engine.name == "python"
    note = listeners_note(Settings(listeners=4))
    assert note is not None
    assert note.startswith("listeners 4: each UDP address has one socket, since")
    assert listeners_note(Settings(listeners=1)) is None


@pytest.mark.native
@pytest.mark.skipif("native" not in engine_names(), reason="it was not built")
@pytest.mark.parametrize(("repeat", "shards"), [((), 3), ("udp://127.0.0.1:9", 1)])
def test_each_listener_has_a_shard(repeat: str, shards: int) -> None:
    """Where threads drain them."""
    flags = {"listeners": "3", "sink": "null"} | ({"repeat": repeat} if repeat else {})
    settings = load(None, flags).settings
    engine = build_engine(settings, build_namer(settings))
    assert vars(engine)["shards"] == shards
