"""The tables of lines that the grammar answers to, fed to every engine."""

from collections import Counter

import pytest

from relay.rollup.engine import Engine
from relay.rollup.engines import open_engine
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Kind, Reason, What
from tests.rollup.rig import resolve
from tests.statsd.cases import Case, all_cases


def repeatable(case: Case) -> bool:
    """Whether the values may be added three times; the largest double may not."""
    values = [value for sample in case.accepted for value in sample["values"]]
    return not any(isinstance(v, float) and abs(v) > 1e300 for v in values)


CASES = [case for case in all_cases() if repeatable(case)]


def expected(case: Case) -> Counter[Kind | Reason | What]:
    """What one feeding of the line has to count; stamps are far ahead of period 0."""
    counts: Counter[Kind | Reason | What] = Counter(map(Reason, case.refused))
    counts.update(map(What, case.ignored))
    for sample in case.accepted:
        ahead = sample["timestamp"] is not None and sample["timestamp"] > 240
        found = Reason.FUTURE if ahead else Kind(sample["kind"])
        counts[found] += len(sample["values"])
    return counts


def counted(engine: Engine) -> Counter[Kind | Reason | What]:
    tally = engine.tally()
    counts: Counter[Kind | Reason | What] = Counter()
    for part in (tally.samples, tally.refused, tally.ignored):
        counts.update(part)
    return counts


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_engines_count_what_the_grammar_finds(case: Case) -> None:
    """At first sight, when the spelling is known, and in the next period."""
    grammar = Grammar(case.dialects, case.signed_gauge)
    engine = open_engine("python", resolve, grammar)
    for times, period in ((1, 0), (2, 0), (3, 60)):
        engine.feed(case.datagram, period)
        once = expected(case)
        assert counted(engine) == Counter({what: times * once[what] for what in once})
