"""The verdict: what is wrong comes before what is well, and each has its way out."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from relay.admin.status import Status
from relay.admin.verdict import Mood, Scene, judge
from tests.admin.sample import a_status

NOW = 1_000_600.0


def well() -> Scene:
    """Lines come, entries go out, nothing is lost of late."""
    status = a_status()
    status["sink"] |= {"state": "sending", "reason": None}
    return Scene(status, ready=True, now=NOW, period=60, lines=500)


def with_sink(state: str, reason: str, hint: str = "") -> Scene:
    scene = well()
    scene.status["sink"] |= {"state": state, "reason": reason}
    return replace(scene, hint=hint)


def changed(change: Callable[[Status], object]) -> Scene:
    scene = well()
    change(scene.status)
    return scene


def keys(expires_at: float | None, warning: str | None = None) -> Scene:
    scene = well()
    credentials = scene.status["credentials"]
    assert credentials is not None
    credentials["expires_at"], credentials["warning"] = expires_at, warning
    return scene


def fresh(lines: int) -> Scene:
    def change(status: Status) -> None:
        status["ledger"]["lines"] = lines
        status["ledger"]["entries"]["acked"] = 0
        status["sink"]["last_success"] = None

    return replace(changed(change), lines=lines)


CASES: list[tuple[Scene, Mood, str, str]] = [
    (well(), "flows", "Metrics flow to CloudMonitor.", ""),
    (
        replace(well(), ready=False),
        "stopped",
        "starting or stopping",
        "look at its log",
    ),
    (with_sink("held", "NoPermission x", "attach"), "stopped", "do not flow", "attach"),
    (
        with_sink("held", "odd"),
        "stopped",
        "waits in the spool",
        "cms-relay doctor",
    ),
    (with_sink("waiting", "Throttling.User", "lower"), "stopped", "to wait", "lower"),
    (
        with_sink("waiting", "connection refused (ECONNREFUSED), before"),
        "stopped",
        "cannot be reached",
        "check --endpoint",
    ),
    (
        with_sink("waiting", "the name is not resolved, before"),
        "stopped",
        "cannot be reached",
        "DNS",
    ),
    (keys(NOW - 1), "careful", "have expired", "doctor"),
    (keys(NOW + 200), "careful", "expire soon", "doctor"),
    (keys(None, "old ones"), "careful", "could not be renewed", "doctor"),
    (replace(well(), lost={"parked": 1}), "careful", "entries got lost", "spool show"),
    (
        replace(well(), lost={"space": 9}),
        "careful",
        "entries got lost",
        "--spool-bytes",
    ),
    (
        replace(well(), kernel_drops=2),
        "careful",
        "dropped datagrams",
        "net.core.rmem_max",
    ),
    (
        changed(lambda s: s["spool"].update(degraded="ENOSPC")),  # type: ignore[attr-defined]
        "careful",
        "in memory only",
        "room on the disk",
    ),
    (
        changed(lambda s: s["spool"].update(unreadable_files=2)),  # type: ignore[attr-defined]
        "careful",
        "cannot be read",
        "chown",
    ),
    (
        changed(lambda s: s["sink"].update({"clock_offset": -90.0})),
        "careful",
        "off by 90 s",
        "NTP",
    ),
    (fresh(0), "idle", "Nothing has arrived yet", "cms-relay send"),
    (replace(well(), lines=0), "idle", "in the last 5 minutes", "look at the senders"),
    (replace(well(), lines=0, known=60.0), "idle", "in the last minute.", "senders"),
    (replace(well(), lines=0, known=59.0), "flows", "Metrics flow", ""),
    (
        replace(well(), refused={"bad_value": 300}),
        "careful",
        "half of them or more are refused",
        "Explain a line",
    ),
    (fresh(3), "idle", "the first period goes to CloudMonitor", ""),
    (replace(well(), refused={"late": 1}), "flows", "Metrics flow", "Explain a line"),
]


@pytest.mark.parametrize(("scene", "mood", "sentence", "fix"), CASES)
def test_says_how_it_is_and_what_mends_it(
    scene: Scene, mood: Mood, sentence: str, fix: str
) -> None:
    """One row a situation."""
    verdict = judge(scene)
    assert verdict.mood == mood
    assert sentence in verdict.sentence
    assert fix in verdict.fix


def test_a_sink_that_takes_nothing_comes_before_what_is_lost() -> None:
    """Who has five seconds reads the cause, not what follows from it."""
    scene = replace(with_sink("held", "NoPermission"), lost={"expired": 5})
    assert judge(scene).mood == "stopped"


def test_the_reason_is_what_the_service_said() -> None:
    """Word by word, so that it can be searched for."""
    reason = "NoPermission attach a policy; the service says: no"
    assert judge(with_sink("held", reason)).reason == reason


def test_refusals_show_an_example() -> None:
    """A line says more than a count."""
    verdict = judge(replace(well(), refused={"bad_value": 300}))
    assert "300 bad value; the last one: a:x|c" in verdict.reason


def test_a_sentence_stays_while_only_counts_change() -> None:
    """It is read aloud whenever it changes; the counts are in the reason."""
    scenes = [
        replace(well(), lost={"parked": n}, kernel_drops=n, refused={"late": n})
        for n in (1, 2)
    ]
    scenes += [replace(scene, lost={}) for scene in scenes]
    first, second, third, fourth = map(judge, scenes)
    assert (first.sentence, third.sentence) == (second.sentence, fourth.sentence)
    assert "1 parked" in first.reason
    assert "2 came faster" in fourth.reason
