"""Whether a file of certificates can be used, before anything depends on it."""

import ssl
from pathlib import Path

from relay.errors import ConfigError

__all__ = ["look_into"]


def look_into(path: Path) -> None:
    """Raises ConfigError where there is no certificate in it; a folder may be named too."""
    try:
        if path.is_dir():
            ssl.create_default_context(capath=str(path))
        else:
            ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        empty = isinstance(error, ssl.SSLError)
        why = "no certificates in it" if empty else error.strerror
        raise ConfigError(
            "ca_file", f"{path}: {why}; wants a file of certificates in PEM"
        ) from None
