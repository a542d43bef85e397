"""Temporary keys from an address: a small service beside the relay gives them as JSON."""

from urllib.parse import urlsplit

from relay.cloudmonitor.credentials import Credentials
from relay.credentials.asking import Asker
from relay.credentials.fixes import uri_fix
from relay.credentials.texts import Fields, credentials_of
from relay.errors import ConfigError

__all__ = ["FIELDS", "URI_VARIABLE", "KeysAtUri"]

URI_VARIABLE = "ALIBABA_CLOUD_CREDENTIALS_URI"
"""The vendor's name for the address."""

SOURCE = "credentials URI"
FIELDS = Fields("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")
"""As the vendor's metadata service calls them."""


class KeysAtUri:
    """Each ``fetch`` asks anew. Raises ConfigError for what is no http address."""

    def __init__(self, uri: str) -> None:
        try:
            parts = urlsplit(uri)
            good = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            good = False
        if not good:
            raise ConfigError(
                URI_VARIABLE, "wants http://… or https://…", source="environment"
            )
        self._uri, self._asker = uri, Asker(SOURCE, uri_fix)

    def fetch(self) -> Credentials:
        """Raises CredentialsUnavailable."""
        return credentials_of(self._asker.fields(self._uri), FIELDS, SOURCE)
