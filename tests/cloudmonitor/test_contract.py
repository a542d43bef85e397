"""The promise itself: counts that were looked up, and tables without dead rows."""

import re
from pathlib import Path

from relay.cloudmonitor import contract
from relay.cloudmonitor.contract import (
    GATEWAY_CODES,
    NO_CODE,
    NO_VPC_REGIONS,
    PERCENTILES,
    REGIONS,
    REQUESTS_PER_SECOND,
    SERVICE_CODES,
    SOURCES,
    STATISTICS,
    Code,
    Status,
)


def test_counts_as_published() -> None:
    """21 statistics, 13 of them percentiles; 43 regions, five without a VPC host."""
    assert (len(set(STATISTICS)), len(set(PERCENTILES))) == (21, 13)
    assert (len(set(REGIONS)), len(NO_VPC_REGIONS)) == (43, 5)
    assert set(REGIONS) >= NO_VPC_REGIONS | set(REQUESTS_PER_SECOND)


def test_every_fact_has_a_source() -> None:
    """Each row, and each key in brackets behind a constant, can be looked up."""
    rows: list[Code | Status] = [*SERVICE_CODES, *GATEWAY_CODES, *NO_CODE]
    assert {row.source for row in rows} <= set(SOURCES)
    text = Path(contract.__file__).read_text("utf-8")
    cited = re.findall(r"# .*?\[([a-z, ]+)\]", text)
    assert len(cited) > 10
    assert {key for keys in cited for key in keys.split(", ")} <= set(SOURCES)


def shadows(earlier: Code, later: Code) -> bool:
    """Whether nothing that fits ``later`` gets past ``earlier``."""
    prefix = earlier.code.removesuffix("*")
    wider = later.code == earlier.code or (
        earlier.code.endswith("*") and later.code.startswith(prefix)
    )
    return wider and earlier.contains in later.contains


def test_no_row_is_out_of_reach() -> None:
    """The first row that fits wins, so no earlier row may be wider than a later one."""
    for table in (SERVICE_CODES, GATEWAY_CODES):
        for place, later in enumerate(table):
            assert not any(shadows(earlier, later) for earlier in table[:place]), later


def test_texts_are_looked_for_in_lower_case() -> None:
    """The message is folded before the search; the row has to be so already."""
    for row in (*SERVICE_CODES, *GATEWAY_CODES):
        assert row.contains == row.contains.casefold()
