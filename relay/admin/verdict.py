"""Whether metrics flow, in one sentence, and where not why, and what mends it.

Rules in the order in which somebody would want to know: the first that holds is the
verdict. Everything here goes by what the status and the last minutes say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from relay.admin.status import Status

__all__ = ["LATELY_SECONDS", "Mood", "Scene", "Verdict", "judge"]

LATELY_SECONDS = 300.0
CLOCK_SECONDS = 60.0
"""An offset that is worth a word; signatures are refused from 900 on."""

EXPIRY_SECONDS = 300.0
SILENCE_SECONDS = 60.0
"""Silence that is shorter says nothing, as after a start, or when the clock was set."""

Mood = Literal["flows", "careful", "stopped", "idle"]
"""``careful``: metrics flow but something is lost or soon will be."""

_DOCTOR = "run `cms-relay doctor`: it tries the road step by step and says what to mend"


class Verdict(NamedTuple):
    """``reason`` and ``fix`` are empty where there is nothing to mend."""

    mood: Mood
    sentence: str
    reason: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a verdict goes by; counts are those of the last ``known`` seconds, which are
    ``LATELY_SECONDS`` at most.

    ``now`` is Unix seconds, ``period`` seconds; ``hint`` is what is known to mend the
    code in the sink's reason, empty where nothing is.
    """

    status: Status
    ready: bool
    now: float
    period: int
    hint: str = ""
    known: float = LATELY_SECONDS
    lines: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    kernel_drops: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """What the sink is called in a sentence."""
        name = self.status["sink"]["name"]
        return _PLACES.get(name, f"the sink {name}")


_PLACES = {
    "cloudmonitor": "CloudMonitor",
    "hybrid": "CloudMonitor",
    "emulator": "the emulator",
    "stdout": "standard output",
    "null": "nowhere (the sink null)",
}


def judge(scene: Scene) -> Verdict:
    """The verdict."""
    found = (rule(scene) for rule in _RULES)
    return next(verdict for verdict in found if verdict is not None)


def _unready(scene: Scene) -> Verdict | None:
    if scene.ready:
        return None
    return Verdict(
        "stopped",
        "The relay is starting or stopping.",
        "its sockets are not bound, so what is sent to it now is lost",
        "wait some seconds; if it stays so, look at its log",
    )


def _held(scene: Scene) -> Verdict | None:
    sink = scene.status["sink"]
    if sink["state"] != "held":
        return None
    reason = sink["reason"] or "no reason was given"
    return Verdict(
        "stopped",
        f"Metrics do not flow: {scene.where} does not take them from us.{_kept(scene)}",
        reason,
        scene.hint or _known(reason),
    )


def _waiting(scene: Scene) -> Verdict | None:
    sink = scene.status["sink"]
    if sink["state"] != "waiting":
        return None
    reason = sink["reason"] or "no reason was given"
    return Verdict(
        "stopped",
        f"Metrics do not flow at the moment: {scene.where} cannot be reached, or wants "
        f"us to wait.{_kept(scene)}",
        reason,
        scene.hint or _known(reason),
    )


def _kept(scene: Scene) -> str:
    """Without a count: whoever hears the sentence hears it again when it changes."""
    if not scene.status["ledger"]["entries"]["waiting"]:
        return ""
    return " What waits in the spool goes out later."


def _keys(scene: Scene) -> Verdict | None:
    keys = scene.status["credentials"]
    if keys is None:
        return None
    expires = keys["expires_at"]
    if expires is not None and expires - scene.now < EXPIRY_SECONDS:
        past = expires <= scene.now
        return Verdict(
            "careful",
            f"Metrics flow, but the keys {'have expired' if past else 'expire soon'}.",
            keys["warning"] or f"the source {keys['source']} gave no newer ones",
            "look after the source of the keys; `cms-relay doctor` asks each in turn",
        )
    if keys["warning"]:
        return Verdict(
            "careful",
            "Metrics flow, with keys that could not be renewed.",
            keys["warning"],
            "look after the source of the keys; `cms-relay doctor` asks each in turn",
        )
    return None


def _entries_lost(scene: Scene) -> Verdict | None:
    if not scene.lost:
        return None
    worst = max(scene.lost, key=lambda why: scene.lost[why])
    return Verdict(
        "careful",
        "Metrics flow, but entries got lost in the last minutes.",
        _list(scene.lost),
        _LOST.get(worst, _DOCTOR),
    )


_LOST = {
    "partial": "the service took only part, mostly for its quota of series: report "
    "fewer series or ask for a larger quota",
    "parked": "see what the service refuses for good: `cms-relay spool show`",
    "expired": "entries grew too old while the sink was away: mend the sink, or raise "
    "--max-age",
    "space": "the spool was full: mend the sink, or raise --spool-bytes",
    "too_large": "an entry alone is larger than a request: send fewer or shorter tags",
}


def _dropped(scene: Scene) -> Verdict | None:
    if not scene.kernel_drops:
        return None
    return Verdict(
        "careful",
        "Metrics flow, but the kernel dropped datagrams in the last minutes.",
        f"{scene.kernel_drops:,} came faster than the relay could read them, so the "
        "socket's queue was full",
        "raise net.core.rmem_max to what --receive-buffer asks for, or spread the load",
    )


def _disk(scene: Scene) -> Verdict | None:
    degraded = scene.status["spool"].get("degraded")
    if not degraded:
        return None
    return Verdict(
        "careful",
        "Metrics flow, but what waits is in memory only.",
        f"{degraded}",
        "make room on the disk of the state folder, or mend its permissions",
    )


def _unreadable(scene: Scene) -> Verdict | None:
    if not scene.status["spool"].get("unreadable_files"):
        return None
    return Verdict(
        "careful",
        "Metrics flow, but files of the spool cannot be read.",
        "they belong to another user, and what is in them waits",
        "make the state folder the relay's user's (chown -R) and start the relay again",
    )


def _clock(scene: Scene) -> Verdict | None:
    offset = scene.status["sink"]["clock_offset"]
    if abs(offset) < CLOCK_SECONDS:
        return None
    return Verdict(
        "careful",
        f"Metrics flow, but this machine's clock is off by {abs(offset):.0f} s.",
        "requests are signed with the service's time; the periods are named by ours",
        "set the clock, and keep it by NTP",
    )


def _only_refused(scene: Scene) -> Verdict | None:
    refused = sum(scene.refused.values())
    if not refused or refused * 2 < scene.lines:
        return None
    latest = scene.status["last_refusals"]
    example = f"; the last one: {latest[-1]['text']}" if latest else ""
    return Verdict(
        "careful",
        "Lines arrive, but half of them or more are refused.",
        f"{_list(scene.refused)}{example}",
        "paste such a line into “Explain a line” below: it says what is wrong with it",
    )


def _never(scene: Scene) -> Verdict | None:
    if scene.status["ledger"]["lines"]:
        return None
    listeners = scene.status["listeners"]
    doors = ", ".join(listener["url"] for listener in listeners) or "no socket at all"
    return Verdict(
        "idle",
        "Nothing has arrived yet.",
        f"the relay is ready and listens at {doors}",
        "send a line: `cms-relay send 'hello:1|c'`; from other machines --listen has to "
        "name an address they reach",
    )


def _silent(scene: Scene) -> Verdict | None:
    if scene.lines or scene.known < SILENCE_SECONDS:
        return None
    minutes = int(scene.known // 60)
    doors = ", ".join(listener["url"] for listener in scene.status["listeners"])
    return Verdict(
        "idle",
        f"Nothing has arrived in the last {minutes} minutes."
        if minutes > 1
        else "Nothing has arrived in the last minute.",
        f"senders are silent, or do not reach {doors}",
        "try `cms-relay send 'hello:1|c'`: if that arrives, look at the senders",
    )


def _first(scene: Scene) -> Verdict | None:
    sink = scene.status["sink"]
    if sink["last_success"] is not None or scene.status["ledger"]["entries"]["acked"]:
        return None
    return Verdict(
        "idle",
        f"Lines arrive; the first period goes to {scene.where} when it is over.",
        f"a period takes {scene.period} s",
    )


def _flows(scene: Scene) -> Verdict:
    refused = sum(scene.refused.values())
    sentence = f"Metrics flow to {scene.where}."
    if not refused:
        return Verdict("flows", sentence)
    return Verdict(
        "flows",
        sentence,
        f"some lines were refused in the last minutes: {_list(scene.refused)}",
        "“Explain a line” below says what is wrong with one",
    )


_RULES: Sequence[Callable[[Scene], Verdict | None]] = (
    *(_unready, _held, _waiting, _keys, _entries_lost, _dropped, _disk, _unreadable),
    *(_clock, _never, _silent, _only_refused, _first, _flows),
)


def _known(reason: str) -> str:
    """What mends a network, by the words the sink has for it."""
    for words, fix in _NETWORK:
        if words in reason:
            return fix
    return _DOCTOR


_NETWORK = (
    (
        "not resolved",
        "check the name in --endpoint or --region, and this machine's DNS",
    ),
    ("resolver", "check this machine's DNS: it does not answer"),
    ("refused", "nothing listens there: check --endpoint, a firewall or a proxy"),
    ("certificate", "trust the authority with --ca-file, or look who is in between"),
    ("proxy", "check the proxy between here and the service"),
    ("in time", "the road is slow or cut: check the network and its firewalls"),
    ("reset", "something on the way cuts connections: check firewalls and proxies"),
)


def _list(counts: Mapping[str, int]) -> str:
    most = sorted(counts.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{count:,} {why.replace('_', ' ')}" for why, count in most)
