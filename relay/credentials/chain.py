"""Which source of keys is used: the sources that are configured, in their order.

Configured and silent is not the same as not configured: the first may answer later, the
second never will.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable, Provider
from relay.credentials.keyfile import KeyFile
from relay.credentials.renewed import Renewed
from relay.credentials.static import VARIABLES, EnvironmentKeys
from relay.credentials.uri import URI_VARIABLE, KeysAtUri
from relay.errors import ConfigError

__all__ = ["FILE_VARIABLE", "Chain", "open_provider"]

FILE_VARIABLE = "ALIBABA_CLOUD_CREDENTIALS_FILE"
"""The vendor's name for the path of a key file."""


class Chain:
    """The first of ``providers`` that yields, asked anew each time."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = tuple(providers)
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


def open_provider(
    environment: Mapping[str, str],
    *,
    key_file: Path | None = None,
    profile: str = "default",
    shared: bool = False,
    wall: Callable[[], float] = time.time,
) -> Provider:
    """A key file that was named in the settings, the environment, what is named there.

    What the operator wrote for this program goes before what happens to be around.
    Raises ConfigError where no source is configured at all.
    """
    found: list[Provider] = []
    if key_file is not None:
        found.append(KeyFile(key_file, profile=profile, shared=shared))
    keys = EnvironmentKeys(environment)
    if keys.configured and not keys.missing:
        found.append(keys)
    if named := environment.get(FILE_VARIABLE, "").strip():
        found.append(KeyFile(Path(named), profile=profile, shared=shared))
    if uri := environment.get(URI_VARIABLE, "").strip():
        found.append(Renewed(KeysAtUri(uri).fetch, wall))
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
            f" {VARIABLES.secret}, {FILE_VARIABLE} and {URI_VARIABLE}. To try the relay"
            " without an account, use --sink emulator",
        )
    return Chain(found)
