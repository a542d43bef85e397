"""What the log says when the places of the quota run out."""

from twisted.logger import capturedLogs

from relay.rollup.quota import Quota
from relay.service.scarcity import QuotaWatch


def warnings(quota: Quota, *series: int) -> int:
    """How often so many series, one after the other, are worth a warning."""
    watch = QuotaWatch(quota)
    with capturedLogs() as events:
        for many in series:
            watch.look(many)
    return len(events)


def test_four_fifths_are_worth_a_warning() -> None:
    """One, however long that lasts."""
    assert warnings(Quota(100), 0, 79) == 0
    assert warnings(Quota(100), 80, 90, 100, 79, 80) == 1


def test_there_is_another_when_it_was_over() -> None:
    """Well below, so that a few that come and go are no news."""
    assert warnings(Quota(100), 80, 71, 80) == 2


def test_without_a_quota_there_is_nothing_to_say() -> None:
    """However many series there are."""
    assert warnings(Quota(), 10**6) == 0
