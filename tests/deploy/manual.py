"""The manual page, made of the command line: ``man`` macros of roff, and no date.

A flag that a command takes exactly as ``run`` does is described there only.
"""

from collections.abc import Iterable, Iterator

from relay import __version__
from tests.deploy.words import Command, Word, commands

__all__ = ["manual"]

ENVIRONMENT = """\
Each setting of run is a variable as well: CMS_RELAY_ and its name, in capitals, with _ for -;
lists are separated by commas. The flag wins, then the variable, then CONFIG. Keys come from
ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, among others; doctor says what
was looked for. STATE_DIRECTORY, which systemd sets, is the default of --state."""

STATUS = (
    ("0", "Done."),
    ("1", "Failed; standard error says why."),
    ("2", "Usage or configuration; likewise."),
)

_ESCAPES = str.maketrans(
    {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
)


def manual(top: Command) -> str:
    """The page as a text for ``man``."""
    return "\n".join(_lines(top)) + "\n"


def _lines(top: Command) -> Iterator[str]:
    run = next(command for command in top.below if command.name == "run")
    yield r".\" Made by python -m tests.deploy.write of the command line; compared by a test."
    yield f'.TH CMS\\-RELAY 1 "" "cms\\-relay {__version__}" "User Commands"'
    yield from (".nh", ".ad l", ".SH NAME")
    yield r"cms\-relay \- StatsD daemon that reports to Alibaba Cloud CloudMonitor"
    yield from (".SH SYNOPSIS", r".B cms\-relay", r".I COMMAND", "[flags] [arguments]")
    yield from (".SH DESCRIPTION", *_text(top.description))
    for word in top.flags:
        yield from _entry(word)
    yield from (".SH COMMANDS",)
    for command in top.below:
        yield from (".TP", f".B {_plain(command.name)}", *_text(_cap(command.does)))
    for command in commands(top):
        yield from _section(command, run)
    yield from (".SH ENVIRONMENT", *_text(ENVIRONMENT), ".SH EXIT STATUS")
    for status, meaning in STATUS:
        yield from (".TP", f".B {status}", *_text(meaning))
    yield from (".SH EXAMPLES", *_literal(top.epilog))


def _section(command: Command, run: Command) -> Iterator[str]:
    arguments = " ".join(_argument(word) for word in command.arguments)
    title = f"cms\\-relay {command.name} {arguments}".strip()
    yield from (f'.SH "{title}"', *_text(command.description))
    known = set(run.flags) if command is not run else set()
    group = ""
    for word in command.words:
        if word in known:
            continue
        if word.group != group and word.flags and word.group != "options":
            yield f'.SS "{_plain(word.group)}"'
        group = word.group if word.flags else group
        yield from _entry(word)
    shared = [word.flags[0] for word in command.flags if word in known]
    if shared:
        also = ", ".join(f"\\fB{_plain(flag)}\\fR" for flag in shared)
        yield from (".PP", f"As with run: {also}.")
    if command.epilog:
        yield from (".PP", *_literal(command.epilog))


def _entry(word: Word) -> Iterator[str]:
    tag = ", ".join(f"\\fB{_plain(flag)}\\fR" for flag in word.flags)
    if word.metavar:
        tag = f"{tag} \\fI{_plain(word.metavar)}\\fR".strip()
    yield from (".TP", tag, *_text(_cap(word.help) or "(no default)"))


def _argument(word: Word) -> str:
    return f"[{_plain(word.metavar)}{' ...' if word.repeats else ''}]"


def _cap(text: str) -> str:
    """A sentence."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def _text(text: str) -> Iterable[str]:
    return [_line(line) for line in text.splitlines() if line.strip()]


def _literal(text: str) -> Iterable[str]:
    yield from (".nf", *(_line(line) for line in text.rstrip().splitlines()), ".fi")


def _line(line: str) -> str:
    """A line that no macro begins."""
    plain = _plain(line.rstrip())
    return f"\\&{plain}" if plain.startswith((".", "\\(aq")) else plain


def _plain(text: str) -> str:
    assert text.isascii()
    return text.translate(_ESCAPES)
