"""``cms-relay spool``: what waits, what was refused, what is damaged, and getting rid of it.

``ls``, ``show`` and ``verify`` read beside a running relay and change nothing; ``drop``
wants the folder for itself.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from relay.cloudmonitor.contract import EVENT_FIELDS
from relay.cloudmonitor.datum import decode
from relay.cloudmonitor.events import decode_event
from relay.cloudmonitor.hybrid import decode_hybrid, is_hybrid
from relay.commands.parsing import Commands, Handler, add_command
from relay.delivery.batch import Batch
from relay.errors import ConfigError, RelayError
from relay.settings import from_arguments
from relay.spool.files import DiskFiles
from relay.spool.store import Store
from relay.spool.survey import DENIED, SegmentView, Survey

__all__ = ["register"]

MORE = """\
  cms-relay spool ls --state /var/lib/cms-relay       what waits, period by period
  cms-relay spool show 0000000000000042.seg           the entries of one segment
  cms-relay spool show --parked                       what was refused for good, and why
  cms-relay spool verify                              reads every byte; status 1: damage
  cms-relay spool drop --quarantine --parked          with the relay stopped

A segment is one closed period, or part of a large one. Without --state the folder is the
one of the settings (CMS_RELAY_STATE, or state in the file given with --config).
"""


OTHERS = ("parked", "quarantine")


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "spool", "look after what waits on disk", MORE, _ls)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _action(actions, "ls", "list segments, parked entries and quarantine", _ls)
    _action(actions, "verify", "read every byte and say what is damaged", _verify)
    show = _action(actions, "show", "print entries that wait", _show)
    show.add_argument("segment", metavar="SEGMENT", nargs="*", help="as ls names it")
    show.add_argument("--parked", action="store_true", help="those refused for good")
    show.add_argument("--limit", metavar="N", type=int, help="at most so many entries")
    drop = _action(actions, "drop", "remove for good; the relay must be stopped", _drop)
    drop.add_argument("segment", metavar="SEGMENT", nargs="*", help="as ls names it")
    drop.add_argument("--all", action="store_true", help="every segment")
    drop.add_argument("--parked", action="store_true", help="what was refused for good")
    drop.add_argument("--quarantine", action="store_true", help="damaged files")


def _action(
    actions: Commands, name: str, does: str, handler: Handler
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name, help=does, description=f"{does[0].upper()}{does[1:]}.", allow_abbrev=False
    )
    parser.add_argument("--state", metavar="FOLDER", help="state folder of the relay")
    parser.add_argument("--config", metavar="CONFIG", help="a TOML file that names it")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(handler=handler)
    return parser


# Looking.


def _ls(arguments: argparse.Namespace) -> int:
    with closing(Survey(_folder(arguments))) as survey:
        segments = list(survey.segments())
        parked, aside = list(survey.parked()), list(survey.quarantine())
    if arguments.json:
        _print_json(view._asdict() for view in segments)
        _print_json(
            {"parked": p.batch.id, "entries": len(p.batch.items), "reason": p.reason}
            for p in parked
        )
        _print_json({"quarantine": name, "bytes": size} for name, size in aside)
        return 0
    _print_table(segments)
    if parked:
        entries = sum(len(one.batch.items) for one in parked)
        print(f"parked: {entries} entries refused for good; show --parked says why")
    for name, size in aside:
        print(f"quarantine: {name} ({size} bytes)")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    with closing(Survey(_folder(arguments))) as survey:
        segments = list(survey.segments(thorough=True))
    if arguments.json:
        _print_json(view._asdict() for view in segments)
    else:
        _print_table(segments)
    denied = sum(view.problem == DENIED for view in segments)
    damaged = [view for view in segments if view.problem not in ("", DENIED)]
    if damaged:
        print(
            f"{len(damaged)} damaged, {sum(view.lost for view in damaged)} entries lost"
            " for certain; the relay delivers the rest and puts the files aside",
            file=sys.stderr,
        )
    if denied:
        print(
            f"{denied} cannot be read: chown them to the relay's user and restart it",
            file=sys.stderr,
        )
    return 1 if damaged or denied else 0


def _show(arguments: argparse.Namespace) -> int:
    if arguments.limit is not None and arguments.limit < 1:
        raise _wrong("--limit", f"wants a number above 0; got {arguments.limit}")
    with closing(Survey(_folder(arguments))) as survey:
        known = survey.names()
        _check_names(arguments.segment, known)
        wanted = arguments.segment or ([] if arguments.parked else known)
        missed: list[str] = []
        found = _entries(survey, wanted, missed, parked=arguments.parked)
        for fields in islice(found, arguments.limit):
            print(json.dumps(fields) if arguments.json else _in_words(fields))
    for one in missed:
        print(one, file=sys.stderr)
    return 1 if missed else 0


def _entries(
    survey: Survey, names: Sequence[str], missed: list[str], *, parked: bool
) -> Iterator[dict[str, object]]:
    """What is in them; ``missed`` gets those that cannot be read."""
    for name in names:
        try:
            for batch in survey.batches(name):
                yield from _decoded(batch)
        except FileNotFoundError:  # delivered a moment ago
            continue
        except OSError as error:
            missed.append(f"{name}: {error.strerror}")
    for one in survey.parked() if parked else ():
        for fields in _decoded(one.batch):
            yield {**fields, "reason": one.reason}


def _decoded(batch: Batch) -> Iterator[dict[str, object]]:
    for item in batch.items:
        try:
            if is_hybrid(item):
                yield decode_hybrid(item)
                continue
            is_event = item.startswith(f"{EVENT_FIELDS[0]}=")
            yield decode_event(item) if is_event else decode(item).as_object()
        except (ValueError, KeyError, AttributeError):
            yield {"unreadable": item}  # by whoever wrote it, not by the disk


# Dropping.


def _drop(arguments: argparse.Namespace) -> int:
    if not any(getattr(arguments, what) for what in ("segment", "all", *OTHERS)):
        raise _wrong("drop", "wants a SEGMENT, --all, --parked or --quarantine")
    folder, gone = _folder(arguments), list[str]()
    with closing(Survey(folder)) as survey, closing(_locked(folder)) as store:
        _check_names(arguments.segment, survey.names())
        for view in survey.segments():
            if arguments.all or view.segment in arguments.segment:
                store.remove(view.sequence)
                many = "unknown" if view.problem == DENIED else view.waiting
                gone.append(f"{view.segment} ({many} entries)")
        for other in OTHERS:
            if getattr(arguments, other):
                gone += [f"{other}/{name}" for name in store.empty(other)]
        store.sync()
    if arguments.json:
        _print_json({"dropped": name.partition(" ")[0]} for name in gone)
    else:
        print("\n".join(f"dropped {name}" for name in gone) or "there was nothing")
    return 0


def _locked(folder: Path) -> Store:
    return Store.open(folder, DiskFiles())


# Arguments and output.


def _folder(arguments: argparse.Namespace) -> Path:
    """The one that is named, else that of the settings; never one made up."""
    if arguments.state is not None:
        return Path(arguments.state)
    named = argparse.Namespace(config=arguments.config)
    state = from_arguments(named, will_run=False).settings.state
    if state is None:
        raise _wrong("--state", "wants the FOLDER of the relay; the settings name none")
    return state


def _check_names(wanted: Sequence[str], known: Sequence[str]) -> None:
    for name in wanted:
        if name not in known:
            raise RelayError(f"{name}: no such segment; cms-relay spool ls lists them")


def _print_json(objects: Iterable[dict[str, object]]) -> None:
    for one in objects:
        print(json.dumps(one))


def _print_table(views: Sequence[SegmentView]) -> None:
    if not views:
        print("nothing waits")
        return
    print(f"{'segment':24}{'period ended':22}{'batches':>8}{'waiting':>9}{'bytes':>10}")
    for view in views:
        print(
            f"{view.segment:24}{_moment(view.closed_at):22}{view.batches:8}"
            f"{view.waiting:9}{view.bytes:10}"
            + (f"  {view.problem}" if view.problem else "")
        )
    waiting = sum(view.waiting for view in views)
    size = sum(view.bytes for view in views)
    print(f"segments: {len(views)}, entries: {waiting}, bytes: {size}")


def _moment(seconds: int | None) -> str:
    if seconds is None:
        return "unknown"
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):  # whatever stood in a damaged file
        return str(seconds)


def _in_words(fields: dict[str, object]) -> str:
    if "unreadable" in fields:
        return f"unreadable: {fields['unreadable']!r}"
    reason = f"  refused: {fields['reason']!r}" if "reason" in fields else ""
    if "EventName" in fields:
        said = json.dumps(fields["Content"])
        return f"event {fields['EventName']} time {fields['Time']}: {said}{reason}"
    if "Name" in fields:
        labels = json.dumps(fields["Labels"])
        return (
            f"{fields['Name']} {labels} time {fields['TS']}: {fields['Value']}{reason}"
        )
    dimensions, values = fields["Dimensions"], fields["Values"]
    return (
        f"{fields['MetricName']} {json.dumps(dimensions)} period {fields['Period']}"
        f" time {fields['Time']}: {json.dumps(values)}{reason}"
    )


def _wrong(key: str, problem: str) -> ConfigError:
    return ConfigError(key, problem, source="command line")
