"""What people read is what the code holds."""

import re
import socket
import tomllib
from pathlib import Path

import attrs
import pytest

from relay.settings import (
    Settings,
    check_lines,
    configuration_hash,
    example_toml,
    load,
    settings_table,
)

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "rules.example.toml"
NAMES = [declared.name for declared in attrs.fields(Settings)]


def test_the_example_file_is_made_from_the_settings() -> None:
    """deploy/relay.example.toml is what example_toml gives."""
    text = (ROOT / "deploy" / "relay.example.toml").read_text(encoding="utf-8")
    assert text == example_toml()


def test_the_example_file_is_good_also_without_its_comments(tmp_path: Path) -> None:
    """It loads as it stands, and every commented key loads once uncommented."""
    path = tmp_path / "relay.toml"
    bare = re.sub(r"(?m)^# (?=[a-z_]+ = )", "", example_toml())
    bare = bare.replace('endpoint = "', '# endpoint = "')
    bare = bare.replace("/etc/cms-relay/rules.toml", str(RULES))
    for text in (example_toml(), bare):
        path.write_text(text, encoding="utf-8")
        assert load(path).settings.region == "cn-hangzhou"
    assert set(tomllib.loads(bare)) == set(NAMES) - {"endpoint"}


def test_the_table_has_every_setting_once() -> None:
    """The table of docs/settings.rst names each flag in a row of its own."""
    flags = re.findall(r"(?m)^   \* - ``--([a-z-]+)``$", settings_table())
    assert [flag.replace("-", "_") for flag in flags] == NAMES


def test_check_prints_toml_that_gives_the_same_settings(tmp_path: Path) -> None:
    """The output of check, written to a file, is that configuration."""
    loaded = load(None, {"sink": "emulator", "period": "2", "instance": "a b"})
    path = tmp_path / "relay.toml"
    path.write_text("\n".join(check_lines(loaded)), encoding="utf-8")
    assert load(path).settings == loaded.settings


def test_check_names_the_origin_behind_each_value() -> None:
    """Every line ends with where its value came from."""
    lines = list(check_lines(load(None, {"sink": "null"}, {"CMS_RELAY_PERIOD": "2"})))
    by_key = {
        line.split()[0]: line.split("  # ")[1] for line in lines if line[0] != "#"
    }
    assert by_key["sink"] == "flag --sink"
    assert by_key["period"] == "environment CMS_RELAY_PERIOD"
    assert by_key["http"] == "default"


def test_the_hash_changes_with_a_value_and_not_with_its_origin() -> None:
    """Two relays with the same hash run with the same settings."""
    one = configuration_hash(load(None, {"sink": "null"}).settings)
    same = configuration_hash(load(None, {}, {"CMS_RELAY_SINK": "null"}).settings)
    other = configuration_hash(load(None, {"sink": "null", "idle_ttl": "1"}).settings)
    assert one == same != other
    assert re.fullmatch("[0-9a-f]{12}", one)


def test_a_host_name_of_any_bytes_has_a_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a default, which nobody looks at as at what somebody wrote."""
    monkeypatch.setattr(socket, "gethostname", lambda: "h\udcff")
    assert configuration_hash(load(None, {"sink": "null"}).settings)


def test_without_a_host_name_there_is_no_instance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which is warned of, where an empty one would just be left out."""
    monkeypatch.setattr(socket, "gethostname", lambda: "")
    assert load(None, {"sink": "null"}).settings.instance is None
