"""Completions for bash, zsh and fish, made of the command line.

Each completes commands, flags, the values that are known beforehand, files and folders;
none of them runs the program.
"""

from collections.abc import Iterable, Iterator

from tests.deploy.words import Command, Word, commands

__all__ = ["bash", "fish", "zsh"]

NOTE = "Made by python -m tests.deploy.write of the command line; compared by a test."

_BASH = """\
_cms_relay() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command='' words='' names='' i
    # Bash takes --flag=value for three words.
    if [[ $cur == = ]]; then
        cur=''
    elif [[ $before == = ]]; then
        before=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$command ${{COMP_WORDS[i]}}" in
{find}
        esac
    done
    case "$command $before" in
{values}
        *)
            if [[ $cur == -* ]]; then
                case "$command" in
{flags}
                esac
            else
                case "$command" in
{arguments}
                esac
            fi ;;
    esac
    mapfile -t COMPREPLY < <(
        [[ -z $words ]] || compgen -W "$words" -- "$cur"
        [[ -z $names ]] || compgen "$names" -- "$cur"
    )
    [[ -z $names ]] || compopt -o filenames 2> /dev/null
}}
complete -F _cms_relay cms-relay
"""


def bash(top: Command) -> str:
    """For bash 4 or later; needs nothing of the package bash-completion."""
    everywhere = (top, *commands(top))
    find = []
    for one in everywhere[1:]:
        above, _, last = one.name.rpartition(" ")
        find.append(f"            '{above} {last}') command='{one.name}' ;;")
    return f"# {NOTE}\n" + _BASH.format(
        find="\n".join(find),
        values="\n".join(_bash_values(everywhere)),
        flags="\n".join(
            f"                    '{one.name}') words='{_flags(one)}' ;;"
            for one in everywhere
        ),
        arguments="\n".join(_bash_arguments(everywhere)),
    )


def _bash_values(everywhere: Iterable[Command]) -> Iterator[str]:
    """A branch for each set of values, with the flags that take them."""
    patterns: dict[str, list[str]] = {}
    for one in everywhere:
        for word in one.flags:
            if word.metavar:
                alike = patterns.setdefault(_bash_taken(word) or ":", [])
                alike += [f"'{one.name} {flag}'" for flag in word.flags]
    for taken, found in patterns.items():
        joined = " | \\\n            ".join(found)
        yield f"        {joined})\n            {taken} ;;"


def _bash_arguments(everywhere: Iterable[Command]) -> Iterator[str]:
    for one in everywhere:
        names = " ".join(below.name.rpartition(" ")[2] for below in one.below)
        taken = [f"words='{names}'"] if names else list(map(_bash_taken, one.arguments))
        if any(taken):
            yield f"                    '{one.name}') {' '.join(filter(None, taken))} ;;"


def _bash_taken(word: Word) -> str:
    found = []
    if word.choices:
        found.append(f"words='{' '.join(word.choices)}'")
    if word.takes_file or word.takes_folder:
        found.append(f"names={'-f' if word.takes_file else '-d'}")
    return " ".join(found)


def _flags(one: Command) -> str:
    return " ".join(flag for word in one.flags for flag in word.flags)


def zsh(top: Command) -> str:
    """A function for a folder of ``fpath``, called ``_cms-relay``."""
    lines = ["#compdef cms-relay", f"# {NOTE}", "", *_zsh_function(top)]
    for one in commands(top):
        lines += ["", *_zsh_function(one)]
    return "\n".join([*lines, "", '_cms-relay "$@"', ""])


def _zsh_function(one: Command) -> Iterator[str]:
    yield f"{_zsh_name(one)}() {{"
    yield "    local context state state_descr line"
    yield "    typeset -A opt_args"
    specs = [spec for word in one.words for spec in _zsh_specs(word)]
    if one.below:
        specs += ["'1: :->command'", "'*:: :->arguments'"]
    continued = " \\\n        ".join(["    _arguments -C", *specs])
    yield continued
    if one.below:
        yield "    case $state in"
        yield "        command)"
        yield "            local -a found=("
        for below in one.below:
            text = f"{below.name.rpartition(' ')[2]}:{below.does}"
            yield f"                {_quoted(text)}"
        yield "            )"
        yield "            _describe command found ;;"
        yield "        arguments)"
        yield "            case $words[1] in"
        for below in one.below:
            last = below.name.rpartition(" ")[2]
            yield f"                {last}) {_zsh_name(below)} ;;"
        yield "            esac ;;"
        yield "    esac"
    yield "}"


def _zsh_name(one: Command) -> str:
    return "-".join(["_cms-relay", *one.name.split()])


def _zsh_specs(word: Word) -> Iterator[str]:
    takes = f":{word.metavar.replace(':', chr(92) + ':')}:{_zsh_taken(word)}"
    if not word.flags:
        yield _quoted(f"*{takes}" if word.repeats else takes)
        return
    text = word.sentence.replace("[", "\\[").replace("]", "\\]")
    for flag in word.flags:
        equals = "=" if word.metavar and flag.startswith("--") else ""
        star = "*" if word.repeats else ""
        yield _quoted(f"{star}{flag}{equals}[{text}]{takes if word.metavar else ''}")


def _zsh_taken(word: Word) -> str:
    files = "_files -/" if word.takes_folder else "_files" if word.takes_file else ""
    listed = " ".join(word.choices)
    if files and listed:
        return f"{{compadd {listed}; {files}}}"
    return files or (f"({listed})" if listed else " ")


def fish(top: Command) -> str:
    """For a folder of ``fish_complete_path``, called ``cms-relay.fish``."""
    lines = [f"# {NOTE}", "complete -c cms-relay -f"]
    for one in (top, *commands(top)):
        below = " ".join(each.name.rpartition(" ")[2] for each in one.below)
        seen = [f"__fish_seen_subcommand_from {name}" for name in one.name.split()]
        not_yet = f"not __fish_seen_subcommand_from {below}" if below else ""
        here = "; and ".join(filter(None, [*seen, not_yet]))
        start = f"complete -c cms-relay -n {_quoted(here)}"
        for each in one.below:
            name = each.name.rpartition(" ")[2]
            lines.append(f"{start} -a {name} -d {_quoted(each.does)}")
        lines += [f"{start} {_fish_word(word)}" for word in one.flags]
        if any(word.takes_file for word in one.arguments):
            lines.append(f"{start} -F")
    return "\n".join([*lines, ""])


def _fish_word(word: Word) -> str:
    parts = [
        f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
        for flag in word.flags
    ]
    listed = " ".join(word.choices)
    if word.takes_folder:
        listed = f"{listed} (__fish_complete_directories)".strip()
    if word.takes_file:
        parts.append("-r -F")
    elif word.metavar:
        parts.append("-x")
    if listed:
        parts.append(f"-a {_quoted(listed)}")
    if word.sentence:
        parts.append(f"-d {_quoted(word.sentence)}")
    return " ".join(parts)


def _quoted(text: str) -> str:
    """For zsh and for fish alike, where no backslash is followed by another."""
    return "'" + text.replace("'", "'\\''") + "'"
