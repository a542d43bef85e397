"""An access key, as a value that does not show its secret. Source of it: elsewhere."""

from dataclasses import dataclass, field

__all__ = ["Credentials", "Secret"]


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
