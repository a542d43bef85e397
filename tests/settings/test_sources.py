"""Which source wins, what each may hold, and how a complaint names it."""

import os
from pathlib import Path

import attrs
import pytest

from relay.errors import ConfigError
from relay.settings import Address, Listen, Settings, load, take_variables
from relay.settings.rule_file import RuleFile
from relay.statsd.sample import Kind

HERE = {"sink": "emulator"}
RULES = Path(__file__).parents[2] / "deploy" / "rules.example.toml"


def toml(folder: Path, text: str) -> Path:
    """A configuration file with that text."""
    path = folder / "relay.toml"
    path.write_text(text)
    return path


def test_nothing_given_gives_the_defaults() -> None:
    """Without sources every setting is its default, and says so."""
    loaded = load(will_run=False, environment={"HOME": "/home/web"})
    assert loaded.settings == Settings(
        instance=loaded.settings.instance,
        state=Path("/home/web/.local/state/cms-relay"),
        spool_bytes=256 * 2**20,
    )
    assert set(loaded.origins.values()) == {"default"}


def test_flag_beats_environment_beats_file(tmp_path: Path) -> None:
    """Each source overrides the ones below it and nothing else."""
    path = toml(tmp_path, 'idle_ttl = 1\nmax_age = 1\ngroup_id = 1\nsink = "null"\n')
    environment = {"CMS_RELAY_IDLE_TTL": "2", "CMS_RELAY_MAX_AGE": "2"}
    loaded = load(path, {"idle_ttl": "3"}, environment)
    settings = loaded.settings
    assert (settings.idle_ttl, settings.max_age, settings.group_id) == (3, 2, 1)
    assert loaded.origins["idle_ttl"] == "flag --idle-ttl"
    assert loaded.origins["max_age"] == "environment CMS_RELAY_MAX_AGE"
    assert loaded.origins["group_id"] == f"file {path}"


def test_every_setting_can_be_given_by_every_source(tmp_path: Path) -> None:
    """The default of each, written out, is read back alike from all three."""
    from relay.settings.forms import plain  # noqa: PLC0415 - for this test alone
    from relay.settings.shown import toml_value  # noqa: PLC0415

    default = Settings(
        region="cn-hangzhou",
        namespace="n",
        key_file=Path("/a"),
        ca_file=tmp_path,
        mapping=RuleFile.read(str(RULES)),
        instance="a",
        state=Path("/s"),
        key_flush_log=Path("/k"),
    )
    texts, lines = {}, []
    for declared in attrs.fields(Settings):
        value = getattr(default, declared.name)
        if declared.name == "endpoint":
            continue
        many = value if type(value) is tuple else (value,)
        texts[declared.name] = ",".join("off" if v is None else plain(v) for v in many)
        lines.append(f"{declared.name} = {toml_value(value)}")
    environment = {f"CMS_RELAY_{name.upper()}": text for name, text in texts.items()}
    assert load(toml(tmp_path, "\n".join(lines))).settings == default
    assert load(None, texts).settings == default
    assert load(None, {}, environment).settings == default


def test_lists_are_arrays_in_the_file_and_commas_elsewhere(tmp_path: Path) -> None:
    """All ways to write a list give the same values."""
    path = toml(tmp_path, 'delete_idle = ["gauge", "set"]')
    environment = {"CMS_RELAY_DELETE_IDLE": "gauge, set"}
    for loaded in (
        load(path, HERE),
        load(None, HERE, environment),
        load(None, {**HERE, "delete_idle": ["gauge", "set"]}),
        load(None, {**HERE, "delete_idle": ["gauge,set"]}),
    ):
        assert loaded.settings.delete_idle == (Kind.GAUGE, Kind.SET)


def test_given_listeners_replace_the_default() -> None:
    """A listener that is named is not one more beside the default."""
    loaded = load(None, {**HERE, "listen": ["udp://[::1]:0"]})
    assert loaded.settings.listen == (Listen("udp", "::1", 0),)


def test_off_switches_off_what_can_be_off() -> None:
    """The page and the instance are None when they are off."""
    settings = load(None, {**HERE, "http": "off", "instance": "off"}).settings
    assert (settings.http, settings.instance) == (None, None)


@pytest.mark.parametrize(
    "variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]
)
def test_a_private_authority_is_named_as_for_other_programs(
    tmp_path: Path, variable: str
) -> None:
    """By the variables people know; any source of ours has the last word."""
    environment = {variable: "/a.pem"}
    loaded = load(None, HERE, environment)
    assert loaded.settings.ca_file == Path("/a.pem")
    assert loaded.origins["ca_file"] == f"environment {variable}"
    ours = toml(tmp_path, 'ca_file = "/ours.pem"')
    assert load(ours, HERE, environment).settings.ca_file == Path("/ours.pem")


def test_an_empty_variable_is_not_set() -> None:
    """What compose files write for a variable that nobody set changes nothing."""
    loaded = load(None, HERE, {"CMS_RELAY_REGION": "", "CMS_RELAY_LISTEN": ""})
    assert loaded.origins["listen"] == "default"


@pytest.mark.parametrize(
    "variable",
    [
        *("CMS_RELAY_SERVICE_HOST", "CMS_RELAY_SERVICE_PORT_STATSD", "CMS_RELAY_PORT"),
        *("CMS_RELAY_PORT_8125_UDP_ADDR", "CMS_RELAY_HTTP_SERVICE_PORT"),
    ],
)
def test_variables_that_kubernetes_sets_are_not_ours(variable: str) -> None:
    """A Service called cms-relay must not keep its pods from starting."""
    load(None, HERE, {variable: "tcp://10.0.0.1:8125"})


@pytest.mark.parametrize("word", ["true", "yes", "ON", "1"])
def test_words_for_yes(word: str) -> None:
    """The usual words switch on in the environment."""
    environment = {"CMS_RELAY_REPORT_CLIENT_TELEMETRY": word}
    assert load(None, HERE, environment).settings.report_client_telemetry


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"CMS_RELAY_PERID": "2"}, "CMS_RELAY_PERID: is not .* mean period"),
        ({"CMS_RELAY_PERIOD": "2s"}, "CMS_RELAY_PERIOD: wants a whole number of s"),
        ({"CMS_RELAY_PERIOD": "٣"}, "CMS_RELAY_PERIOD: wants a whole number"),
        ({"CMS_RELAY_USE_PROXY": "maybe"}, "CMS_RELAY_USE_PROXY: wants true or"),
        ({"CMS_RELAY_SEND_SPREAD": "inf"}, "CMS_RELAY_SEND_SPREAD: wants a number"),
        ({"CMS_RELAY_LISTEN": "udp://1"}, "CMS_RELAY_LISTEN: wants a list"),
        ({"CMS_RELAY_http": "off"}, "CMS_RELAY_http: is not a setting"),
    ],
)
def test_a_bad_variable_is_named(environment: dict[str, str], message: str) -> None:
    """The complaint begins with the source and the variable."""
    with pytest.raises(ConfigError, match=f"^environment: {message}"):
        load(None, HERE, environment)


def test_a_bad_flag_is_named() -> None:
    """The complaint begins with the source and the flag."""
    with pytest.raises(ConfigError, match=r"^command line: --idle-ttl: wants a whole"):
        load(None, {"idle_ttl": "an hour"})


def test_a_flag_is_named_where_it_breaks_a_rule() -> None:
    """A rule over several settings blames the source that wrote the one it names."""
    flags = {"region": "cn-hangzhou", "period": "2"}
    with pytest.raises(ConfigError, match=r"^command line: --period: other than 60"):
        load(None, flags)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.js", "exports = {}"),
        ("config", "module.exports = {}"),
        ("config", '{ port: 8125, backends: ["./backends/graphite"] }'),
        ("config", "/*\nRequired Variables:\n*/ {}"),
    ],
)
def test_a_config_js_is_recognised(tmp_path: Path, name: str, text: str) -> None:
    """The statsd daemon's own file is known by its name, or by how it begins."""
    path = tmp_path / name
    path.write_text(text)
    assert load(path, HERE).notices


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are no text are configuration errors."""
    (tmp_path / "latin").write_bytes(b'instance = "caf\xe9"')
    for name in ("missing", ".", "latin"):
        with pytest.raises(ConfigError, match="CONFIG: "):
            load(tmp_path / name)


def test_the_vendors_variables_are_kept_and_not_shown() -> None:
    """Credentials pass through beside the settings, and no repr shows them."""
    environment = {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "canary", "HOME": "/root"}
    loaded = load(None, HERE, environment | {"PATH": "/bin"})
    assert dict(loaded.credentials_environment) == environment
    assert "canary" not in repr(loaded)


def test_a_command_that_sends_nothing_needs_no_endpoint() -> None:
    """What explains or replays takes a file that has yet to get its region."""
    assert load(None, {"period": "2"}, will_run=False).settings.period == 2
    with pytest.raises(ConfigError, match="--sink emulator"):
        load(None, {})


def test_addresses_are_values() -> None:
    """An address in text becomes one in parts."""
    settings = load(None, {**HERE, "emulator": "[::1]:0"}).settings
    assert settings.emulator == Address("::1", 0)


def test_variables_of_the_service_manager_are_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A child would take them for its own; those of others stay."""
    monkeypatch.setenv("LISTEN_FDS", "2")
    monkeypatch.setenv("LISTEN_OTHER", "x")
    monkeypatch.delenv("LISTEN_PID", raising=False)
    assert take_variables(("LISTEN_FDS", "LISTEN_PID")) == {"LISTEN_FDS": "2"}
    assert "LISTEN_FDS" not in os.environ
    assert "LISTEN_OTHER" in os.environ
