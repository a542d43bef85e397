"""The file of mapping rules: what is read, and what a bad one is told."""

from pathlib import Path

import pytest

from relay.cloudmonitor.mapping import Mapper
from relay.errors import ConfigError
from relay.rollup.treatment import Rewritten, Treatment
from relay.settings import configuration_hash, load
from relay.settings.rule_file import RuleFile, read_rules
from relay.statsd.sample import Kind, Reason

RULES = """
[[rule]]
match = "api.*.*.latency"
kinds = ["timer", "histogram"]
name = "api_latency"
add_tags = { service = "$1", method = "${2}" }

[[rule]]
regex = '^debug\\.'
drop = true

[[rule]]
match = "jobs.*"
keep_tags = ["env", "queue"]
drop_tags = "env"
rename_tags = { queue = "q" }
"""


def test_a_file_is_rules_in_their_order() -> None:
    """Every key does what it says."""
    mapper = Mapper(read_rules(RULES))
    assert mapper(Kind.TIMER, "api.users.get.latency", ()) == Rewritten(
        "api_latency",
        (("method", "get"), ("service", "users")),
    )
    same = "api.users.get.latency", ()
    assert mapper(Kind.COUNTER, *same) == Rewritten(*same)
    assert mapper(Kind.SET, "debug.x", ()) is Reason.DROPPED_BY_RULE
    tags = (("env", "prod"), ("pod", "p"), ("queue", "mail"))
    assert mapper(Kind.GAUGE, "jobs.up", tags) == Rewritten("jobs.up", (("q", "mail"),))


def test_a_file_of_nothing_has_no_rules() -> None:
    """It is a file all the same."""
    assert read_rules("# none yet\n") == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[rule", "no TOML: "),
        ("[[rules]]\nmatch = 'a'", "'rules' is not [[rule]]"),
        ("[rule]\nmatch = 'a'", "rule wants double brackets"),
        ("rule = [1]", "rule 1: wants keys and values"),
        (
            "[[rule]]\nmatch='a'\ndrop=true\n[[rule]]\nnmae='b'",
            "rule 2: nmae is no key",
        ),
        ("[[rule]]\nnmae='b'", "did you mean name?"),
        ("[[rule]]\nxyzzy='b'", "keys: match, regex, kinds,"),
        ("[[rule]]\nname='b'", "wants either match (with *) or regex"),
        ("[[rule]]\nmatch='a'\nregex='a'\ndrop=true", "wants either match"),
        ("[[rule]]\nmatch=''\ndrop=true", "match is empty"),
        ("[[rule]]\nmatch=1\ndrop=true", "match wants text; got 1"),
        ("[[rule]]\nregex='('\ndrop=true", "regex: no regular expression: "),
        ("[[rule]]\nmatch='a'", "it does nothing; wants drop = true or name, "),
        ("[[rule]]\nmatch='a'\ndrop=true\nname='b'", "leaves nothing for name"),
        ("[[rule]]\nmatch='a'\ndrop='yes'", "drop wants true or false; got 'yes'"),
        ("[[rule]]\nmatch='a'\nname=''", "name is empty"),
        ("[[rule]]\nmatch='a.*'\nname='$2'", "name: $2 of 1 captures in '$2'"),
        ("[[rule]]\nmatch='a'\nadd_tags={k='$1'}", "add_tags.k: $1 of 0 captures"),
        ("[[rule]]\nmatch='a'\nadd_tags={k=1}", "add_tags wants { tag = text }"),
        ("[[rule]]\nmatch='a'\nadd_tags={''='x'}", "add_tags wants { tag = text }"),
        ("[[rule]]\nmatch='a'\nadd_tags='k'", "add_tags wants { tag = text }"),
        ("[[rule]]\nmatch='a'\nkeep_tags=[1]", "keep_tags wants a list of texts"),
        ("[[rule]]\nmatch='a'\nkeep_tags={}", "keep_tags wants a list of texts"),
        ("[[rule]]\nmatch='a'\ndrop=true\nkinds='count'", "'count' is none of counter"),
        ("[[rule]]\nmatch='a'\nrename_tags={a='c',b='c'}", "gives two tags one key"),
    ],
)
def test_a_bad_file_is_told_the_rule_and_the_fix(text: str, problem: str) -> None:
    """Nothing of it is used then."""
    with pytest.raises(ValueError, match=r".") as refused:
        read_rules(text)
    assert problem in str(refused.value)


def test_a_rule_says_how_its_series_are_treated() -> None:
    """Each key does what it says; a rule of nothing else is one."""
    rules = read_rules(
        "[[rule]]\nmatch='a'\ngroup_id=7\npercentiles=[99, 50]\nidle_ttl=0\n"
        "delete_idle=false\npriority=-1\n[[rule]]\nmatch='b'\npercentiles=[]\n"
    )
    mapper = Mapper(rules)
    assert mapper(Kind.TIMER, "a", ()) == Rewritten(
        "a", (), Treatment("7", (50, 99), 0, is_silent=False, priority=-1)
    )
    assert mapper(Kind.TIMER, "b", ()) == Rewritten("b", (), Treatment(percentiles=()))
    assert mapper.priorities == {-1, 0}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("group_id=-1", "group_id wants a whole number, 0 to 9223372036854775807"),
        ("group_id='7'", "group_id wants a whole number, 0 to"),
        ("percentiles=[33]", "percentiles wants a list out of 10, 20, 30"),
        ("percentiles='x'", "percentiles wants a list out of"),
        ("percentiles=[[50]]", "percentiles wants a list out of"),
        ("idle_ttl=true", "idle_ttl wants a whole number, 0 to 31622400; got True"),
        ("delete_idle=1", "delete_idle wants true or false; got 1"),
        ("priority=10", "priority wants a whole number, -9 to 9; got 10"),
        ("drop=true\npriority=1", "drop = true leaves nothing for priority"),
    ],
)
def test_a_bad_treatment_is_told_the_fix(text: str, problem: str) -> None:
    """As any other bad key."""
    with pytest.raises(ValueError, match=r".") as refused:
        read_rules(f"[[rule]]\nmatch='a'\n{text}\n")
    assert problem in str(refused.value)


def test_the_setting_names_the_file_and_the_rule(tmp_path: Path) -> None:
    """As any other bad setting is told where it came from."""
    path = tmp_path / "rules.toml"
    with pytest.raises(
        ConfigError, match=r"mapping.*wants a file of mapping rules"
    ) as no:
        load(flags={"mapping": str(path)}, will_run=False)
    assert "cannot be read: No such file" in str(no.value)
    path.write_text("[[rule]]\nmatch = 'a'\n")
    with pytest.raises(ConfigError, match="rule 1: it does nothing"):
        load(flags={"mapping": str(path)}, will_run=False)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="byte 0 is no UTF-8"):
        load(flags={"mapping": str(path)}, will_run=False)


def test_another_text_is_another_setting(tmp_path: Path) -> None:
    """A reload notices it, and so does whoever compares the hashes."""
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    before = load(flags={"mapping": str(path)}, will_run=False).settings
    same = load(flags={"mapping": str(path)}, will_run=False).settings
    path.write_text(RULES + "\n")
    after = load(flags={"mapping": str(path)}, will_run=False).settings
    assert before == same
    assert before != after
    assert configuration_hash(before) == configuration_hash(same)
    assert configuration_hash(before) != configuration_hash(after)
    assert str(before.mapping) == str(path)
    assert isinstance(before.mapping, RuleFile)


EXPORTER = """
defaults:
  observer_type: histogram
  ttl: 0
mappings:
- match: "api.*.*.latency"
  match_metric_type: timer
  name: "api_latency"
  help: "How long"
  labels:
    service: "$1"
    method: "${2}"
    version: 2
- match: '^debug\\.'
  match_type: regex
  action: drop
  name: "dropped"
- match: "jobs.*"
  name: "jobs_$1"
  ttl: 5m
"""


def test_a_mapping_file_of_statsd_exporter_is_read_as_it_is(tmp_path: Path) -> None:
    """What has no counterpart is named, with what there is instead."""
    path = tmp_path / "mapping.yml"
    path.write_text(EXPORTER)
    loaded = load(flags={"mapping": str(path)}, will_run=False)
    assert loaded.settings.mapping is not None
    mapper = Mapper(loaded.settings.mapping.rules)
    assert mapper(Kind.DISTRIBUTION, "api.users.get.latency", ()) == Rewritten(
        "api_latency",
        (("method", "get"), ("service", "users"), ("version", "2")),
        Treatment(idle_ttl=0),
    )
    assert mapper(Kind.COUNTER, "api.a.b.latency", ()) == Rewritten(
        "api.a.b.latency", ()
    )
    assert mapper(Kind.COUNTER, "debug.x", ()) is Reason.DROPPED_BY_RULE
    assert mapper(Kind.GAUGE, "jobs.up", ()) == Rewritten(
        "jobs_up", (), Treatment(idle_ttl=300)
    )
    notices = "\n".join(loaded.notices)
    assert "help (mapping 1) belongs to Prometheus" in notices
    assert "observer_type (defaults) belongs" in notices


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[", "no YAML: "),
        ("- a", "wants mappings:"),
        ("mappings: 1", "mappings: with a list"),
        ("maps: []", "'maps' is neither defaults nor mappings"),
        ("mappings: [1]", "mapping 1: wants keys and values"),
        ("mappings: [{match: a}]", "mapping 1: name wants text; got None"),
        ("mappings: [{name: a}]", "mapping 1: match wants text; got None"),
        ("mappings: [{match: a, name: $1}]", "mapping 1: $1 of 0 captures"),
        ("mappings: [{match: a, name: b, nmae: c}]", "'nmae' is no key of statsd_exp"),
        (
            "mappings: [{match: a, name: b, match_type: x}]",
            "one of glob, regex; got 'x'",
        ),
        ("mappings: [{match: a, name: b, action: x}]", "action wants one of map, drop"),
        ("mappings: [{match: a, name: b, labels: x}]", "labels wants keys and texts"),
        (
            "mappings: [{match: a, name: b, match_metric_type: x}]",
            "one of counter, gau",
        ),
        ("mappings: [{match: a, name: b, ttl: 5}]", "ttl wants a duration as 90s"),
        ("mappings: [{match: a, name: b, ttl: 5x}]", "got '5x'"),
        (
            "mappings: [{match: '(', name: b, match_type: regex}]",
            "no regular expression",
        ),
    ],
)
def test_a_bad_mapping_is_told_its_number(
    tmp_path: Path, text: str, problem: str
) -> None:
    """As a bad rule is."""
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r".") as refused:
        RuleFile.read(str(path))
    assert problem in str(refused.value)


def test_the_example_is_good() -> None:
    """deploy/rules.example.toml does what its comments say."""
    path = Path(__file__).parents[2] / "deploy" / "rules.example.toml"
    mapper = Mapper(RuleFile.read(str(path)).rules)
    assert mapper(Kind.TIMER, "api.users.get.latency", ()) == Rewritten(
        "api.latency",
        (("method", "get"), ("service", "users")),
    )
    assert mapper(Kind.COUNTER, "worker-12.jobs", ()) == Rewritten(
        "worker.jobs",
        (("worker", "12"),),
    )
    tags = (("request_id", "r"), ("status_code", "200"), ("url", "/"))
    assert mapper(Kind.COUNTER, "http.requests", tags) == Rewritten(
        "http.requests",
        (("status", "200"),),
    )
    queue = ("queue", "q")
    assert mapper(Kind.COUNTER, "jobs.done", (("pod", "p"), queue)) == Rewritten(
        "jobs.done",
        (queue,),
    )
    assert mapper(Kind.COUNTER, "debug.x", ()) is Reason.DROPPED_BY_RULE
    assert mapper(Kind.TIMER, "checkout.paid", ()) == Rewritten(
        "checkout.paid", (), Treatment("4711", (50, 99), 600, None, 1)
    )
    assert len(mapper.rules) == sum(map(bool, mapper.matched))
