"""How long a gauge is reported and remembered for, against a model of a few lines."""

from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.series import Series
from relay.rollup.summary import GaugeSummary, Summary
from relay.statsd.sample import Kind, Reason
from tests.rollup.rig import Rig

minutes = st.lists(st.sampled_from(["", "", "g:5|g", "g:+1|g", "g:-2|g"]), max_size=20)


def idle(value: float) -> GaugeSummary:
    return GaugeSummary(value, value, value, value, 0)


def once(value: float) -> GaugeSummary:
    return GaugeSummary(value, value, value, value, 1)


def change(rig: Rig, ttl: int) -> None:
    rig.engine.change(
        percentiles=(50,), idle_ttl_seconds=0, silent_kinds=(), gauge_ttl=ttl
    )


@given(ttl=st.integers(1, 4), lines=minutes)
def test_a_gauge_lives_for_so_many_periods(ttl: int, lines: list[str]) -> None:
    """Each write sets its life, each period takes one off; without any it is unknown."""
    rig = Rig("python", long_factor=0, idle_ttl_seconds=0, gauge_ttl=ttl)
    value, life = 0.0, 0
    for start, line in zip(range(0, 6000, 60), lines, strict=False):
        rig.feed(line, at=start)
        if line:
            number = float(line[2:-2])
            value = number + (value if line[2] in "+-" and life else 0.0)
            life = ttl
        found = {series.name: row for series, row in _rows(rig, start + 60)}
        assert found.get("g") == ((once if line else idle)(value) if life else None)
        life = max(0, life - 1)


def _rows(rig: Rig, before: int) -> list[tuple[Series, Summary]]:
    return [row for rollup in rig.rollups(before) for row in rollup.rows]


def test_other_kinds_outlive_it() -> None:
    """A counter and a set are reported for ever where only gauges have an end."""
    rig = Rig("python", long_factor=0, idle_ttl_seconds=0, gauge_ttl=1)
    rig.feed("c:1|c", "g:1|g", "s:x|s")
    assert set(rig.base(60)) == {"c", "g", "s"}
    rig.feed("", at=60)
    assert set(rig.base(120)) == {"c", "s"}


def test_a_gauge_at_its_end_gives_way() -> None:
    """Where the limit of series is reached, a forgotten one makes room at once."""
    rig = Rig("python", series_limit=1, idle_ttl_seconds=0, gauge_ttl=2)
    rig.feed("g:1|g")
    rig.feed("a:1|c", at=60)
    assert rig.refused() == {Reason.SERIES_LIMIT: 1}
    rig.feed("b:1|c", at=120)
    assert rig.refused() == {Reason.SERIES_LIMIT: 1}


def test_a_reload_changes_the_rest_of_a_life() -> None:
    """The new number counts from the gauge's last value, not from the reload."""
    rig = Rig("python", long_factor=0, idle_ttl_seconds=0)
    rig.feed("g:7|g")
    assert rig.base(60) == {"g": once(7.0)}
    rig.feed("", at=60)
    assert rig.base(120) == {"g": idle(7.0)}
    change(rig, 2)
    rig.feed("g:+1|g", at=120)
    assert rig.base(180) == {"g": once(1.0)}


def test_silence_at_once_keeps_the_memory() -> None:
    """A silent kind reports nothing while idle; its life still says what it forgets."""
    rig = Rig(
        "python",
        long_factor=0,
        idle_ttl_seconds=0,
        silent_kinds=(Kind.GAUGE,),
        gauge_ttl=3,
    )
    rig.feed("g:7|g")
    rig.rollups(60)
    rig.feed("", at=60)
    assert rig.base(120) == {}
    rig.feed("g:+1|g", at=120)
    assert rig.base(180) == {"g": once(8.0)}


def test_a_life_goes_on_after_a_restart() -> None:
    """Two periods before it and one behind it are three."""
    first = Rig("python", long_factor=0, idle_ttl_seconds=0, gauge_ttl=3)
    first.feed("g:7|g")
    assert first.base(60) == {"g": once(7.0)}
    first.feed("", at=60)
    assert first.base(120) == {"g": idle(7.0)}
    first.feed("", at=120)
    rig = Rig("python", long_factor=0, idle_ttl_seconds=0, gauge_ttl=3)
    rig.engine.restore(list(first.engine.snapshot()), list(first.engine.carry()))
    assert rig.base(180) == {"g": idle(7.0)}
    rig.feed("g:+1|g", at=180)
    assert rig.base(240) == {"g": once(1.0)}


def test_a_delta_that_is_read_late_moves_what_came_since(rig: Rig) -> None:
    """It would be missing for ever after; what is set late is of its own period."""
    rig.feed("g:5|g", "h:5|g", at=0)
    rig.feed("g:+1|g", "h:7|g", at=60)
    rig.feed("g:+2|g", "h:6|g", at=0)
    rows = rig.rows(rig.rollups(60), 0, 60)
    assert rows == {
        "g": GaugeSummary(5.0, 5.0, 5.0, 5.0, 1),
        "h": GaugeSummary(6.0, 5.5, 5.0, 6.0, 2),
    }
    assert rig.base(120) == {
        "g": GaugeSummary(8.0, 7.0, 6.0, 8.0, 2),
        "h": GaugeSummary(7.0, 7.0, 7.0, 7.0, 1),
    }
