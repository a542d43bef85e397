"""What a line costs with either engine: ``python -m tests.bench.bench_engine``."""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import process_time
from typing import NamedTuple

from relay.rollup.engine import Engine
from relay.rollup.engines import engine_names, open_engine
from relay.rollup.series import Series
from relay.statsd.grammar import Grammar, lines
from relay.statsd.sample import Kind, Tags, What
from tests.bench.loopback import daemon_seconds
from tests.bench.profiles import PROFILES, Profile, count_lines
from tests.bench.workload import datagrams

HELP = """\
Processor time of a line, in µs, with the engine in Python and the native one, and how many
times the second goes into the first. Medians of repeats, which take turns: every row with one
engine, then with the other, then all of it again, so that a drift of the machine meets both.

profiles:
{profiles}
rows of each profile:
  parse   grammar alone: what a line costs that nobody has seen; the engines share it
          hot path alone: known lines that nobody wants, without sets: cut, looked up,
          the number read, nothing added up
  feed    parsed and added up in memory: the first period, in which every spelling is new,
          and the next one
  daemon  a whole relay, `--sink null`, that gets them over loopback at an even pace,
          with all its threads, less what it takes when nothing is sent; its periods are
          short, so that series are asked for anew more often than in those of a minute
rows beside the profiles:
  worst   new names where there is no place for them; lines of nonsense

The figures are a size, not a promise: have the machine to yourself, compare those of one run.
"""
EPILOG = """\
examples:
  python -m tests.bench.bench_engine                            everything: 12 minutes
  python -m tests.bench.bench_engine --rows feed --profiles P2  one kind, half a minute
  python -m tests.bench.bench_engine --share 0.01 --repeats 1   whether it runs
"""
ROWS = ("parse", "feed", "daemon", "worst")
NEW_NAMES, NONSENSE = 60_000, 2_000


class Row(NamedTuple):
    """``run`` gives the seconds of a line with the engine of that name."""

    label: str
    run: Callable[[str], float]
    engines: tuple[str, ...] = ("python", "native")


class Plan(NamedTuple):
    """What was asked for."""

    profiles: list[str]
    rows: list[str]
    repeats: int
    share: float
    seconds: int
    period: int


def resolve(kind: Kind, name: str, tags: Tags, /) -> Series:
    """The cheapest of names: what naming costs is measured elsewhere."""
    return Series(kind, name, tags, name, ())


def unwanted(_kind: Kind, _name: str, _tags: Tags, /) -> What:
    return What.CLIENT_TELEMETRY


def engine(name: str = "auto") -> Engine:
    return open_engine(name, resolve, Grammar())


def timed(subject: Engine, sent: list[bytes], period: int) -> float:
    """In seconds, all of it."""
    start = process_time()
    for datagram in sent:
        subject.feed(datagram, period)
    return process_time() - start


def grammar_alone(sent: list[bytes], _: str) -> float:
    parse = Grammar().parse
    start = process_time()
    for datagram in sent:
        for line in lines(datagram):
            parse(line)
    return (process_time() - start) / count_lines(sent)


def hot_path_alone(sent: list[bytes], name: str) -> float:
    subject = open_engine(name, unwanted, Grammar())
    timed(subject, sent, 0)
    return timed(subject, sent, 0) / count_lines(sent)


def first_period(sent: list[bytes], name: str) -> float:
    """A new engine, which learns every spelling on the way."""
    return timed(engine(name), sent, 0) / count_lines(sent)


def next_period(sent: list[bytes], name: str) -> float:
    """An engine that has seen the names before, in the period before."""
    subject = engine(name)
    timed(subject, sent, 0)
    subject.seal(60)
    return timed(subject, sent, 60) / count_lines(sent)


def new_names(sent: list[bytes], name: str) -> float:
    """Every line a new name, beyond the limit of series."""
    subject = open_engine(name, resolve, Grammar(), series_limit=1)
    return timed(subject, sent, 0) / count_lines(sent)


def without_sets(sent: list[bytes]) -> list[bytes]:
    kept = (
        b"\n".join(line for line in datagram.split(b"\n") if b"|s" not in line)
        for datagram in sent
    )
    return [datagram for datagram in kept if datagram]


def rows_of(profile: Profile, plan: Plan) -> Iterator[Row]:
    sent = profile.sent(plan.share)
    if "parse" in plan.rows:
        yield Row("grammar alone", partial(grammar_alone, sent), ("python",))
        yield Row("hot path alone", partial(hot_path_alone, without_sets(sent)))
    if "feed" in plan.rows:
        yield Row("feed, first period", partial(first_period, sent))
        yield Row("feed, next period", partial(next_period, sent))
    if "daemon" in plan.rows:
        once = sent[: max(1, round(len(sent) * profile.series / profile.lines) + 1)]
        run = partial(daemon, once, profile, plan)
        yield Row(f"daemon, {profile.per_second:,} lines a second", run)


def daemon(once: list[bytes], profile: Profile, plan: Plan, name: str) -> float:
    return daemon_seconds(
        name,
        once,
        per_second=profile.per_second,
        seconds=plan.seconds,
        period=plan.period,
    )


def worst_rows(plan: Plan) -> Iterator[Row]:
    many = round(NEW_NAMES * plan.share)
    new = datagrams(many, many)
    plain = PROFILES["P2"].sent(plan.share)[:NONSENSE]
    nonsense = [datagram.replace(b"|", b"!") for datagram in plain]
    yield Row("new names where there is no place", partial(new_names, new))
    yield Row("lines of nonsense", partial(first_period, nonsense))


def measured(rows: list[Row], repeats: int) -> dict[tuple[str, str], float]:
    """Medians in µs, by label and engine."""
    found: dict[tuple[str, str], list[float]] = {}
    for repeat in range(repeats):
        for row in rows:
            for name in row.engines:
                if name in engine_names():
                    say(f"  {repeat + 1} of {repeats}: {row.label}, {name}")
                    found.setdefault((row.label, name), []).append(row.run(name) * 1e6)
    return {key: median(costs) for key, costs in found.items()}


def report(title: str, rows: list[Row], plan: Plan) -> None:
    say(title)
    costs = measured(rows, plan.repeats)
    print(title, flush=True)
    for row in rows:
        python, native = (costs.get((row.label, name)) for name in ("python", "native"))
        ratio = f"{python / native:8.1f}" if python and native else f"{'-':>8}"
        print(f"  {row.label:38}{figure(python)}{figure(native)}{ratio}", flush=True)


def figure(cost: float | None) -> str:
    return f"{'-':>9}" if cost is None else f"{cost:9.3f}"


def say(words: str) -> None:
    """Progress; the table alone is standard output."""
    print(words, file=sys.stderr, flush=True)


def asked() -> Plan:
    lines_of_profiles = "".join(
        f"  {name}  {one.words}, {one.series:,} series, {one.lines:,} lines\n"
        for name, one in PROFILES.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.bench_engine",
        description=HELP.format(profiles=lines_of_profiles),
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--profiles", nargs="+", choices=PROFILES, default=list(PROFILES))
    add("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    add("--repeats", type=int, default=5, help="of each row (default: 5)")
    add("--share", type=float, default=1.0, help="of lines and series (default: 1)")
    add("--seconds", type=int, default=5, help="of load on a daemon (default: 5)")
    add("--period", type=int, default=5, help="of a daemon, in seconds (default: 5)")
    return Plan(**vars(parser.parse_args()))


def main() -> None:
    plan = asked()
    print(f"{'µs of processor a line':40}{'python':>9}{'native':>9}{'ratio':>8}")
    for name in plan.profiles:
        profile = PROFILES[name]
        title = f"{name}: {profile.words}, {profile.series:,} series"
        rows = list(rows_of(profile, plan))
        if rows:
            report(title, rows, plan)
    if "worst" in plan.rows:
        report("worst: the slow path only", list(worst_rows(plan)), plan)


if __name__ == "__main__":
    main()
