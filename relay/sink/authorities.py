"""Whether the files that TLS wants can be used, before anything depends on it."""

import ssl
from pathlib import Path

from relay.errors import ConfigError

__all__ = ["look_into", "look_into_key_log"]


def look_into(path: Path) -> None:
    """Raises ConfigError where there is no certificate in it; a folder may be named too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if path.is_dir():
            context.load_verify_locations(capath=str(path))
        else:
            context.load_verify_locations(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        empty = isinstance(error, ssl.SSLError)
        why = "no certificates in it" if empty else error.strerror
        raise ConfigError(
            "ca_file", f"{path}: {why}; wants a file of certificates in PEM"
        ) from None


def look_into_key_log(path: Path) -> None:
    """Raises ConfigError where session keys cannot be written to it.

    Python's TLS makes no connection then, of whichever library.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).keylog_filename = str(path)
    except OSError as error:
        raise ConfigError(
            "SSLKEYLOGFILE",
            f"{path}: {error.strerror}; wants a file that can be written; mend or unset it",
            source="environment",
        ) from None
