"""What check prints of settings and of keys."""

import re
import tomllib
from pathlib import Path

import pytest

from relay.cli import main
from relay.settings import sources
from relay.settings.statsd_keys import KEYS

REGION = ("--region", "cn-hangzhou")


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN"):
        monkeypatch.delenv(f"ALIBABA_CLOUD_{name}", raising=False)
    monkeypatch.delenv("ALIBABA_CLOUD_CREDENTIALS_FILE", raising=False)


def test_the_output_is_toml(capsys: pytest.CaptureFixture[str]) -> None:
    """Settings can be taken from it into a file."""
    assert main(["check", "--sink", "emulator", "--period", "2"]) == 0
    out, err = capsys.readouterr()
    assert tomllib.loads(out)["period"] == 2
    assert err == ""


def test_secrets_are_masked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a key the beginning and the end of its id show, of secret and token nothing."""
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5t0123456789abcd")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary-secret")
    monkeypatch.setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "canary-token")
    assert main(["check", *REGION]) == 0
    out, err = capsys.readouterr()
    assert "# credentials: LTAI…abcd, secret ***, token ***, from environment\n" in out
    assert "canary" not in out + err


def test_missing_keys_are_said_and_no_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where settings are checked the keys need not be."""
    assert main(["check", *REGION]) == 0
    out, err = capsys.readouterr()
    assert "# credentials: none\n" in out
    assert "run would end at once" in err
    assert "--sink emulator" in err


def test_half_a_key_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that is configured and cannot be used shows with its reason."""
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5t0123456789abcd")
    assert main(["check", *REGION]) == 0
    assert "ALIBABA_CLOUD_ACCESS_KEY_SECRET" in capsys.readouterr().err


def test_each_key_of_a_config_js_is_shown_with_its_fate(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Those in the file one by one, the others by name; and all of it is TOML still."""
    path = tmp_path / "config.js"
    path.write_text(
        "{flushInterval: 10000, graphiteHost: 'canary', servers: [{port: 7}]}"
    )
    assert main(["check", str(path), "--sink", "emulator"]) == 0
    out, _ = capsys.readouterr()
    assert tomllib.loads(out)["listen"] == ["udp://0.0.0.0:7"]
    assert re.search(
        r"^# flushInterval +mapped +10000 ms, but periods are", out, re.MULTILINE
    )
    assert re.search(
        r"^# graphiteHost +ignored +entries go to CloudMonitor", out, re.MULTILINE
    )
    assert re.search(r"^# servers\[0\]\.port +honoured +listen", out, re.MULTILINE)
    assert "canary" not in out
    for row in KEYS:
        for name in row.names.split(", "):
            assert re.search(rf"\b{name}\b", out)


@pytest.mark.parametrize("named", [False, True])
def test_the_file_of_a_statsd_that_is_there_is_a_hint(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    named: bool,
) -> None:
    """Where no CONFIG is named; it is not read, whatever is in it."""
    local, own = tmp_path / "localConfig.js", tmp_path / "relay.toml"
    local.write_text("not to be read")
    own.write_text("")
    monkeypatch.setattr(sources, "STATSD_FILE", local)
    config = [str(own)] if named else []
    assert main(["check", *config, "--sink", "emulator"]) == 0
    out, err = capsys.readouterr()
    assert (f"{local} is there and was not read" in err) != named
    assert 'listen = ["udp://127.0.0.1:8125"]' in out


@pytest.mark.parametrize("command", ["run", "check"])
def test_help_mentions_config_js(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Whoever comes from statsd finds that the old file will do."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "config.js of statsd" in capsys.readouterr().out
