"""Entries: what is refused, what is rewritten, what is kept as sent."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.contract import STATISTICS
from relay.emulator.answers import Refusal
from relay.emulator.entries import Entry, Malformed, Refused, judge, read_list
from relay.emulator.limits import Limits
from tests.emulator.door import ENTRY, NOW, entry, put_parameters, without


def judged(
    element: Mapping[str, str], limits: Limits | None = None
) -> Entry | Malformed | Refused:
    """One element under the usual limits."""
    return judge(element, NOW, limits or Limits())


def kept(**changed: str) -> Entry:
    """The entry that the usual element with changes becomes."""
    result = judged(entry(**changed))
    assert isinstance(result, Entry)
    return result


def test_usual_entry() -> None:
    """A good entry is kept as it was sent."""
    assert kept() == Entry(
        "0", "hits", (("host", "web-1"),), 1, 60, 1767322980000, {"Sum": 42}
    )


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("4xx", "Axx"),
        ("5xx", "Axx"),
        ("_a", "Aa"),
        ("a.b", "a_b"),
        ("a-b/c\\d e", "a_b_c_d_e"),
        ("é", "A"),
        ("größe", "gr__e"),
        ("n" * 70, "n" * 64),
    ],
)
def test_names_are_rewritten(sent: str, stored: str) -> None:
    """First no letter: A. Otherwise forbidden: underscore. Longer than 64: cut."""
    assert kept(MetricName=sent).metric_name == stored


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"b": "1", "a": "2"}, "a=2&b=1"),
        ({"k": "a=b&c,d"}, "k=a_b_c_d"),
        ({"k": "a.b-c_d/e\\f"}, "k=a.b-c_d/e\\f"),
        ({"k": "杭州 x"}, "k=___x"),
        ({"k": "v" * 70}, "k=" + "v" * 64),
        ({"k" * 70: "v"}, "k" * 64 + "=v"),
        ({"a=b": "1", "a,b": "2"}, "a_b=2"),
        ({}, ""),
    ],
)
def test_dimensions_are_rewritten(sent: Mapping[str, str], stored: str) -> None:
    """Sorted by key, cleaned, cut; keys that become one are one."""
    assert kept(Dimensions=json.dumps(sent)).dimension == stored


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [
        ("1767323040000", 1767323040000),
        ("1767323040", 1767323040),
        ("2026-01-02T03:04:00Z", 1767323040000),
        ("20260102T110400.000+0800", 1767323040000),
        ("", NOW * 1000),
    ],
)
def test_forms_of_time(time: str, milliseconds: int) -> None:
    """The three forms of the vendor's pages; seconds are read as 1970; none is now."""
    assert kept(Time=time).time_ms == milliseconds


def test_all_statistics() -> None:
    """Each of the 21 is taken, whole numbers staying whole."""
    values = dict(zip(STATISTICS, range(21), strict=True))
    assert kept(Values=json.dumps(values)).values == values


def test_raw_value() -> None:
    """Type 0 is one value and needs neither Period nor Time."""
    raw = {**ENTRY, "Type": "0", "Values": '{"value":1.5}', "Period": "", "Time": ""}
    result = judged(raw)
    assert isinstance(result, Entry)
    assert (result.type, result.period, result.values) == (0, None, {"value": 1.5})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Type": "2"}, "type is invalid"),
        ({"Type": "x"}, "type is invalid"),
        ({"Period": ""}, "period is invalid"),
        ({"Period": "30"}, "period is invalid"),
        ({"Values": "{}"}, "values is invalid"),
        ({"Values": '{"value":1}'}, "values is invalid"),
        ({"Values": '{"Sum":1,"P99.9":1}'}, "values is invalid"),
        ({"Values": '{"sum":1}'}, "values is invalid"),
        ({"Values": '{"Sum":1e999}'}, "values is invalid"),
        ({"Values": '{"Sum":1' + "0" * 400 + "}"}, "values is invalid"),
        ({"Type": "0"}, "values is invalid"),
        ({"Type": "0", "Values": '{"value":1,"Sum":1}'}, "values is invalid"),
        ({"Dimensions": '{"k":""}'}, "dimensions has an empty key or value"),
        ({"Dimensions": '{"":"v"}'}, "dimensions has an empty key or value"),
    ],
)
def test_broken_rules(changed: Mapping[str, str], message: str) -> None:
    """An entry that breaks a rule is refused by itself, with a reason."""
    assert judged(entry(**changed)) == Refused(message)


@pytest.mark.parametrize("count", [10, 11])
def test_ten_dimensions(count: int) -> None:
    """Ten are allowed, the eleventh is one too many."""
    dimensions = json.dumps({f"k{n}": "v" for n in range(count)})
    result = judged(entry(Dimensions=dimensions))
    assert isinstance(result, Entry if count == 10 else Refused)


@pytest.mark.parametrize(
    "changed",
    [
        {"GroupId": "x"},
        {"GroupId": "-1"},
        {"Period": "6O"},
        {"Time": "yesterday"},
        {"Time": "2026-02-30T00:00:00Z"},
        {"Dimensions": "x"},
        {"Dimensions": "[]"},
        {"Dimensions": '{"k":1}'},
        {"Dimensions": "[" * 100_000},
        {"Values": "{"},
        {"Values": "1"},
        {"Values": '{"Sum":"1"}'},
        {"Values": '{"Sum":true}'},
        {"Values": '{"Sum":null}'},
        {"Values": '{"Sum":NaN}'},
        {"Values": '{"Sum":-Infinity}'},
    ],
)
def test_unreadable(changed: Mapping[str, str]) -> None:
    """What cannot be read spoils its whole request, and is named."""
    result = judged(entry(**changed))
    assert isinstance(result, Malformed)
    assert next(iter(changed)) in result.message


def test_free_edition() -> None:
    """The free edition refuses raw values in the vendor's words."""
    raw = {**ENTRY, "Type": "0", "Values": '{"value":1}'}
    assert judged(raw, Limits(edition="free")) == Refused(
        "not allowed original value, please upgrade service"
    )
    assert isinstance(judged(ENTRY, Limits(edition="free")), Entry)


@pytest.mark.parametrize(("age", "taken"), [(59, True), (60, True), (61, False)])
def test_late_window(age: int, taken: bool) -> None:
    """With a window, older entries are refused."""
    element = entry(Time=str((NOW - age) * 1000))
    result = judged(element, Limits(late_window_seconds=60))
    assert isinstance(result, Entry if taken else Refused)


def test_other_periods() -> None:
    """Short periods of trials are taken where they are configured, and only they."""
    limits = Limits(periods=(2, 10))
    assert isinstance(judged(entry(Period="2"), limits), Entry)
    assert isinstance(judged(entry(Period="10"), limits), Entry)
    assert judged(entry(Period="60"), limits) == Refused("period is invalid")


# The list


def listed(*entries: Mapping[str, str], limits: Limits | None = None) -> object:
    """What ``read_list`` makes of a request with these entries."""
    return read_list(tuple(put_parameters(*entries).items()), limits or Limits())


def test_list_in_order() -> None:
    """Entries come by number, the tenth after the ninth."""
    entries = [entry(MetricName=f"m{n}") for n in range(12)]
    assert listed(*entries) == entries


@pytest.mark.parametrize("field", ["GroupId", "MetricName", "Type", "Values"])
def test_mandatory_fields(field: str) -> None:
    """A field that is missing, or empty, is named with its number."""
    for broken in (without(field), entry(**{field: ""})):
        refusal = listed(ENTRY, broken)
        assert isinstance(refusal, Refusal)
        assert refusal.code == "MissingParameter"
        assert refusal.message.endswith(f"MetricList.2.{field}")


@pytest.mark.parametrize("number", ["0", "02", "3", "x", "-1"])
def test_numbers_without_gaps(number: str) -> None:
    """The second entry is number 2, and nothing else."""
    pairs = {**put_parameters(ENTRY), f"MetricList.{number}.MetricName": "m"}
    result = read_list(tuple(pairs.items()), Limits())
    assert isinstance(result, Refusal) or result == [ENTRY]
    assert isinstance(result, Refusal) == (number == "3")


def test_empty_list() -> None:
    """A request without entries is refused."""
    refusal = listed()
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.status) == ("MissingParameter", 400)


def test_entries_per_request() -> None:
    """As many as allowed are taken, one more refuses all of them."""
    limits = Limits(entries_per_request=2)
    assert listed(ENTRY, ENTRY, limits=limits) == [ENTRY, ENTRY]
    refusal = listed(ENTRY, ENTRY, ENTRY, limits=limits)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.status) == ("InvalidParameter", 400)


@given(st.fixed_dictionaries({name: st.text() for name in ENTRY}))
def test_any_text_is_judged(element: dict[str, str]) -> None:
    """No text raises, and what is kept is clean."""
    result = judged(element)
    if isinstance(result, Entry):
        assert result.metric_name.isascii()


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=10))
def test_stored_dimensions_are_within_the_rules(given_: dict[str, str]) -> None:
    """Whatever is sent, keys and values come out in the allowed alphabet and length."""
    for text in (
        t for pair in kept(Dimensions=json.dumps(given_)).dimensions for t in pair
    ):
        assert 1 <= len(text) <= 64
        assert text.isascii()
        assert not set(text) & set("=&, ")
