"""Files that both pages are made of, as they lie in the package. Knows no page.

``uplot/`` is the charting library uPlot, unchanged, with its licence and origin.
"""

from importlib.resources import files

__all__ = ["UPLOT_SCRIPT", "UPLOT_STYLE", "asset"]

UPLOT_SCRIPT = "uplot/uPlot.iife.min.js"
UPLOT_STYLE = "uplot/uPlot.min.css"


def asset(name: str) -> bytes:
    """The file ``name``, a path below this folder with ``/``."""
    return files(__name__).joinpath(*name.split("/")).read_bytes()
