"""Which source is used, and what is said when there is none."""

from pathlib import Path

import pytest

from relay.cloudmonitor.credentials import (
    Credentials,
    CredentialsUnavailable,
    Secret,
)
from relay.credentials.chain import Chain, open_provider
from relay.credentials.static import Static
from relay.errors import ConfigError

ENVIRONMENT = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": " LTAIenv\n",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s3cret\n",
}


def key_file(folder: Path, key_id: str) -> Path:
    """One with that key."""
    path = folder / key_id
    path.write_text(f"[default]\naccess_key_id = {key_id}\naccess_key_secret = x\n")
    path.chmod(0o600)
    return path


def test_nothing_configured_is_a_configuration_error() -> None:
    """It names what was looked for, and the way to try without an account."""
    with pytest.raises(ConfigError) as caught:
        open_provider({"HOME": "/nowhere", "ALIBABA_CLOUD_ACCESS_KEY_ID": " "})
    for hint in ("--key-file", *ENVIRONMENT, "--sink emulator"):
        assert hint in str(caught.value)


def test_configured_but_silent_is_not() -> None:
    """A file that is not there yet may come."""
    provider = open_provider({}, key_file=Path("/nowhere/keys"))
    with pytest.raises(CredentialsUnavailable, match="/nowhere/keys"):
        provider.get()


def test_the_environment(tmp_path: Path) -> None:
    """Blanks and line ends are taken off, the source is named."""
    found = open_provider(ENVIRONMENT).get()
    assert (found.key_id, found.secret) == ("LTAIenv", Secret("s3cret"))
    assert (found.token, found.source) == (None, "environment")


def test_half_a_key_in_the_environment_names_the_other_half() -> None:
    """It will not heal while the process lives, so it is wrong from the start."""
    half = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI"}
    with pytest.raises(ConfigError, match="KEY_SECRET is missing"):
        open_provider(half)


def test_a_token_makes_the_key_temporary() -> None:
    """Under the vendor's own name."""
    temporary = ENVIRONMENT | {"ALIBABA_CLOUD_SECURITY_TOKEN": "t0ken\n"}
    assert open_provider(temporary).get().token == Secret("t0ken")


def test_order_of_sources(tmp_path: Path) -> None:
    """The file of the settings, the environment's key, the environment's file."""
    named = {"ALIBABA_CLOUD_CREDENTIALS_FILE": str(key_file(tmp_path, "LTAInamed"))}
    own = key_file(tmp_path, "LTAIown")
    found = [
        open_provider(ENVIRONMENT | named, key_file=own).get().key_id,
        open_provider(ENVIRONMENT | named).get().key_id,
        open_provider(named).get().key_id,
    ]
    assert found == ["LTAIown", "LTAIenv", "LTAInamed"]


def test_what_was_passed_over_shows(tmp_path: Path) -> None:
    """Another source serves, and that is not kept secret."""
    provider = open_provider(ENVIRONMENT, key_file=tmp_path / "absent")
    assert provider.get().key_id == "LTAIenv"
    assert "absent" in provider.warning
    key_file(tmp_path, "absent")
    assert provider.get().key_id == "absent"
    assert provider.warning == ""


class Fetched:
    """A source that counts its refreshes."""

    warning = ""
    refreshed = 0

    def get(self) -> Credentials:
        """Nothing."""
        raise CredentialsUnavailable("not now")

    def refresh(self) -> None:
        """Counted."""
        self.refreshed += 1


def test_refresh_reaches_every_source() -> None:
    """Also the ones behind the first that yields."""
    behind = Fetched()
    chain = Chain([Static(Credentials("a", Secret("b"))), behind])
    chain.refresh()
    assert behind.refreshed == 1


def test_all_reasons_are_told() -> None:
    """When no source yields."""
    with pytest.raises(CredentialsUnavailable, match="not now; not now"):
        Chain([Fetched(), Fetched()]).get()


def test_nothing_shows_a_secret() -> None:
    """Neither the provider nor what it gives."""
    provider = open_provider(ENVIRONMENT)
    assert "s3cret" not in f"{provider!r} {provider.get()!r} {vars(provider)}"
