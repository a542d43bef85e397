"""What doctor says of this machine."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from relay.commands import host_findings
from relay.commands.findings import Finding, Mark, in_words
from relay.commands.host_findings import disk, drops, relay_status, running, sockets
from relay.service.kernel import ReceiveBuffer
from relay.settings import Listen, Settings


def settings(**given: Any) -> Settings:
    return Settings(instance="i", sink="emulator", **given)


def marks(found: Iterable[Finding]) -> list[Mark]:
    """What is to be mended says how."""
    listed = list(found)
    assert all(bool(one.fix) == (one.mark in (Mark.WARN, Mark.FAIL)) for one in listed)
    return [one.mark for one in listed]


def test_a_buffer_that_is_not_granted_names_the_sysctl(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the number to give it."""
    monkeypatch.setattr(
        host_findings, "receive_buffer", lambda _, asked: ReceiveBuffer(asked, 212_992)
    )
    (found,) = sockets(settings(receive_buffer=8_000_000))
    assert found.mark is Mark.WARN
    assert "212,992 of 8,000,000 bytes" in found.text
    assert "net.core.rmem_max=8000000" in found.fix
    monkeypatch.setattr(
        host_findings, "receive_buffer", lambda _, asked: ReceiveBuffer(asked, asked)
    )
    assert marks(sockets(settings())) == [Mark.OK]


def test_sockets_on_disk_want_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is there, and that this user may write to."""
    here = Listen.parse(f"unixgram://{tmp_path}/s")
    assert marks(sockets(settings(listen=(here,)))) == [Mark.OK]
    away = Listen.parse(f"unix://{tmp_path}/away/s")
    (found,) = sockets(settings(listen=(away,)))
    assert found.mark is Mark.FAIL
    assert found.fix == f"mkdir -p {tmp_path}/away"
    monkeypatch.setattr("os.access", lambda *_: False)
    assert marks(sockets(settings(listen=(here,)))) == [Mark.FAIL]


ROW = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"
    "   uid  timeout inode ref pointer drops\n"
    "  100: 0100007F:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000"
    "     0        0 12345 2 0000000000000000 {drops}\n"
)


@pytest.mark.parametrize(("count", "mark"), [(0, Mark.OK), (17, Mark.WARN)])
def test_what_the_kernel_dropped_is_told_by_port(count: int, mark: Mark) -> None:
    """Of both tables together."""
    (found,) = drops(settings(), lambda _: ROW.format(drops=count))
    assert found.mark is mark
    assert count == 0 or f"{2 * count} datagrams to UDP port 8125" in found.text


def test_a_port_that_nobody_has_open_has_no_drops() -> None:
    """Nor has one where the system does not tell."""

    def refuse(_: str) -> str:
        raise OSError

    other = (Listen.parse("udp://127.0.0.1:8124"),)
    text = ROW.format(drops=9)
    assert marks(drops(settings(listen=other), lambda _: text)) == [Mark.SKIP]
    assert marks(drops(settings(), refuse)) == [Mark.SKIP]


def test_a_state_folder_is_there_or_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ours alone, and large enough."""
    folder = tmp_path / "state"
    assert marks(disk(settings(state=folder / "deep"))) == [Mark.OK]
    folder.mkdir(0o700)
    assert marks(disk(settings(state=folder))) == [Mark.OK]
    folder.chmod(0o755)
    (found,) = disk(settings(state=folder))
    assert (found.mark, found.fix) == (Mark.WARN, f"chmod 700 {folder}")
    folder.chmod(0o700)
    found, room = disk(settings(state=folder, spool_bytes=2**40))
    assert (found.mark, room.mark) == (Mark.OK, Mark.WARN)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert marks(disk(settings(state=folder))) == [Mark.FAIL]
    blocked = tmp_path / "file"
    blocked.touch()
    assert marks(disk(settings(state=blocked))) == [Mark.FAIL]


def test_memory_alone_is_a_warning_where_it_matters() -> None:
    """With CloudMonitor as the sink; a trial loses nothing."""
    away = Settings(instance="i", sink="cloudmonitor", region="cn-hangzhou")
    assert marks(disk(away)) == [Mark.WARN]
    assert marks(disk(settings())) == [Mark.OK]


def told(**ledger: Any) -> dict[str, Any]:
    """A status, of which the ledger's rows are given."""
    entries = {"acked": 5, "dropped": {"age": 0}, "parked": 0}
    usual = {"lines": 100, "sections": 100, "refused": {"late": 0}, "entries": entries}
    sink = {"state": "delivering", "reason": None}
    spool = {"unreadable_files": 0}
    return {"ledger": usual | ledger, "series": 3, "sink": sink, "spool": spool}


def about(status: dict[str, Any] | None) -> dict[str, Mark]:
    found = list(running(status, "http://h"))
    marks(found)
    return {one.about: one.mark for one in found}


def test_a_relay_that_runs_is_asked() -> None:
    """What it says of itself may explain everything."""
    assert about(told()) == {"relay": Mark.OK}
    assert about(None) == {"relay": Mark.SKIP}
    assert about(told(lines=0, sections=0))["lines"] is Mark.WARN
    assert about(told(refused={"bad_value": 6}))["lines"] is Mark.WARN
    assert about(told(refused={"bad_value": 5})) == {"relay": Mark.OK}
    lost = {"acked": 0, "dropped": {"age": 3}, "parked": 1}
    assert about(told(entries=lost))["delivery"] is Mark.WARN
    held = told()
    held["sink"] = {"state": "held", "reason": "NoPermission: no"}
    assert about(held)["delivery"] is Mark.FAIL


def test_files_that_cannot_be_read_want_another_owner() -> None:
    """The fix names the program that gives them one."""
    status = told() | {"spool": {"unreadable_files": 2}}
    [found] = [one for one in running(status, "http://h") if one.about == "spool"]
    assert found.mark is Mark.WARN
    assert found.text.endswith("cannot be read, and wait where they are: 2")
    assert found.fix.startswith("chown")


def test_events_of_a_relay_that_runs() -> None:
    """Why they are not seen, where they are reported."""
    events = {"state": "sending", "reason": None, "dropped": {"full": 0}, "parked": 0}
    assert about(told() | {"events": None}) == {"relay": Mark.OK}
    assert about(told() | {"events": events}) == {"relay": Mark.OK}
    lost = events | {"dropped": {"full": 2}}
    assert about(told() | {"events": lost})["events"] is Mark.WARN
    held = events | {"state": "held", "reason": "NoPermission: no"}
    assert about(told() | {"events": held})["events"] is Mark.FAIL


def test_where_no_relay_answers_there_is_no_status() -> None:
    """Nor an error."""
    assert relay_status("http://127.0.0.1:1") is None


def test_long_texts_are_wrapped_and_the_fix_stands_below() -> None:
    """In lines that fit a terminal."""
    one = Finding(Mark.WARN, "clock", "word " * 40, "set it")
    lines = list(in_words([one]))
    assert all(len(line) <= 100 for line in lines)
    assert lines[0].startswith("warn  clock          word word")
    assert lines[-1] == " " * 21 + "fix: set it"
