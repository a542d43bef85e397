"""The profiles of the aliyun CLI, ``~/.aliyun/config.json``.

Source: section 7.3 of the vendor's facts. A mode that is not supported is an error that
names it; what stands in the file is never quoted.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from relay.cloudmonitor.credentials import CredentialsUnavailable, Provider
from relay.credentials.roles import Sources
from relay.credentials.static import Static
from relay.credentials.texts import Fields, credentials_of
from relay.credentials.watched import WatchedFile
from relay.errors import ConfigError

__all__ = ["CliProfile"]

FIELDS: Final = Fields("access_key_id", "access_key_secret", "sts_token")

_CHAIN_MAX: Final = 5
"""Profiles that name another one as their source."""

_Profile = Mapping[str, Any]


class CliProfile(WatchedFile):
    """``profile`` by its name, or the one that the file says is current."""

    def __init__(
        self, path: Path, sources: Sources, *, profile: str = "", shared: bool = False
    ) -> None:
        super().__init__(path, self._provider, shared=shared)
        self._name, self._profile, self._sources = str(path), profile, sources

    def _provider(self, text: str) -> Provider:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", "?")
            raise ValueError(f"line {line}: not JSON, or not all of it") from None
        listed = found.get("profiles") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            raise ValueError("it has no profiles")  # noqa: TRY004 - as all bad text
        profiles = {
            one["name"]: one
            for one in listed
            if isinstance(one, dict) and isinstance(one.get("name"), str)
        }
        return self._of(self._profile or _text(found, "current"), profiles, _CHAIN_MAX)

    def _of(self, name: str, profiles: Mapping[str, _Profile], left: int) -> Provider:
        if name not in profiles or not left:
            why = (
                "profiles go round in a circle"
                if not left
                else "it has no such profile"
            )
            raise ValueError(f"{why}: {name!r}; ALIBABA_CLOUD_PROFILE names another")
        profile = profiles[name]
        mode = _text(profile, "mode") or "AK"
        make = _MODES.get(mode)
        if make is None:
            raise ValueError(
                f"profile {name!r} has the mode {mode!r}, which is not supported;"
                f" supported are {', '.join(_MODES)}"
            )
        return make(self, profile, lambda source: self._of(source, profiles, left - 1))

    def _keys(self, profile: _Profile, _: Callable[[str], Provider]) -> Provider:
        try:
            return Static(credentials_of(profile, FIELDS, self._name))
        except CredentialsUnavailable as error:
            raise ValueError(error.reason.removeprefix(f"{self._name}: ")) from None

    def _switched(self, profile: _Profile, of: Callable[[str], Provider]) -> Provider:
        return self._role(profile, self._keys(profile, of))

    def _chained(self, profile: _Profile, of: Callable[[str], Provider]) -> Provider:
        return self._role(profile, of(_needed(profile, "source_profile")))

    def _role(self, profile: _Profile, base: Provider) -> Provider:
        seconds = profile.get("expired_seconds") or 0
        role = self._sources.role(
            _needed(profile, "ram_role_arn"),
            _text(profile, "ram_session_name"),
            seconds=seconds if isinstance(seconds, int) else 0,
            external_id=_text(profile, "external_id"),
            policy=_text(profile, "policy"),
        )
        return self._sources.switched(role, base, _text(profile, "sts_region"))

    def _instance(self, profile: _Profile, _: Callable[[str], Provider]) -> Provider:
        return self._sources.instance(_text(profile, "ram_role_name"))

    def _oidc(self, profile: _Profile, _: Callable[[str], Provider]) -> Provider:
        session = _text(profile, "ram_session_name") or _text(
            profile, "role_session_name"
        )
        return self._sources.oidc(
            self._sources.role(_needed(profile, "ram_role_arn"), session),
            _needed(profile, "oidc_provider_arn"),
            _needed(profile, "oidc_token_file"),
            _text(profile, "sts_region"),
        )

    def _uri(self, profile: _Profile, _: Callable[[str], Provider]) -> Provider:
        try:
            return self._sources.uri(_needed(profile, "credentials_uri"))
        except ConfigError:
            raise ValueError("credentials_uri wants http://… or https://…") from None


_MODES: Final[
    Mapping[str, Callable[[CliProfile, _Profile, Callable[[str], Provider]], Provider]]
] = {
    "AK": CliProfile._keys,  # noqa: SLF001 - its own
    "StsToken": CliProfile._keys,  # noqa: SLF001
    "RamRoleArn": CliProfile._switched,  # noqa: SLF001
    "ChainableRamRoleArn": CliProfile._chained,  # noqa: SLF001
    "EcsRamRole": CliProfile._instance,  # noqa: SLF001
    "OIDC": CliProfile._oidc,  # noqa: SLF001
    "CredentialsURI": CliProfile._uri,  # noqa: SLF001
}


def _text(fields: Mapping[str, Any], key: str) -> str:
    found = fields.get(key) or ""
    return found.strip() if isinstance(found, str) else ""


def _needed(fields: Mapping[str, Any], key: str) -> str:
    text = _text(fields, key)
    if not text:
        raise ValueError(f"{key} is missing or empty")
    return text
