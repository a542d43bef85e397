"""Errors that an operator can mend. Anything else is a defect and shows as one."""

__all__ = ["ConfigError", "RelayError"]


class RelayError(Exception):
    """The command could not do its work; the text says what to do. Exit status 1."""


class ConfigError(RelayError):
    """A setting is wrong; names where it stands, the rule it breaks and the fix.

    Exit status 2.
    """

    def __init__(self, key: str, problem: str, *, source: str = "") -> None:
        super().__init__(
            f"{source}: {key}: {problem}" if source else f"{key}: {problem}"
        )
        self.key = key
        self.problem = problem
        self.source = source
