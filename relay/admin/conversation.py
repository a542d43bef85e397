"""The management console's language: a command in, the pieces of a reply out.

The words, the replies and their odd spots (no END after ``health``, two line feeds after
``END``) are the reference daemon's, byte for byte, but for the dumps: these are one
``key: value`` line a series. A reply is an iterator, so that a dump of 100,000 series is
made while a slow peer takes it. Knows no socket, no clock and no engine: what there is
to show and to delete comes as callables.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Console", "Conversation", "Dumped", "Health"]

END = "END\n\n"
ERROR = "ERROR\n"

Dumped = Iterable[tuple[str, object]]
"""Keys and values."""

Arguments = Sequence[str]


@dataclass(frozen=True, slots=True)
class Console:
    """What the console shows and does.

    ``dumps`` and ``deletes`` are by the plural of a kind (``counters``); a delete takes
    one key or folder and gives the keys that it dropped. ``explain`` takes a line of
    StatsD; ``bad`` gives texts that were refused with their reasons.
    """

    stats: Callable[[], Dumped]
    dumps: Mapping[str, Callable[[], Dumped]]
    deletes: Mapping[str, Callable[[str], Sequence[str]]]
    config: Callable[[], Dumped]
    explain: Callable[[str], Iterable[str]]
    bad: Callable[[], Dumped]


@dataclass(slots=True)
class Health:
    """Shared by all conversations, and said by nobody but ``health``."""

    up: bool = True


@dataclass(slots=True)
class Conversation:
    """Answers commands; ``None`` from ``answer`` means to hang up."""

    console: Console
    health: Health = field(default_factory=Health)

    def answer(self, line: str) -> Iterator[str] | None:
        """The reply to a line; the line end may be there or not."""
        # Cut at single blanks as the reference does: two of them make an empty word.
        stripped = line.strip()
        command, *arguments = stripped.split(" ")
        if command == "quit":
            return None
        if command in self.console.dumps:
            return self._dump(self.console.dumps[command]())
        if command.startswith("del") and command[3:] in self.console.deletes:
            return self._delete(self.console.deletes[command[3:]], arguments)
        say = _COMMANDS.get(command)
        return iter((ERROR,)) if say is None else say(self, arguments)

    def _help(self, _: Arguments) -> Iterator[str]:
        yield (
            "Commands: stats, counters, timers, gauges, delcounters, deltimers, "
            "delgauges, health, config, quit\n\n"
        )

    def _stats(self, _: Arguments) -> Iterator[str]:
        yield from _lines(self.console.stats())
        yield END

    def _dump(self, rows: Dumped) -> Iterator[str]:
        yield from _lines(rows)
        yield "\n" + END

    def _delete(
        self, delete: Callable[[str], Sequence[str]], arguments: Arguments
    ) -> Iterator[str]:
        for argument in arguments:
            gone = delete(argument)
            for key in gone:
                yield f"deleted: {key}\n"
            if not gone:
                yield f"metric {argument} not found\n"
        yield END

    def _health(self, arguments: Arguments) -> Iterator[str]:
        if arguments and arguments[0].lower() in ("up", "down"):
            self.health.up = arguments[0].lower() == "up"
        yield f"health: {'up' if self.health.up else 'down'}\n"

    def _config(self, _: Arguments) -> Iterator[str]:
        yield "\n"
        for key, value in self.console.config():
            if isinstance(value, Mapping):
                yield from (f"{key} > {sub}: {one}\n" for sub, one in value.items())
            else:
                yield f"{key}: {value}\n"

    def _explain(self, arguments: Arguments) -> Iterator[str]:
        yield from (f"{one}\n" for one in self.console.explain(" ".join(arguments)))
        yield END

    def _bad(self, _: Arguments) -> Iterator[str]:
        yield from _lines(self.console.bad())
        yield END


_COMMANDS: Mapping[str, Callable[[Conversation, Arguments], Iterator[str]]] = {
    "help": Conversation._help,  # noqa: SLF001 - the table of its methods
    "stats": Conversation._stats,  # noqa: SLF001
    "health": Conversation._health,  # noqa: SLF001
    "config": Conversation._config,  # noqa: SLF001
    "explain": Conversation._explain,  # noqa: SLF001
    "bad": Conversation._bad,  # noqa: SLF001
}


def _lines(rows: Dumped) -> Iterator[str]:
    return (f"{key}: {value}\n" for key, value in rows)
