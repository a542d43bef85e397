"""A file with an AccessKey, ini or JSON; an ini section may name a role as well.

Errors are told by kind and line, never by what stands there. Source: section 7.4 of the
vendor's facts.
"""

import configparser
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from relay.cloudmonitor.credentials import CredentialsUnavailable, Provider
from relay.credentials.roles import Sources
from relay.credentials.static import Static
from relay.credentials.texts import Fields, credentials_of
from relay.credentials.watched import WatchedFile

__all__ = ["FIELDS", "KeyFile"]

FIELDS = Fields("access_key_id", "access_key_secret", "security_token", "expiration")
"""The keys of a section, or of the JSON object."""


class KeyFile(WatchedFile[Mapping[str, Any]]):
    """``profile`` is the section of an ini file; a JSON file holds one object.

    ``sources`` makes roles; None where the file may only hold keys. ``shared`` takes a
    file that group or others can touch.
    """

    def __init__(
        self,
        path: Path,
        *,
        profile: str = "default",
        shared: bool = False,
        sources: Sources | None = None,
    ) -> None:
        super().__init__(path, self._section, self._provider, shared=shared)
        self._name, self._profile, self._sources = str(path), profile, sources

    def _section(self, text: str) -> Mapping[str, Any]:
        """A JSON object has no type: it holds keys, whatever else stands there."""
        if text.startswith("{"):
            return {**_json(text), "type": "access_key"}
        return _ini(text, self._profile)

    def _provider(self, section: Mapping[str, Any]) -> Provider:
        kind = section.get("type", "access_key")
        if kind == "access_key":
            return self._keys(section)
        make = _ROLES.get(kind)
        if self._sources is None or make is None:
            known = ", ".join(
                ["access_key", *_ROLES] if self._sources else ["access_key"]
            )
            raise ValueError(
                f"[{self._profile}] has a type that is not supported; supported is {known}"
            )
        return make(self, self._sources, section)

    def _keys(self, texts: Mapping[str, object]) -> Provider:
        try:
            return Static(credentials_of(texts, FIELDS, self._name))
        except CredentialsUnavailable as error:
            raise ValueError(error.reason.removeprefix(f"{self._name}: ")) from None

    def _switched(self, sources: Sources, section: Mapping[str, str]) -> Provider:
        role = sources.role(
            _needed(section, "role_arn"),
            section.get("role_session_name", ""),
            policy=section.get("policy", ""),
        )
        return sources.switched(role, self._keys(section))

    def _oidc(self, sources: Sources, section: Mapping[str, str]) -> Provider:
        role = sources.role(
            _needed(section, "role_arn"), section.get("role_session_name", "")
        )
        return sources.oidc(
            role,
            _needed(section, "oidc_provider_arn"),
            _needed(section, "oidc_token_file_path"),
        )

    def _instance(self, sources: Sources, section: Mapping[str, str]) -> Provider:
        return sources.instance(section.get("role_name", ""))


_ROLES: Final[
    Mapping[str, Callable[[KeyFile, Sources, Mapping[str, str]], Provider]]
] = {
    "ram_role_arn": KeyFile._switched,  # noqa: SLF001 - its own
    "oidc_role_arn": KeyFile._oidc,  # noqa: SLF001
    "ecs_ram_role": KeyFile._instance,  # noqa: SLF001
}


def _needed(section: Mapping[str, str], key: str) -> str:
    text = section.get(key, "")
    if not text:
        raise ValueError(f"{key} is missing or empty")
    return text


def _json(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", "?")
        raise ValueError(f"line {line}: not JSON, or not all of it") from None
    return dict(found)


def _ini(text: str, profile: str) -> Mapping[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line = getattr(error, "lineno", "?")
        raise ValueError(f"line {line}: not an ini file") from None
    if not parser.has_section(profile):
        raise ValueError(
            f"it has no section [{profile}]; --credentials-profile or"
            " ALIBABA_CLOUD_PROFILE names another"
        )
    # The vendor's own reader cuts a value at '#'.
    return {k: v.partition("#")[0].strip() for k, v in parser[profile].items()}
