"""relay.rollup.engines: which engine an operator gets."""

import pytest

from relay.errors import ConfigError
from relay.rollup import engines
from relay.rollup.engines import engine_names, open_engine
from relay.rollup.python import PythonEngine
from relay.statsd.grammar import Grammar
from tests.rollup.rig import resolve


@pytest.mark.parametrize("name", [*engine_names()])
def test_every_engine_of_this_installation_can_be_asked_for(name: str) -> None:
    """The one in Python is there always."""
    assert open_engine(name, resolve, Grammar(), period_seconds=2).name == name
    assert engine_names()[-1] == "python"


def test_auto_is_the_fastest_there_is() -> None:
    """The native one where it was built."""
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
    assert open_engine("auto", resolve, Grammar()).name == "python"
