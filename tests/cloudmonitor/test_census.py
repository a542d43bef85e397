"""How many series there are, and what each tag is guilty of."""

from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.census import Metric, Tag, census, saved_by_tag
from relay.rollup.series import Series
from relay.statsd.sample import Kind, Tags

KEYS, VALUES = st.sampled_from("abc"), st.sampled_from(["x", "y", None])
TAGS = st.dictionaries(KEYS, VALUES).map(lambda tags: tuple(sorted(tags.items())))
NAMES = st.sampled_from(["m", "n"])


def series(name: str, tags: Tags, kind: Kind = Kind.COUNTER) -> Series:
    return Series(kind, name, tags, name, ())


def test_the_metric_with_most_series_and_its_costliest_tag_come_first() -> None:
    """A tag that tells nothing apart saves nothing."""
    found = [series("up", (("env", "prod"),))]
    found += [
        series("http", (("env", "prod"), ("path", f"/{n}"), ("status", f"{n % 2}")))
        for n in range(10)
    ]
    found.append(series("http", (("env", "prod"), ("path", None), ("status", "0"))))
    http, up = census(found)
    assert http == Metric(
        "http", 11, [Tag("path", 11, 9), Tag("status", 2, 0), Tag("env", 1, 0)]
    )
    assert up == Metric("up", 1, [Tag("env", 1, 0)])
    assert saved_by_tag([http, up])[0] == Tag("path", 11, 9)


@given(st.sets(st.tuples(NAMES, TAGS), max_size=30))
def test_what_a_tag_saves_is_what_is_missing_without_it(
    identities: set[tuple[str, Tags]],
) -> None:
    """Counted the other way round: by the series that are left in all."""
    found = [series(*identity) for identity in identities]
    metrics = census(found)
    assert sum(metric.series for metric in metrics) == len(found)
    for tag in saved_by_tag(metrics):
        left = {
            (name, frozenset(pair for pair in tags if pair[0] != tag.key))
            for name, tags in identities
        }
        assert tag.saves == len(found) - len(left)
