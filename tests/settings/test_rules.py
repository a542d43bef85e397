"""What settings must agree on, and what follows from one another."""

from pathlib import Path

import attrs
import pytest

from relay.errors import ConfigError
from relay.settings import Address, Settings, authorities_at, is_local, load
from relay.settings.rules import broken_rule

CLOUD = {"sink": "cloudmonitor", "region": "cn-hangzhou"}


@pytest.mark.parametrize(
    "flags",
    [
        {"sink": "emulator"},
        {"sink": "stdout"},
        {"sink": "null"},
        {"endpoint": "http://127.0.0.1:8128"},
        {"endpoint": "http://[::1]:8128"},
        {"endpoint": "https://localhost"},
    ],
)
def test_short_periods_and_no_spread_where_nothing_leaves_the_machine(
    flags: dict[str, object],
) -> None:
    """Trials on this machine may have short periods, and send at once."""
    settings = load(None, {**flags, "period": "2"}).settings
    assert is_local(settings)
    assert settings.send_spread == 0


def test_requests_to_the_service_are_spread() -> None:
    """Towards the real service the default spread holds."""
    assert load(None, CLOUD).settings.send_spread == 10


def test_a_spread_that_was_asked_for_holds_on_loopback_too() -> None:
    """Only the default changes on loopback."""
    loaded = load(None, {"sink": "emulator", "send_spread": "10"})
    assert loaded.settings.send_spread == 10


@pytest.mark.parametrize("period", ["1", "30", "59"])
def test_the_service_gets_periods_of_sixty_only(period: str) -> None:
    """A short period towards the real service is refused."""
    with pytest.raises(ConfigError, match="--period: other than 60"):
        load(None, {**CLOUD, "period": period})


@pytest.mark.parametrize("key", ["http", "emulator"])
def test_pages_leave_loopback_only_when_told_twice(key: str) -> None:
    """An address that others reach needs the second switch."""
    flags: dict[str, object] = {"sink": "emulator", key: "0.0.0.0:0"}
    with pytest.raises(ConfigError, match=f"--{key}: .*--allow-remote-admin"):
        load(None, flags)
    load(None, {**flags, "allow_remote_admin": True})


def test_the_sink_hybrid_wants_a_namespace() -> None:
    """And no long period, since a sample there has none: it would be taken for another."""
    flags: dict[str, object] = {**CLOUD, "sink": "hybrid"}
    with pytest.raises(ConfigError, match="namespace: the sink hybrid wants --name"):
        load(None, flags)
    settings = load(None, {**flags, "namespace": "statsd"}).settings
    assert settings.long_period
    assert settings.long_factor == 0
    assert settings.state is not None


def test_a_region_without_vpc_endpoint_is_refused() -> None:
    """The vendor has no such host there; an endpoint of one's own settles it."""
    flags: dict[str, object] = {"region": "eu-west-2", "network": "vpc"}
    with pytest.raises(ConfigError, match="--network: eu-west-2 has no vpc endpoint"):
        load(None, flags)
    load(None, {**flags, "endpoint": "https://metrics-vpc.example.com"})


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"STATE_DIRECTORY": "/s:/t", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/s"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/cms-relay"),
        ({"XDG_STATE_HOME": "x", "HOME": "/h"}, "/h/.local/state/cms-relay"),
        ({"HOME": "/h"}, "/h/.local/state/cms-relay"),
        ({}, "/var/lib/cms-relay"),
    ],
)
def test_what_goes_to_the_service_waits_in_a_folder(
    environment: dict[str, str], folder: str
) -> None:
    """Where the service manager says, else where people keep such things."""
    settings = load(None, CLOUD, environment).settings
    assert (settings.state, settings.stop) == (Path(folder), "handover")


@pytest.mark.parametrize("sink", ["emulator", "stdout", "null"])
def test_a_trial_leaves_nothing_behind(sink: str) -> None:
    """Without a folder a stop reports what is open: nobody could take it over."""
    settings = load(None, {"sink": sink}, {"STATE_DIRECTORY": "/s"}).settings
    assert (settings.state, settings.stop) == (None, "send")


def test_a_state_folder_that_was_named_or_refused_is_that() -> None:
    """The default does not come back over what was asked for."""
    off = load(None, {**CLOUD, "state": "off"}, {"HOME": "/h"}).settings
    assert (off.state, off.stop) == (None, "send")
    named = load(None, {"sink": "null", "state": "/s"}).settings
    assert (named.state, named.stop) == (Path("/s"), "handover")
    kept = load(None, {"sink": "null", "state": "/s", "stop": "send"}).settings
    assert kept.stop == "send"


@pytest.mark.parametrize(("state", "size"), [("off", 64), ("/s", 256)])
def test_a_disk_holds_more_than_memory(state: str, size: int) -> None:
    """Unless a size was given, which is that."""
    flags = {"sink": "null", "state": state}
    assert load(None, flags).settings.spool_bytes == size * 2**20
    given = load(None, {**flags, "spool_bytes": "67108864"}).settings
    assert given.spool_bytes == 2**26


def test_nobody_can_take_over_what_is_in_memory() -> None:
    """A handover that was asked for wants a folder."""
    with pytest.raises(ConfigError, match="--stop: handover wants a state folder"):
        load(None, {"sink": "null", "stop": "handover"})


def test_two_do_not_share_standard_output() -> None:
    """Entries are objects there, and keys are no objects."""
    asked = {"sink": "stdout", "key_flush_interval": 60.0}
    with pytest.raises(ConfigError, match="key_flush_log: wants a file"):
        load(None, asked)
    load(None, asked | {"key_flush_log": "/k"})


def test_an_address_that_a_config_js_names_needs_no_second_switch() -> None:
    """It is the console's alone: pages still need it."""
    anywhere = Address.parse("0.0.0.0:0")
    console = Settings(sink="null", stop="send", console=anywhere)
    assert "not on loopback" in f"{broken_rule(console, will_run=True)}"
    broken = broken_rule(console, will_run=True, may_be_remote={"console"})
    assert "not on loopback" not in f"{broken}"
    both = attrs.evolve(console, http=anywhere)
    key, _ = broken_rule(both, will_run=True, may_be_remote={"console"}) or ("", "")
    assert key == "http"


def test_several_listeners_want_an_engine_with_threads() -> None:
    """The reactor would read all of them, and nothing be gained."""
    flags: dict[str, object] = {"sink": "null", "listeners": "2"}
    wrong = "--listeners: 2 want the native engine.*--engine auto, or --listeners 1"
    with pytest.raises(ConfigError, match=wrong):
        load(None, {**flags, "engine": "python"})
    load(None, {**flags, "engine": "auto"})


BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@pytest.mark.parametrize("variable", BUNDLES)
@pytest.mark.parametrize("will_run", [True, False])
def test_a_bundle_that_is_not_there_is_blamed_on_its_variable(
    variable: str, will_run: bool
) -> None:
    """Which of several programs' variables it was, and the ways out."""
    fix = f"environment: {variable}: /nowhere: No such file .*unset it, or .*--ca-file"
    with pytest.raises(ConfigError, match=fix):
        load(None, CLOUD, {variable: "/nowhere"}, will_run=will_run, will_send=True)


def test_a_bundle_that_a_flag_names_is_the_flag_s() -> None:
    """There is no variable to unset."""
    flags = {**CLOUD, "ca_file": "/nowhere"}
    with pytest.raises(ConfigError, match="command line: --ca-file: ") as refused:
        load(None, flags, {"CURL_CA_BUNDLE": "/other"})
    assert "unset" not in str(refused.value)


@pytest.mark.parametrize(
    ("flags", "will_send"),
    [
        ({"sink": "emulator"}, True),
        ({"sink": "stdout"}, True),
        ({"endpoint": "http://127.0.0.1:8128"}, True),
        (CLOUD, False),
    ],
)
@pytest.mark.parametrize("variable", [*BUNDLES, "SSLKEYLOGFILE"])
def test_without_tls_its_variables_do_not_matter(
    flags: dict[str, object], will_send: bool, variable: str
) -> None:
    """Plain http on loopback asks for no certificate, and has no session keys."""
    environment = {variable: "/nowhere/a"}
    load(None, flags, environment, will_run=will_send, will_send=will_send)


@pytest.mark.parametrize("will_run", [True, False])
def test_a_log_of_session_keys_that_cannot_be_written_is_named(will_run: bool) -> None:
    """Else no connection could be made, and the file of certificates had the blame."""
    fix = "environment: SSLKEYLOGFILE: /nowhere/a: No such file .*unset"
    with pytest.raises(ConfigError, match=fix):
        load(
            *(None, CLOUD, {"SSLKEYLOGFILE": "/nowhere/a"}),
            will_run=will_run,
            will_send=True,
        )


def test_a_log_of_session_keys_that_can_be_written_is_fine(tmp_path: Path) -> None:
    """What is in it stays."""
    path = tmp_path / "keys"
    path.write_text("CLIENT_RANDOM\n")
    load(None, CLOUD, {"SSLKEYLOGFILE": str(path)})
    assert path.read_text().startswith("CLIENT_RANDOM\n")


@pytest.mark.parametrize(
    ("url", "trusted"),
    [("https://cn.example", Path("/a.pem")), ("http://127.0.0.1:8128", None)],
)
def test_only_tls_asks_for_authorities(url: str, trusted: Path | None) -> None:
    assert authorities_at(url, Settings(ca_file=Path("/a.pem"))) == trusted
