"""What lies in the package for the pages."""

from relay.assets import UPLOT_SCRIPT, UPLOT_STYLE, asset


def test_what_is_not_ours_says_whose_it_is_and_which_version() -> None:
    origin = asset("uplot/ORIGIN").decode()
    version = origin.split()[1].rstrip(",")
    assert version in asset(UPLOT_SCRIPT)[:200].decode()
    assert asset(UPLOT_STYLE).startswith(b".uplot")
    assert b"MIT License" in asset("uplot/LICENSE")
