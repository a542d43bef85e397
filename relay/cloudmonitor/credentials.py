"""An access key, as a value that does not show its secret, and what a source of it is.

The sources themselves are elsewhere.
"""

from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Credentials", "CredentialsUnavailable", "Provider", "Secret"]

_LONG_KEY_ID = 12


class Secret:
    """A text that must not be seen; ``reveal`` is the only way to read it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for signing, never for showing."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not to be pickled or copied into a file")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key pair, with a token where it is temporary.

    ``expires_at`` is in Unix seconds, None where it does not expire; ``source`` names
    the provider, for people.
    """

    key_id: str
    secret: Secret
    token: Secret | None = None
    expires_at: float | None = None
    source: str = field(default="static", compare=False)

    @property
    def masked_key_id(self) -> str:
        """For people: enough of it to tell keys apart."""
        key_id = self.key_id
        if len(key_id) > _LONG_KEY_ID:
            return f"{key_id[:4]}…{key_id[-4:]}"
        return f"{key_id[:2]}…"


class CredentialsUnavailable(Exception):  # noqa: N818 - it is a state, not a defect
    """A source is configured and does not yield now; the text says why, and no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Provider(Protocol):
    """A source of credentials. May block; any thread."""

    @property
    def warning(self) -> str:
        """What is wrong though old credentials still serve; empty where nothing is."""
        ...

    def get(self) -> Credentials:
        """The credentials to use now. Raises CredentialsUnavailable."""
        ...

    def refresh(self) -> None:
        """Forget what was remembered: the service refuses it. Never raises."""
        ...
