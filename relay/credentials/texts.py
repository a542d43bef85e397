"""Key pairs as people and files write them: stripped, complete, and fit for a header."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable, Secret

__all__ = ["Fields", "credentials_of"]


class Fields(NamedTuple):
    """What the parts of a key are called in a source; ``expires`` where it says that."""

    key_id: str
    secret: str
    token: str
    expires: str = ""


def credentials_of(
    texts: Mapping[str, object], fields: Fields, source: str
) -> Credentials:
    """The key in ``texts``. Raises CredentialsUnavailable, which names the field.

    Blanks and line ends around a value are taken off: editors and ``echo`` leave them,
    and the service answers them with a wrong signature.
    """
    key_id = _text(texts, fields.key_id, source)
    secret = _text(texts, fields.secret, source)
    token = _text(texts, fields.token, source)
    for name, text in ((fields.key_id, key_id), (fields.secret, secret)):
        if not text:
            raise CredentialsUnavailable(f"{source}: {name} is missing or empty")
    return Credentials(
        key_id,
        Secret(secret),
        Secret(token) if token else None,
        expires_at=_moment(_text(texts, fields.expires, source), fields, source),
        source=source,
    )


def _moment(text: str, fields: Fields, source: str) -> float | None:
    """Unix seconds of a time in ISO 8601; UTC where no zone is named."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CredentialsUnavailable(
            f"{source}: {fields.expires} is no time as in 2026-01-02T09:04:05Z"
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _text(texts: Mapping[str, object], name: str, source: str) -> str:
    value = texts.get(name) or ""
    if not isinstance(value, str):
        raise CredentialsUnavailable(f"{source}: {name} is not a text")
    text = value.strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise CredentialsUnavailable(f"{source}: {name} has a blank or a strange sign")
    return text
