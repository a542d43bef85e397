"""The last hour in figures: of a fixed size, whatever the clock and the counts do."""

import json

from relay.admin.history import History, figures
from tests.admin.sample import a_status


def test_no_more_is_kept_than_an_hour_has() -> None:
    """The oldest samples go, of every column."""
    history = History(kept=3)
    for at in range(10):
        history.add(at, {"lines": at + 1, "series": 2})
    hour = history.after()
    assert hour["t"] == [7, 8, 9]
    assert hour["columns"] == {"lines": [8, 9, 10], "series": [2, 2, 2]}


def test_only_what_is_younger_is_given() -> None:
    """A page that has the rest asks for the news."""
    history = History()
    for at in (10.0, 15.0, 20.0):
        history.add(at, {"lines": at})
    assert history.after(10.0)["t"] == [15.0, 20.0]
    assert history.after(20.0)["columns"] == {"lines": []}


def test_a_column_begins_with_its_first_figure_and_was_0_before() -> None:
    """What never happened takes no room."""
    history = History()
    history.add(1, {"lines": 1, "refused.late": 0})
    assert "refused.late" not in history.after()["columns"]
    history.add(2, {"lines": 1, "refused.late": 4})
    assert history.after()["columns"]["refused.late"] == [0, 4]


def test_what_is_not_known_is_none_in_json() -> None:
    """NaN is no JSON, and 0 would be a claim."""
    history = History()
    history.add(1, {"kernel_drops": None})
    history.add(2, {"kernel_drops": 0.5})
    text = json.dumps(history.after(), allow_nan=False)
    assert json.loads(text)["columns"] == {"kernel_drops": [None, 0.5]}
    assert history.increase("kernel_drops", 60) == 0


def test_a_clock_that_is_set_back_takes_away_what_is_ahead() -> None:
    """Time ascends, or nothing could be drawn."""
    history = History()
    for at in (10, 20, 30, 15):
        history.add(at, {"lines": at})
    assert history.after()["t"] == [10, 15]
    assert history.after()["columns"] == {"lines": [10, 15]}


def test_increases_are_those_of_the_last_seconds() -> None:
    """Older ones do not count, and what did not rise is not named."""
    history = History()
    for at, lines, late in ((0, 100, 0), (100, 150, 3), (200, 170, 3), (300, 170, 5)):
        history.add(at, {"lines": lines, "refused.late": late, "refused.future": 0})
    assert history.increase("lines", 200) == 20
    assert history.increase("lines", 1000) == 70
    assert history.increases("refused", 200) == {"late": 2}
    assert history.increase("nothing", 10) == 0
    assert (history.known(200), history.known(1000)) == (200, 300)


def test_a_sample_has_all_that_is_drawn() -> None:
    """Counts of the status by name; drops are of the sockets that tell."""
    sample = figures(a_status(), lag=0.25, defects=1)
    assert sample["lines"] == 120_000
    assert sample["kernel_drops"] == 3
    assert sample["spool_entries"] == 74
    assert sample["spool_bytes"] == 20_480
    assert sample["lag_seconds"] == 0.25
    assert sample["defects"] == 1
    assert sample["refused.bad_value"] == 60
    assert sample["requests.throttled"] == 1
    assert (sample["lost.partial"], sample["lost.space"]) == (20, 5)


def test_drops_that_no_socket_tells_are_not_known() -> None:
    """Rather than 0."""
    status = a_status()
    status["listeners"] = [status["listeners"][1]]
    assert figures(status, lag=0, defects=0)["kernel_drops"] is None
