"""relay.rollup.engines: which engine an operator gets."""

import pytest

from relay.errors import ConfigError
from relay.rollup.engines import open_engine
from relay.statsd.grammar import Grammar
from tests.rollup.rig import resolve


@pytest.mark.parametrize("name", ["auto", "python"])
def test_there_is_a_python_engine(name: str) -> None:
    """It is what ``auto`` finds today."""
    assert open_engine(name, resolve, Grammar(), period_seconds=2).name == "python"


@pytest.mark.parametrize(
    ("name", "says"), [("native", "no native engine"), ("rust", "auto, python")]
)
def test_an_engine_that_is_not_there_is_the_operators_error(
    name: str, says: str
) -> None:
    """Never a silent fallback; the message names the setting and the way out."""
    with pytest.raises(ConfigError, match=f"engine: .*{says}"):
        open_engine(name, resolve, Grammar())
