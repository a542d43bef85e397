"""Fifty ways to get one good file wrong: each is refused by name, key and wanted form."""

from pathlib import Path

import pytest

from relay.cli import main

GOOD = """\
listen = ["udp://127.0.0.1:8125", "udp://[::1]:8125"]
dialect = ["graphite", "influx"]
signed_gauge = "delta"
series_limit = 1000
requests_per_second = 2.5
sink = "cloudmonitor"
region = "cn-hangzhou"
http = "127.0.0.1:8127"
console = "off"
state = "off"
percentiles = [50, 99]
long_period = true
idle_ttl = 0
delete_idle = ["gauge"]
instance = "web-1"
entries_per_request = 20
signature = "v3"
send_spread = 0.5
max_age = 3600
log_level = "info"
"""

MUTATIONS = [
    # the line of the good file, what it becomes, the key to be named, the wanted form
    ("listen", 'listen = "udp://127.0.0.1:8125"', "listen", "a list"),
    ("listen", "listen = []", "listen", "udp://HOST:PORT"),
    ("listen", 'listen = ["127.0.0.1:8125"]', "listen", "udp://HOST:PORT"),
    ("listen", 'listen = ["udp://127.0.0.1"]', "listen", "the port is missing"),
    ("listen", 'listen = ["udp://:8125"]', "listen", "must be named"),
    ("listen", 'listen = ["udp://127.0.0.1:65536"]', "listen", "0-65535"),
    ("listen", 'listen = ["udp://relay.example:8125"]', "listen", "IP address"),
    ("listen", 'listen = ["http://127.0.0.1:8125"]', "listen", "unixgram:///PATH"),
    ("listen", 'listen = ["unix:///run/a.sock?mode=9"]', "listen", "mode=0660"),
    ("listen", "listen = [8125]", "listen", "udp://HOST:PORT"),
    ("listen", 'lisen = ["udp://127.0.0.1:8125"]', "lisen", "did you mean listen?"),
    ("dialect", 'dialect = ["carbon"]', "dialect", "graphite, influx"),
    ("dialect", 'dialect = "influx"', "dialect", "a list"),
    ("signed_gauge", 'signed_gauge = "Delta"', "signed_gauge", "delta, value"),
    ("signed_gauge", "signed_gauge = true", "signed_gauge", "delta, value"),
    ("series_limit", "series_limit = 0", "series_limit", "from 1"),
    ("series_limit", "series_limit = 1e3", "series_limit", "whole number"),
    ("series_limit", 'series_limit = "1000"', "series_limit", "whole number"),
    ("series_limit", "series_limit = true", "series_limit", "whole number"),
    ("series_limit", "series_limit = 0x" + "f" * 9000, "series_limit", "whole number"),
    ("series_limit", "series-limit = 1000", "series-limit", "mean series_limit?"),
    ("requests_per", "requests_per_second = 0", "requests_per_second", "from 0"),
    ("requests_per", "requests_per_second = inf", "requests_per_second", "a number"),
    ("requests_per", "requests_per_second = nan", "requests_per_second", "a number"),
    ("sink", 'sink = "cloudwatch"', "sink", "cloudmonitor, hybrid, emulator"),
    ("sink", 'sink = ["null"]', "sink", "cloudmonitor, hybrid, emulator"),
    ("region", 'region = "Hangzhou"', "region", "cn-hangzhou"),
    ("region", 'region = ""', "region", "text"),
    ("region", "", "region", "--sink emulator"),
    ("region", 'endpoint = "http://metrics.example.com"', "endpoint", "https"),
    ("region", 'endpoint = "https://u:p@host"', "endpoint", "https://HOST"),
    ("region", 'endpoint = "https://host/api?x=1"', "endpoint", "https://HOST"),
    (
        "region",
        'region = "cn-a"\nca_file = "/nowhere"',
        "ca_file",
        "certificates in PEM",
    ),
    ("http", 'http = "0.0.0.0:8127"', "http", "--allow-remote-admin"),
    ("http", "http = 8127", "http", "HOST:PORT, or off"),
    ("http", "http = false", "http", "HOST:PORT, or off"),
    ("console", 'console = "0.0.0.0:8126"', "console", "--allow-remote-admin"),
    ("state", "state = 7", "state", "a path, or off"),
    ("state", 'state = "off"\nstop = "handover"', "stop", "--state FOLDER"),
    ("percentiles", "percentiles = [51]", "percentiles", "10, 20, 30"),
    ("percentiles", "percentiles = [99.9]", "percentiles", "10, 20, 30"),
    ("long_period", 'long_period = "true"', "long_period", "true or false"),
    ("long_period", "long_period = 1", "long_period", "true or false"),
    ("idle_ttl", "idle_ttl = -1", "idle_ttl", "seconds from 0"),
    ("delete_idle", 'delete_idle = ["gauges"]', "delete_idle", "counter, gauge"),
    ("instance", 'instance = "web\\u001b1"', "instance", "text"),
    ("entries_per", "entries_per_request = 101", "entries_per_request", "1 to 100"),
    ("signature", 'signature = "v2"', "signature", "v3, v1"),
    ("send_spread", "send_spread = 46", "send_spread", "seconds from 0 to 45"),
    ("max_age", "max_age = 604801", "max_age", "seconds from 0 to 604800"),
    ("max_age", "period = 10", "period", "other than 60 only"),
    ("max_age", "[delivery]\nmax_age = 3600", "delivery", "no tables"),
    ("log_level", 'log_level = "verbose"', "log_level", "debug, info"),
    ("log_level", "log_level = info", "CONFIG", "TOML"),
    ("log_level", 'log_level = "info"\nlog_level = "info"', "CONFIG", "TOML"),
    ("log_level", 'access_key_secret = "s3cret"', "access_key_secret", "key_file"),
]


def mutated(line: str, becomes: str) -> str:
    """The good file with the line that begins so replaced, as its last line."""
    kept = [one for one in GOOD.splitlines() if not one.startswith(line)]
    assert len(kept) == len(GOOD.splitlines()) - 1
    return "\n".join([*kept, becomes]) + "\n"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENGINE", "SINK"):
        monkeypatch.delenv(f"CMS_RELAY_{name}", raising=False)


def test_the_good_file_is_good(tmp_path: Path) -> None:
    """What is mutated below is accepted as it stands."""
    path = tmp_path / "relay.toml"
    path.write_text(GOOD)
    assert main(["check", str(path)]) == 0


@pytest.mark.bar("A6")
@pytest.mark.parametrize("case", MUTATIONS, ids=lambda case: case[1][:40])
def test_a_mutation_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: tuple[str, str, str, str]
) -> None:
    """Status 2, and one line with file, key and wanted form.

    Settings are shown only where each is good by itself.
    """
    line, becomes, key, form = case
    path = tmp_path / "relay.toml"
    path.write_text(mutated(line, becomes))
    assert main(["check", str(path)]) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert not out or "# configuration" in out
    assert err.startswith(f"cms-relay: {path}: {key}: ")
    assert form in err
    assert "u:p@" not in err
    assert "s3cret" not in err
