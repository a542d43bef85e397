"""The door: statuses, where texts go, and what is not imported for a quick command."""

import subprocess
import sys

import pytest

from relay import __version__, cli
from relay.cli import main
from relay.errors import ConfigError, RelayError
from relay.pipeline import engine_names


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ([], 2),
        (["nonsense"], 2),
        (["--help"], 0),
        (["--version"], 0),
        *(([name, "--help"], 0) for name in cli.COMMANDS),
    ],
)
def test_usage_is_two_and_help_is_zero(words: list[str], status: int) -> None:
    """argparse ends the process with the statuses that are promised."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == status


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("--seriez-limit=5", "did you mean --series-limit?"),
        ("--rec", "did you mean --recording?"),
        ("--zzz", "see --help"),
    ],
)
def test_a_flag_that_is_none_gets_advice(
    capsys: pytest.CaptureFixture[str], word: str, advice: str
) -> None:
    """Status 2, the flag as it was typed, and the one that was meant; no guessing."""
    assert main(["explain", word, "a:1|c"]) == 2
    complaint = f"{word}: has no place in cms-relay explain; {advice}"
    assert capsys.readouterr().err == f"cms-relay: command line: {complaint}\n"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_teaches_by_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The help of each command shows a line that can be typed."""
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert f"examples:\n  cms-relay {name}" in capsys.readouterr().out


def test_the_version_names_the_engines(capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard output: the version and which engines there are."""
    with pytest.raises(SystemExit):
        main(["--version"])
    engines = ", ".join(engine_names())
    assert capsys.readouterr().out == f"cms-relay {__version__} (engines: {engines})\n"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigError("key", "wants more", source="file"), 2),
        (RelayError("it failed"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_become_statuses(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int
) -> None:
    """What a command raises decides the status, and never shows as a traceback."""

    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr("relay.commands.explain._print_reasons", fail)
    assert main(["explain", "--reasons"]) == status


def test_complaints_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output stays empty when a command refuses."""
    assert main(["replay", "/does/not/exist"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "cms-relay: /does/not/exist: No such file or directory\n"


@pytest.mark.parametrize("command", ["send", "explain", "replay", "check", "put"])
def test_quick_commands_import_nothing_heavy(command: str) -> None:
    """Neither Twisted nor requests is there before a command needs it."""
    program = (
        "import sys, relay.cli\n"
        f"try: relay.cli.main([{command!r}, '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'twisted', 'requests', 'prometheus_client'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True
    )
    assert done.returncode == 0
