"""From settings to a sink: whose keys, which endpoint, and what is never shown."""

import errno
import os
from pathlib import Path

import pytest
from twisted.logger import capturedLogs, formatEvent

from relay.cloudmonitor.credentials import Credentials, Secret
from relay.credentials.chain import Chain
from relay.credentials.keyfile import KeyFile
from relay.credentials.static import Static
from relay.delivery.batch import Batch
from relay.delivery.outcome import Accepted, Uncertain
from relay.destination import (
    SINKS,
    Whispered,
    answers_at_once,
    in_flight,
    open_sink,
    open_sinks,
    open_spool,
    provider_of,
)
from relay.errors import ConfigError
from relay.rollup.treatment import Rules
from relay.settings import Loaded, Settings, load
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.spool.files import DiskFiles

REGION = ("region", "cn-hangzhou")


def loaded(*flags: tuple[str, str], **environment: str) -> Loaded:
    """Settings from flags, with variables of the vendor."""
    return load(None, dict(flags), environment, will_run=False)


@pytest.mark.parametrize(
    ("sink", "at_once", "batches"),
    [("null", True, 64), ("stdout", False, 1), ("emulator", False, 3)],
)
def test_a_sink_that_answers_at_once_gets_many_batches_and_no_thread(
    sink: str, at_once: bool, batches: int
) -> None:
    """The other ones get as many as the setting says; standard output keeps an order."""
    settings = loaded(("sink", sink), ("requests_in_flight", "3")).settings
    assert (answers_at_once(settings), in_flight(settings)) == (at_once, batches)


def test_every_choice_of_the_setting_has_a_row() -> None:
    """A sink that can be chosen can be opened."""
    for name in SINKS:
        assert load(None, {"sink": name}, {}, will_run=False).settings.sink == name


def test_each_secret_is_hushed_once_when_it_is_used() -> None:
    """Key files change; the log must know every secret before it can meet it."""
    heard: list[str] = []
    keys = Credentials("id", Secret("canary"), Secret("token"))
    provider = Whispered(Chain([Static(keys)]), heard.append)
    assert provider.get() is keys
    provider.get()
    assert heard == ["canary", "token"]


def written(path: Path, key_id: str) -> Path:
    """A key file that only its owner can touch."""
    path.write_text(f"[default]\naccess_key_id={key_id}\naccess_key_secret=canary\n")
    path.chmod(0o600)
    return path


def test_the_log_names_the_source_of_keys_and_each_that_fails(tmp_path: Path) -> None:
    """Once, and again when it is another; of the key it shows enough to tell it."""
    first = written(tmp_path / "first", "LTAI1234567890abcd")
    second = written(tmp_path / "second", "LTAI0987654321wxyz")
    provider = Whispered(Chain([KeyFile(first), KeyFile(second)]), hush=lambda _: None)
    with capturedLogs() as events:
        provider.get()
        provider.get()
        first.write_text("")
        provider.get()
        provider.get()
    assert list(map(formatEvent, events)) == [
        f"signing with the key LTAI…abcd from {first}",
        f"a source of keys fails: {first}: empty",
    ]
    first.unlink()
    provider = Whispered(Chain([KeyFile(first), KeyFile(second)]), hush=lambda _: None)
    with capturedLogs() as events:
        provider.get()
        written(first, "LTAI1234567890abcd")
        provider.get()
    assert list(map(formatEvent, events)) == [
        f"signing with the key LTAI…wxyz from {second}",
        f"a source of keys fails: {first}: No such file or directory",
        f"signing with the key LTAI…abcd from {first}",
    ]


def test_a_reload_that_names_the_same_sources_keeps_the_keys(tmp_path: Path) -> None:
    """A source may be away just then; one that was not looked at before counts as new."""
    flags = ("key_file", str(written(tmp_path / "keys", "LTAI1"))), REGION
    first = provider_of(loaded(*flags))
    assert first is not None
    kept = first.get()
    (tmp_path / "keys").unlink()
    again = provider_of(loaded(*flags), before=first)
    assert again is first
    assert again.get() == kept
    for other in (
        loaded(*flags, ("credentials_profile", "other")),
        loaded(*flags, ("key_file_shared", "yes")),
        loaded(*flags, ALIBABA_CLOUD_CREDENTIALS_FILE="/nowhere"),
    ):
        assert provider_of(other, before=first) is not first


def test_a_file_that_came_since_is_looked_at_after_a_reload(tmp_path: Path) -> None:
    """Such as the aliyun CLI writes when somebody calls it for the first time."""
    variables = {"HOME": str(tmp_path), "ALIBABA_CLOUD_CREDENTIALS_FILE": "/nowhere"}
    first = provider_of(loaded(REGION, **variables))
    (tmp_path / ".aliyun").mkdir()
    (tmp_path / ".aliyun/config.json").touch()
    assert provider_of(loaded(REGION, **variables), before=first) is not first


def test_without_any_source_of_keys_there_is_no_provider() -> None:
    """The message names the sink that needs none."""
    with pytest.raises(ConfigError, match="--sink emulator"):
        provider_of(loaded())


def test_sinks_that_sign_nothing_ask_for_no_keys() -> None:
    """Nothing is looked up for them."""
    assert provider_of(loaded(("sink", "null"))) is None


@pytest.mark.parametrize(
    ("flags", "url"),
    [
        ((("region", "cn-hangzhou"),), "https://metrics.cn-hangzhou.aliyuncs.com/"),
        (
            (("region", "cn-hangzhou"), ("network", "vpc")),
            "https://metrics-vpc.cn-hangzhou.aliyuncs.com/",
        ),
        (
            (("region", "cn-hangzhou"), ("endpoint", "http://127.0.0.1:1")),
            "http://127.0.0.1:1/",
        ),
    ],
)
def test_an_endpoint_wins_over_a_region(
    flags: tuple[tuple[str, str], ...], url: str
) -> None:
    """What the operator wrote out is what is used."""
    settings: Settings = loaded(*flags).settings
    keys = Static(Credentials("id", Secret("secret")))
    sink = open_sink(
        settings, provider=keys, emulator=None, wall=lambda: 0.0, rules=Rules()
    )
    assert isinstance(sink, CloudMonitorSink)
    assert sink.status().endpoint == url


@pytest.mark.parametrize("where", ["memory", "files"])
def test_live_means_two_periods_however_long_one_is(tmp_path: Path, where: str) -> None:
    """With periods of two seconds the newest go first as well."""
    state = "off" if where == "memory" else str(tmp_path / "state")
    spool = open_spool(
        loaded(("sink", "null"), ("period", "2"), ("state", state)).settings
    )
    spool.append([Batch("old", 100, ("x",)), Batch("new", 106, ("x",))])
    first, _ = spool.take(108.0)
    assert first is not None
    assert first.id == "new"
    spool.close()


def test_what_cannot_be_read_is_told_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start: the files, where they are, why, and who has to own them."""
    settings = loaded(("sink", "null"), ("state", str(tmp_path / "state"))).settings
    with capturedLogs() as logged:
        spool = open_spool(settings)
    assert logged == []
    for at in range(5):
        spool.append([Batch(f"b{at}", at, ("x",))])
    spool.close()

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(DiskFiles, "open_read", refuse)
    with capturedLogs() as logged:
        again = open_spool(settings)
    again.close()
    [said] = map(formatEvent, logged)
    names = ", ".join(f"{n:016d}.seg" for n in (1, 2, 3))
    folder = tmp_path / "state" / "spool"
    assert said.startswith(f"what waits in {folder} cannot be read and stays there: ")
    assert f"{names} and 2 more (Permission denied);" in said
    assert f"(chown -R {os.geteuid()} {folder}) and start again" in said


def test_events_have_a_sink_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the same kind; what is printed is written in the form of events."""
    settings = loaded(("sink", "stdout")).settings
    entries, events = open_sinks(
        settings, provider=None, emulator=None, wall=lambda: 0.0, rules=Rules()
    )
    assert entries is not events
    item = "Content=%7B%7D&EventName=Deploy&GroupId=0&Time=5"
    assert isinstance(events.deliver(Batch("e", 0, (item,))), Accepted)
    assert '"EventName": "Deploy"' in capsys.readouterr().out
    assert isinstance(entries.deliver(Batch("e", 0, (item,))), Uncertain)
