"""Which source of keys is used: the sources that are configured, in their order.

Configured and silent is not the same as not configured: the first may answer later, the
second never will.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable, Provider
from relay.credentials.cli_profile import CliProfile
from relay.credentials.keyfile import KeyFile
from relay.credentials.roles import Sources, is_true
from relay.credentials.static import VARIABLES, EnvironmentKeys
from relay.credentials.uri import URI_VARIABLE
from relay.errors import ConfigError

__all__ = ["FILE_VARIABLE", "Chain", "open_provider"]

FILE_VARIABLE = "ALIBABA_CLOUD_CREDENTIALS_FILE"
"""The vendor's name for the path of a key file."""

OIDC_VARIABLES = (
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
)
"""Set in a pod by ACK's webhook (RRSA)."""

PROFILE_VARIABLE = "ALIBABA_CLOUD_PROFILE"
CLI_DISABLED_VARIABLE = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED"
ECS_VARIABLE = "ALIBABA_CLOUD_ECS_METADATA"
ECS_DISABLED_VARIABLE = "ALIBABA_CLOUD_ECS_METADATA_DISABLED"
CLI_FILE = ".aliyun/config.json"
INI_FILE = ".alibabacloud/credentials.ini"

PRODUCT_FILE = Path("/sys/class/dmi/id/product_name")
ECS_PRODUCT = "Alibaba Cloud ECS"
"""Source: cloud-init, DataSourceAliYun."""


class Chain:
    """The first of ``providers`` that yields, asked anew each time.

    ``origin`` is what they were made of: equal ones make the same sources.
    """

    def __init__(self, providers: Sequence[Provider], origin: Hashable = None) -> None:
        self._providers = tuple(providers)
        self.origin = origin
        self._skipped = ""

    @property
    def warning(self) -> str:
        """What the sources complain of, also those that were passed over."""
        said = [self._skipped, *(provider.warning for provider in self._providers)]
        return "; ".join(filter(None, said))

    def get(self) -> Credentials:
        """Raises CredentialsUnavailable with every source's reason."""
        reasons: list[str] = []
        for provider in self._providers:
            try:
                found = provider.get()
            except CredentialsUnavailable as error:
                reasons.append(error.reason)
            else:
                self._skipped = "; ".join(reasons)
                return found
        raise CredentialsUnavailable("; ".join(reasons))

    def refresh(self) -> None:
        """All of them: another one may be the first to yield now."""
        for provider in self._providers:
            provider.refresh()


def _is_ecs() -> bool:
    """What the machine's firmware says it is; nobody is asked over the network."""
    try:
        return PRODUCT_FILE.read_text("utf-8").strip() == ECS_PRODUCT
    except (OSError, UnicodeDecodeError):
        return False


def open_provider(
    environment: Mapping[str, str],
    *,
    key_file: Path | None = None,
    profile: str = "default",
    shared: bool = False,
    proxies: bool = True,
    wall: Callable[[], float] = time.time,
    on_ecs: Callable[[], bool] = _is_ecs,
) -> Chain:
    """A key file that was named in the settings, then what the vendor's chain looks at.

    What the operator wrote for this program goes before what happens to be around.
    ``environment`` has the vendor's variables and HOME. Raises ConfigError where no source
    is configured at all. Source: section 7.1 of the vendor's facts.
    """
    texts = {name: text.strip() for name, text in environment.items()}
    sources = Sources(
        texts, wall=wall, nonce=lambda: secrets.token_hex(16), proxies=proxies
    )
    chosen = texts.get(PROFILE_VARIABLE, "")
    section = chosen or profile
    found: list[Provider] = []
    if key_file is not None:
        found.append(KeyFile(key_file, profile=profile, shared=shared, sources=sources))
    keys = EnvironmentKeys(environment)
    if keys.configured and not keys.missing:
        found.append(keys)
    if all(map(texts.get, OIDC_VARIABLES)):
        arn, provider_arn, token_file = (texts[name] for name in OIDC_VARIABLES)
        found.append(sources.oidc(sources.role(arn), provider_arn, token_file))
    cli = _home_file(texts, CLI_FILE)
    if cli is not None and not is_true(texts.get(CLI_DISABLED_VARIABLE, "")):
        found.append(CliProfile(cli, sources, profile=chosen, shared=shared))
    named = texts.get(FILE_VARIABLE, "")
    ini = Path(named) if named else _home_file(texts, INI_FILE)
    if ini is not None:
        found.append(KeyFile(ini, profile=section, shared=shared, sources=sources))
    role = texts.get(ECS_VARIABLE, "")
    if not is_true(texts.get(ECS_DISABLED_VARIABLE, "")) and (role or on_ecs()):
        found.append(sources.instance(role))
    if uri := texts.get(URI_VARIABLE, ""):
        found.append(sources.uri(uri))
    if not found and keys.missing:
        # A process cannot be given another environment, so this will not heal.
        raise ConfigError(
            "credentials",
            f"{keys.missing} is missing or empty; the other one is of no use without it",
            source="environment",
        )
    if not found:
        raise ConfigError(
            "credentials",
            f"none found; looked for --key-file, {VARIABLES.key_id} and"
            f" {VARIABLES.secret}, {' and '.join(OIDC_VARIABLES)}, ~/{CLI_FILE},"
            f" ~/{INI_FILE}, {FILE_VARIABLE}, {URI_VARIABLE}, an ECS instance or"
            f" {ECS_VARIABLE}. To try the relay without an account, use --sink emulator",
        )
    told = hashlib.sha256(repr(sorted(texts.items())).encode()).digest()
    return Chain(found, (told, key_file, profile, shared, proxies, cli, ini))


def _home_file(texts: Mapping[str, str], name: str) -> Path | None:
    """Of the user's, if it is there now: one that is not was not configured."""
    home = texts.get("HOME", "")
    path = Path(home, name)
    return path if home.startswith("/") and os.path.exists(path) else None  # noqa: PTH110 - Path.exists raises where a folder is closed to us
