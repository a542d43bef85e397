"""Every block says what it is and can be read; every command is run by somebody."""

import configparser
import importlib
import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest

from relay.settings import load
from relay.settings.rule_file import read_rules
from tests.docs.commands import HOST, Command, Runs, commands, flags, parse, runs
from tests.docs.commands import variables as variables_of
from tests.docs.pages import PAGES, ROOT, Block, blocks

BLOCKS = [block for page in PAGES for block in blocks(page)]
COMMANDS = sorted(set(commands()))
LANGUAGES = {"sh", "console", "toml", "yaml", "json", "ini", "text"}


def of_language(language: str) -> pytest.MarkDecorator:
    found = [one for one in BLOCKS if one.language == language]
    assert found, language
    names = [f"{one.page}:{one.line}" for one in found]
    return pytest.mark.parametrize("block", found, ids=names)


def by(*who: Runs) -> pytest.MarkDecorator:
    found = [one for one in COMMANDS if runs(one) in who]
    assert found, who
    return pytest.mark.parametrize("command", found, ids=lambda one: one.text)


def test_every_block_says_its_language() -> None:
    """But the two commands of the README, which a script takes from there."""
    unsaid = [one for one in BLOCKS if one.language not in LANGUAGES]
    assert [one.page for one in unsaid] == ["README.rst", "README.rst"]
    assert all(
        runs(Command(one.page, one.text, inline=False)) is Runs.README for one in unsaid
    )


def test_no_command_is_hidden_in_a_block_of_text() -> None:
    """What a reader would type is in a block of a shell or a console."""
    for block in BLOCKS:
        if block.language == "text":
            assert not re.search(r"(?m)^(\$ |cms-relay |kubectl )", block.text), block


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.text)
def test_every_command_is_run_by_somebody(command: Command) -> None:
    """Or there is a reason why not."""
    assert runs(command) is not Runs.NOBODY


def test_no_reason_is_left_over() -> None:
    """The list of programs that are not run is as short as can be."""
    assert {one.text.split()[0] for one in COMMANDS} >= set(HOST)


@by(Runs.RELAY)
def test_the_program_knows_every_word(command: Command) -> None:
    """By its own parser; an unknown option is an error."""
    [program, *words] = command.words
    assert program == "cms-relay"
    parse(words)


@by(Runs.SYNOPSIS)
def test_the_forms_of_a_command_are_its_own(command: Command) -> None:
    """Its name, and each flag."""
    name = command.text.split()[1]
    for flag in re.findall(r"--[a-z-]+", command.text):
        assert flag in flags(name if name != "…" else None)
    assert flags(name)


@by(Runs.HOST)
def test_what_a_host_is_told_to_use_is_there(command: Command) -> None:
    """Files and folders of the checkout, modules, units, and names of variables."""
    text = command.text
    for path in re.findall(r"(?<![\w/])deploy/[\w./-]+", text):
        assert (ROOT / path).exists()
    if text.startswith("install") and not re.search(r"deploy/|~/", text):
        assert (ROOT / "deploy" / "completions" / command.words[-2]).is_file()
    for module in re.findall(r"python -m (tests[\w.]+)", text):
        assert importlib.util.find_spec(module)
    for unit in re.findall(r"\brelay\.(?:socket|service)\b", text):
        assert (ROOT / "deploy" / "systemd" / unit).is_file()
    source = "".join(one.read_text("utf-8") for one in (ROOT / "relay").rglob("*.py"))
    for name in variables_of(text):
        assert name in source


@of_language("toml")
def test_toml_is_taken_by_the_program(block: Block, tmp_path: Path) -> None:
    """As a file of rules, or as a configuration."""
    if "[[rule]]" in block.text:
        assert read_rules(block.text)
        return
    path = tmp_path / "relay.toml"
    path.write_text(block.text, "utf-8")
    assert tomllib.loads(block.text)
    load(path)


@of_language("yaml")
def test_yaml_can_be_read(block: Block) -> None:
    """And is more than one word."""
    if importlib.util.find_spec("yaml") is None:
        pytest.skip("yaml is not installed (extra: test)")
    assert isinstance(importlib.import_module("yaml").safe_load(block.text), dict)


@of_language("json")
def test_json_can_be_read(block: Block) -> None:
    """And is the policy in deploy/, where it is one."""
    read = json.loads(block.text)
    if "Statement" in read:
        assert read == json.loads((ROOT / "deploy" / "ram-policy.json").read_text())


@of_language("ini")
def test_ini_can_be_read(block: Block) -> None:
    """With a section that the relay looks for by default."""
    reader = configparser.ConfigParser()
    reader.read_string(block.text)
    assert reader.has_section("default")
