"""What check prints of settings and of keys."""

import tomllib

import pytest

from relay.cli import main

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
