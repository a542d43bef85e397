"""What becomes of a statsd config.js, and how a complaint names what is wrong in it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from relay.errors import ConfigError
from relay.settings import Loaded, load
from relay.settings.statsd_file import read_statsd
from relay.settings.statsd_keys import KEYS, Fate, row_of, statsd_keys_table
from relay.statsd.sample import Kind

VECTORS = Path(__file__).parent.parent / "vectors" / "config-js"
HERE = {"sink": "emulator"}

A16 = """
port address address_ipv6 server servers socket socket_mod mgmt_port mgmt_address backends
flushInterval percentThreshold histogram calculatedTimerMetrics flush_counts prefixStats
keyNameSanitize deleteIdleStats deleteCounters deleteTimers deleteSets deleteGauges
gaugesMaxTTL keyFlush debug dumpMessages log console graphiteHost graphitePort
graphitePicklePort graphiteProtocol graphite repeater repeaterProtocol title healthStatus
automaticConfigReload
"""
"""The keys of the reference daemon, release 0.9."""


def config(folder: Path, text: str) -> Path:
    path = folder / "config.js"
    path.write_text(text)
    return path


def loaded(folder: Path, text: str, **flags: object) -> Loaded:
    return load(config(folder, text), {**HERE, **flags})


def doors(text: str) -> object:
    """The URLs of the listeners that a file asks for, with what names each."""
    listen = read_statsd(text, "config.js").written["listen"]
    assert isinstance(listen.raw, list)
    return list(zip(listen.raw, listen.element_keys, strict=True))


def test_every_key_of_the_reference_has_a_row() -> None:
    """Each is honoured, mapped or ignored with a reason, in the code and the docs."""
    for name in A16.split():
        row = row_of(name)
        assert row in KEYS
        assert row.sentence
        assert f"``{name}``" in statsd_keys_table()
        assert (row.fate is Fate.IGNORED) <= (row.settings == "")


@pytest.mark.parametrize(
    ("name", "port"),
    [("daemon", 8125), ("proxy", 8125), ("package", 8125), ("package-proxy", 8127)],
)
def test_the_files_that_statsd_ships_are_taken(name: str, port: int) -> None:
    """Each key of them is named, and the port is theirs."""
    read = load(VECTORS / f"{name}.js", HERE)
    assert [str(one) for one in read.settings.listen] == [f"udp://0.0.0.0:{port}"]
    text = (VECTORS / f"{name}.js").read_text()
    assert len(read.remarks) > 2
    assert all(one.key in text and one.text for one in read.remarks)


@pytest.mark.peer
def test_the_shipped_files_themselves_are_taken(tmp_path: Path) -> None:
    """As they come from the package registry."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not on this machine")
    fetched = subprocess.run(
        ["npm", "pack", "--silent", "statsd@0.9.0"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    if fetched.returncode:
        pytest.skip("the statsd package cannot be fetched")
    shutil.unpack_archive(tmp_path / "statsd-0.9.0.tgz", tmp_path)
    found = [
        *(tmp_path / "package").glob("example*Config.js"),
        *(tmp_path / "package" / "debian").glob("*.js"),
    ]
    assert len(found) == 4
    for path in found:
        assert len(load(path, HERE).remarks) > 2


def test_the_library_is_imported_for_such_a_file_only(tmp_path: Path) -> None:
    """A TOML file costs no import of json5."""
    (tmp_path / "relay.toml").write_text('sink = "null"')
    config(tmp_path, "{}")
    for name, is_there in (("relay.toml", False), ("config.js", True)):
        program = (
            "import sys, pathlib; from relay.settings import load;"
            f"load(pathlib.Path({str(tmp_path / name)!r}), {{'sink': 'null'}});"
            "print('json5' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == str(is_there)


@pytest.mark.bar("P1")
@pytest.mark.parametrize(
    ("text", "url", "key"),
    [
        ("{}", "udp://0.0.0.0:8125", "port"),
        ("{port: '9125'}", "udp://0.0.0.0:9125", "port"),
        ("{port: 0}", "udp://0.0.0.0:0", "port"),
        ("{port: null, address: ''}", "udp://0.0.0.0:8125", "port"),
        ("{address: '127.0.0.1'}", "udp://127.0.0.1:8125", "address"),
        ("{address_ipv6: true}", "udp://[::]:8125", "port"),
        ("{address_ipv6: true, address: 'localhost'}", "udp://[::1]:8125", "address"),
        ("{server: './servers/tcp', port: 1}", "tcp://0.0.0.0:1", "server"),
        (
            "{server: '/usr/share/statsd/servers/tcp.js', address: '::1'}",
            "tcp://[::1]:8125",
            "server",
        ),
        (
            "{server: './servers/tcp', socket: '/run/s.sock'}",
            "unix:///run/s.sock",
            "socket",
        ),
        (
            "{server: './servers/tcp', socket: '/run/s', socket_mod: 0660}",
            "unix:///run/s?mode=0660",
            "socket",
        ),
        (
            "{server: './servers/tcp', socket: '/run/s', socket_mod: '0777'}",
            "unix:///run/s?mode=0777",
            "socket",
        ),
        ("{nodes: [{}], host: '127.0.0.1'}", "udp://127.0.0.1:8125", "port"),
        ("{host: '127.0.0.1'}", "udp://0.0.0.0:8125", "port"),
    ],
)
def test_the_one_server(text: str, url: str, key: str) -> None:
    """Where it listens: on all addresses only where the file names none."""
    assert doors(text) == [(url, key)]


def test_a_list_of_servers_replaces_the_one() -> None:
    """As in the reference, what stands beside the list is not used, and is named so."""
    text = (
        "{port: 1, address: '127.0.0.1', servers: [{port: 2}, "
        "{server: './servers/tcp', address: '10.0.0.1'}]}"
    )
    assert doors(text) == [
        ("udp://0.0.0.0:2", "servers[0].port"),
        ("tcp://10.0.0.1:8125", "servers[1].server"),
    ]
    remarks = {one.key: one for one in read_statsd(text, "f").remarks}
    assert remarks["port"].fate is Fate.IGNORED
    assert "servers" in remarks["port"].text
    assert remarks["servers[1].address"].fate is Fate.HONOURED


@pytest.mark.parametrize(
    ("text", "key", "form"),
    [
        ("{port: 'x'}", "port", "wants a port from 0 to 65535"),
        ("{port: 65536}", "port", "wants a port"),
        ("{port: true}", "port", "wants a port"),
        ("{port: 8125.5}", "port", "wants a port"),
        (
            "{port: 8000 + 125}",
            "port",
            "8000 + 125 (line 1, column 8), which is not ev",
        ),
        ("{servers: {}}", "servers", "a list of objects"),
        ("{servers: []}", "servers", "one at least"),
        ("{servers: [{}, 'udp']}", "servers[1]", "wants an object"),
        ("{servers: [{}, {port: -1}]}", "servers[1].port", "wants a port"),
        ("{servers: [{}, {address: 5}]}", "servers[1].address", "an IP address"),
        ("{servers: [{address: 'db'}]}", "servers[0].address", "not an IP address"),
        ("{server: '/opt/mine/udp'}", "server", "no other is run"),
        ("{port: 0x" + "f" * 9000 + "}", "port", "thousands of digits"),
        ("{port: 0" + "7" * 9000 + "}", "port", "which is not evaluated"),
        ("{port: " + "9" * 9000 + "}", "CONFIG", "limit"),
        ("{servers: [{server: './mine'}]}", "servers[0].server", "./servers/tcp"),
        ("{server: './servers/tcp', socket: 'x'}", "socket", "an absolute path"),
        (
            "{server: './servers/tcp', socket: '/x', socket_mod: 660}",
            "socket_mod",
            "'0660'",
        ),
        ("{mgmt_port: 'x'}", "mgmt_port", "wants a port"),
        ("{deleteIdleStats: 'yes'}", "deleteIdleStats", "true or false"),
        ("{deleteGauges: process.env.X}", "deleteGauges", "not evaluated"),
        ("{healthStatus: 'ill'}", "healthStatus", "'up' or 'down'"),
        ("{healthStatus: 1}", "healthStatus", "'up' or 'down'"),
        ("{percentThreshold: [90, 'p']}", "percentThreshold[1]", "a number"),
        ("{debug: 'no'}", "debug", "true or false"),
        ("{port: 1\n address: 2}", "CONFIG", "line 2, column 2: wants a comma"),
        ("whatever", "CONFIG", "line 1, column 1: wants an object"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, key: str, form: str) -> None:
    """File, path of the key, and the wanted form."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'config.js'}: {key}: ")
    assert form in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("{deleteIdleStats: true}", set(Kind) - {Kind.GAUGE}),
        (
            "{deleteIdleStats: true, deleteCounters: false}",
            set(Kind) - {Kind.COUNTER, Kind.GAUGE},
        ),
        ("{deleteIdleStats: false, deleteSets: true}", {Kind.SET}),
        ("{deleteGauges: true}", set()),
        (
            "{deleteTimers: true}",
            {Kind.TIMER, Kind.HISTOGRAM, Kind.DISTRIBUTION},
        ),
        ("{deleteCounters: false}", set()),
    ],
)
def test_idle_rules(tmp_path: Path, text: str, kinds: set[Kind]) -> None:
    """The family falls silent together, but for what is written by itself."""
    assert set(loaded(tmp_path, text).settings.delete_idle) == kinds


@pytest.mark.parametrize(
    ("text", "periods"),
    [
        ("{deleteGauges: true}", 1),
        ("{deleteIdleStats: true}", 1),
        ("{deleteIdleStats: true, gaugesMaxTTL: 5}", 5),
        ("{deleteIdleStats: true, deleteGauges: false, gaugesMaxTTL: 5}", 0),
        ("{deleteGauges: true, gaugesMaxTTL: 5}", 5),
        ("{deleteGauges: true, gaugesMaxTTL: 2.5}", 1),
        ("{deleteGauges: true, gaugesMaxTTL: 0}", 1),
        ("{deleteGauges: true, gaugesMaxTTL: 'many'}", 1),
        ("{gaugesMaxTTL: 5}", 0),
    ],
)
def test_life_of_gauges(tmp_path: Path, text: str, periods: int) -> None:
    """Only with deleteGauges; what is not a whole number above 1 is read as 1."""
    assert loaded(tmp_path, text).settings.gauge_ttl == periods


@pytest.mark.parametrize(
    ("written", "percentiles", "left_out"),
    [
        ("90", (90,), ""),
        ("[50, 95, 99]", (50, 95, 99), ""),
        ("[50, 99.9, -10, 97]", (50,), "99.9, -10, 97"),
        ("['95', 95]", (95,), ""),
        ("[]", (), ""),
        ("0", (90,), ""),
        ("99.9", (), "99.9"),
    ],
)
def test_percentiles(
    tmp_path: Path, written: str, percentiles: tuple[int, ...], left_out: str
) -> None:
    """Those that CloudMonitor has are kept, the others are named."""
    read = loaded(tmp_path, f"{{flushInterval: 60000, percentThreshold: {written}}}")
    assert read.settings.percentiles == percentiles
    said = [one for one in read.notices if "percentThreshold" in one]
    assert bool(said) == bool(left_out)
    assert all(f": {left_out} left out" in one for one in said)


@pytest.mark.parametrize(
    ("text", "is_noticed"),
    [
        ("{flushInterval: 60000}", False),
        ("{flushInterval: '60000'}", False),
        ("{flushInterval: 0x" + "f" * 9000 + "}", True),
        ("{flushInterval: 10000}", True),
        ("{flushInterval: 10 * 1000}", True),
        ("{}", True),
    ],
)
def test_another_interval_is_a_notice(
    tmp_path: Path, text: str, is_noticed: bool
) -> None:
    """It is accepted, and said that periods are 60 s."""
    read = loaded(tmp_path, text)
    assert read.settings.period == 60
    said = [one for one in read.notices if "flushInterval" in one]
    assert bool(said) == is_noticed
    assert all("periods are 60 s" in one for one in said)


@pytest.mark.parametrize(
    ("text", "health"),
    [("{healthStatus: 'down'}", "down"), ("{healthStatus: 'up'}", "up"), ("{}", "up")],
)
def test_health_at_first(tmp_path: Path, text: str, health: str) -> None:
    """A relay can be put in place before it is shown to a load balancer."""
    assert loaded(tmp_path, text).settings.health_status == health


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{}", (0, 100, None)),
        ("{keyFlush: {}}", (0, 100, None)),
        ("{keyFlush: {interval: 0, percent: 5}}", (0, 100, None)),
        ("{keyFlush: {interval: 60000}}", (60, 100, None)),
        (
            "{keyFlush: {interval: '90000', percent: 10, log: '/var/log/k'}}",
            (90, 10, Path("/var/log/k")),
        ),
        ("{keyFlush: {interval: 1000, percent: 0}}", (1, 100, None)),
    ],
)
def test_busy_keys_are_written_as_often_as_the_file_says(
    tmp_path: Path, text: str, wanted: tuple[float, float, Path | None]
) -> None:
    """Milliseconds there, seconds here; without an interval never."""
    found = loaded(tmp_path, text).settings
    assert (
        found.key_flush_interval,
        found.key_flush_percent,
        found.key_flush_log,
    ) == wanted


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{keyFlush: 10}", "keyFlush"),
        ("{keyFlush: {interval: 'x'}}", "keyFlush.interval"),
        ("{keyFlush: {interval: 1000, percent: {}}}", "keyFlush.percent"),
        ("{keyFlush: {interval: 1000, log: 7}}", "keyFlush.log"),
    ],
)
def test_what_is_wrong_in_key_flush_is_named(
    tmp_path: Path, text: str, path: str
) -> None:
    """By its path."""
    with pytest.raises(ConfigError, match=f"{path}: wants"):
        loaded(tmp_path, text)


def test_what_is_ignored_is_named_and_its_value_is_not(tmp_path: Path) -> None:
    """Other backends keep keys of their own there, and secrets among them."""
    read = loaded(tmp_path, "{datadogApiKey: 'canary', deleteGuages: true, log: {}}")
    by_key = {one.key: one for one in read.remarks}
    assert {one.fate for one in read.remarks} == {Fate.IGNORED}
    assert "did you mean deleteGauges?" in by_key["deleteGuages"].text
    assert any("datadogApiKey, deleteGuages, log" in one for one in read.notices)
    assert "canary" not in f"{read.notices}{read.remarks}"


def test_a_key_cannot_break_out_of_its_line(tmp_path: Path) -> None:
    """What check prints is TOML, whatever keys a file has."""
    read = loaded(tmp_path, "{'a\\nlisten = 1': 1, servers: [{'\\x1b': 1}]}")
    assert all(one.key.isprintable() for one in read.remarks)
    assert all(one.isprintable() for one in read.notices)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{nodes: [{}]}", "nodes"),
    ],
)
def test_what_would_be_missed_has_a_notice_of_its_own(
    tmp_path: Path, text: str, key: str
) -> None:
    """A start says what is not done that somebody asked for."""
    read = loaded(tmp_path, text)
    assert any(f"config.js: {key}: is ignored: " in one for one in read.notices)


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    """Also where the file asks for a listener that cannot be."""
    text = "{percentThreshold: 90, address: 'relay.example.com'}"
    read = loaded(tmp_path, text, listen=["udp://127.0.0.1:7"], percentiles="50")
    assert [str(one) for one in read.settings.listen] == ["udp://127.0.0.1:7"]
    assert read.settings.percentiles == (50,)
    assert read.origins["percentiles"] == "flag --percentiles"


def test_debug_is_the_log_level(tmp_path: Path) -> None:
    """Only true says something."""
    assert loaded(tmp_path, "{debug: true}").settings.log_level == "debug"
    assert loaded(tmp_path, "{debug: false}").settings.log_level == "info"


@pytest.mark.parametrize(
    ("text", "console", "is_named"),
    [
        ("{}", "127.0.0.1:8126", False),
        ("{mgmt_port: 9}", "127.0.0.1:9", False),
        ("{mgmt_address: '0.0.0.0'}", "0.0.0.0:8126", True),
        ("{mgmt_address: '::', mgmt_port: '9'}", "[::]:9", True),
    ],
)
def test_the_console_is_where_the_file_says(
    text: str, console: str, is_named: bool
) -> None:
    """On loopback with a notice where no address is named; a named one counts as asked
    for twice."""
    read = read_statsd(text, "config.js")
    written = read.written["console"]
    assert (written.raw, written.may_be_remote) == (console, is_named)
    assert any("mgmt_address: is not set" in one for one in read.notices) != is_named


@pytest.mark.parametrize(
    ("protocol", "urls"),
    [
        ("", ("udp://10.0.0.8:8125", "udp://old.example:8126")),
        (
            "repeaterProtocol: 'udp4',",
            ("udp://10.0.0.8:8125", "udp://old.example:8126"),
        ),
        ("repeaterProtocol: 'tcp',", ("tcp://10.0.0.8:8125", "tcp://old.example:8126")),
    ],
)
def test_the_repeater_copies_to_its_targets(
    tmp_path: Path, protocol: str, urls: tuple[str, ...]
) -> None:
    """Over what the protocol says, with names as they are."""
    text = (
        f"{{{protocol} repeater: [{{host: '10.0.0.8', port: 8125}},"
        " {host: 'old.example', port: 8126}]}"
    )
    settings = loaded(tmp_path, text).settings
    assert tuple(map(str, settings.repeat)) == urls


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{repeater: [{host: 'a', port: 1}], repeaterProtocol: 'sctp'}", "Protocol"),
        ("{repeater: [{host: 'a', port: 1}, {host: 'b'}]}", r"repeater\[1\].host"),
        ("{repeater: [{port: 1}]}", r"repeater\[0\].host"),
    ],
)
def test_a_target_that_is_none_is_named(tmp_path: Path, text: str, key: str) -> None:
    """By the path of its key."""
    with pytest.raises(ConfigError, match=key):
        loaded(tmp_path, text)


def test_the_prefix_of_own_figures_is_kept(tmp_path: Path) -> None:
    """They are reported only where that is asked for."""
    settings = loaded(tmp_path, "{prefixStats: 'mine'}").settings
    assert (settings.self_report_prefix, settings.self_report) == ("mine", False)


@pytest.mark.parametrize(
    ("text", "cleans"), [("{}", True), ("{keyNameSanitize: false}", False)]
)
def test_names_may_stay_as_they_were_sent(
    tmp_path: Path, text: str, cleans: bool
) -> None:
    """Where the file says so, and only there."""
    assert loaded(tmp_path, text).settings.key_name_sanitize is cleans
