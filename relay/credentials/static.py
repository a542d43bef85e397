"""Keys that do not change while the process lives: those of its environment.

The environment is handed in as a mapping; who reads the real one is not decided here.
"""

from collections.abc import Mapping

from relay.cloudmonitor.credentials import Credentials
from relay.credentials.texts import Fields, credentials_of

__all__ = ["VARIABLES", "EnvironmentKeys", "Static"]

VARIABLES = Fields(
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
)
"""The vendor's own names; the token is there with temporary keys only."""


class Static:
    """Always the same credentials."""

    warning = ""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def get(self) -> Credentials:
        """Those it was made with."""
        return self._credentials

    def refresh(self) -> None:
        """There is nothing to fetch anew."""


class EnvironmentKeys:
    """The vendor's three variables."""

    warning = ""

    def __init__(self, environment: Mapping[str, str]) -> None:
        # Only ours: nothing else of an environment has to live on in this object.
        self._texts = {name: environment.get(name, "") for name in VARIABLES}

    @property
    def missing(self) -> str:
        """The variable without which the other is of no use; empty where none is."""
        given = [name for name in VARIABLES[:2] if self._texts[name].strip()]
        lacking = [name for name in VARIABLES[:2] if name not in given]
        return lacking[0] if given and lacking else ""

    @property
    def configured(self) -> bool:
        """Whether any of a key's two variables says something."""
        return any(self._texts[name].strip() for name in VARIABLES[:2])

    def get(self) -> Credentials:
        """Raises CredentialsUnavailable where one of the two is missing."""
        return credentials_of(self._texts, VARIABLES, "environment")

    def refresh(self) -> None:
        """There is nothing to fetch anew: a process cannot be given another one."""
