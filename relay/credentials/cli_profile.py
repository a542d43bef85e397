"""The profiles of the aliyun CLI, ``~/.aliyun/config.json``.

Source: section 7.3 of the vendor's facts. A mode that is not supported is an error that
names it; what stands in the file is never quoted.
"""

import json
from collections.abc import Callable, Mapping, Sequence
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

_CHAINED: Final = "ChainableRamRoleArn"
_ANOTHER: Final = "ALIBABA_CLOUD_PROFILE names another"

_Profile = Mapping[str, Any]


class CliProfile(WatchedFile[Sequence[Mapping[str, Any]]]):
    """``profile`` by its name, or the one that the file says is current."""

    def __init__(
        self, path: Path, sources: Sources, *, profile: str = "", shared: bool = False
    ) -> None:
        super().__init__(path, self._line, self._provider, shared=shared)
        self._name, self._profile, self._sources = str(path), profile, sources

    def _line(self, text: str) -> Sequence[_Profile]:
        """The profile, behind it the one it takes its role with, and so on."""
        found = _json(text)
        profiles = {
            one["name"]: one
            for one in found["profiles"]
            if isinstance(one, dict) and isinstance(one.get("name"), str)
        }
        line: list[_Profile] = []
        name = self._profile or _text(found, "current")
        while name:
            if name not in profiles:
                raise ValueError(f"it has no such profile: {name!r}; {_ANOTHER}")
            if len(line) == _CHAIN_MAX:
                raise ValueError(f"profiles go round in a circle: {name!r}; {_ANOTHER}")
            line.append(profiles[name])
            is_chained = _mode(profiles[name]) == _CHAINED
            name = _needed(profiles[name], "source_profile") if is_chained else ""
        if not line:
            raise ValueError(f"it says of no profile that it is current; {_ANOTHER}")
        return line

    def _provider(self, line: Sequence[_Profile]) -> Provider:
        *switched, first = line
        make = _MODES.get(_mode(first))
        if make is None:
            raise ValueError(
                f"profile {first['name']!r} has the mode {_mode(first)!r}, which is not"
                f" supported; supported are {', '.join([*_MODES, _CHAINED])}"
            )
        provider = make(self, first)
        for profile in reversed(switched):
            provider = self._role(profile, provider)
        return provider

    def _keys(self, profile: _Profile) -> Provider:
        try:
            return Static(credentials_of(profile, FIELDS, self._name))
        except CredentialsUnavailable as error:
            raise ValueError(error.reason.removeprefix(f"{self._name}: ")) from None

    def _switched(self, profile: _Profile) -> Provider:
        return self._role(profile, self._keys(profile))

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

    def _instance(self, profile: _Profile) -> Provider:
        return self._sources.instance(_text(profile, "ram_role_name"))

    def _oidc(self, profile: _Profile) -> Provider:
        session = _text(profile, "ram_session_name") or _text(
            profile, "role_session_name"
        )
        return self._sources.oidc(
            self._sources.role(_needed(profile, "ram_role_arn"), session),
            _needed(profile, "oidc_provider_arn"),
            _needed(profile, "oidc_token_file"),
            _text(profile, "sts_region"),
        )

    def _uri(self, profile: _Profile) -> Provider:
        try:
            return self._sources.uri(_needed(profile, "credentials_uri"))
        except ConfigError:
            raise ValueError("credentials_uri wants http://… or https://…") from None


_MODES: Final[Mapping[str, Callable[[CliProfile, _Profile], Provider]]] = {
    "AK": CliProfile._keys,  # noqa: SLF001 - its own
    "StsToken": CliProfile._keys,  # noqa: SLF001
    "RamRoleArn": CliProfile._switched,  # noqa: SLF001
    "EcsRamRole": CliProfile._instance,  # noqa: SLF001
    "OIDC": CliProfile._oidc,  # noqa: SLF001
    "CredentialsURI": CliProfile._uri,  # noqa: SLF001
}


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", "?")
        raise ValueError(f"line {line}: not JSON, or not all of it") from None
    if not isinstance(found, dict) or not isinstance(found.get("profiles"), list):
        raise ValueError("it has no profiles")  # noqa: TRY004 - as all bad text
    return found


def _mode(profile: _Profile) -> str:
    return _text(profile, "mode") or "AK"


def _text(fields: Mapping[str, Any], key: str) -> str:
    found = fields.get(key) or ""
    return found.strip() if isinstance(found, str) else ""


def _needed(fields: Mapping[str, Any], key: str) -> str:
    text = _text(fields, key)
    if not text:
        raise ValueError(f"{key} is missing or empty")
    return text
