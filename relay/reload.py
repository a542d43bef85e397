"""What became of the reloads, in the log and for /status. Applies nothing itself."""

from collections.abc import Sequence

from twisted.logger import Logger

from relay.admin.status import Reload

__all__ = ["Reloads"]


class Reloads:
    """``counts`` is by outcome, as telemetry wants it; ``last`` is the latest."""

    _log = Logger()

    def __init__(self) -> None:
        self.counts: dict[tuple[str, ...], float] = {("applied",): 0, ("refused",): 0}
        self.last: Reload | None = None

    def applied(self, at: float, keys: Sequence[str]) -> None:
        """The new configuration is in force; ``keys`` are different in it."""
        text = ", ".join(keys) or "nothing is different"
        self.counts["applied",] += 1
        self.last = Reload(at=at, applied=True, text=text)
        self._log.info("configuration reloaded: {text}", text=text)

    def refused(self, at: float, reason: str) -> None:
        """The old one stays."""
        self.counts["refused",] += 1
        self.last = Reload(at=at, applied=False, text=reason)
        self._log.error(
            "configuration not reloaded, the old one stays: {reason}", reason=reason
        )
