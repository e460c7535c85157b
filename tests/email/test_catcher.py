"""The mail catcher and /dev/mail: nothing is lost, and nobody but the newcomer reads it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.email.catcher import MailCatcher, MailFolder
from bot.errors import SettingsError
from tests.email.conftest import BO, Desk
from tests.email.fakes import MovedClock

CLOCK = MovedClock()
MAIL = b"Subject: hello\r\nTo: bo@corp.example\r\n\r\ntext\r\n"


async def caught_mail(desk: Desk, **changes: Any) -> dict[str, str]:
    """Let the desk send one approval mail to its own catcher, and return it as /dev/mail has it."""
    record = await desk.place(**changes)
    await desk.deliver("email", {"kind": "approval", "approval_id": await desk.approval_of(record)})
    mails: list[dict[str, str]] = (await desk.client.get("/dev/mail")).json()
    return mails[0]


@pytest.fixture
async def catching(desk: Desk) -> Desk:
    """A desk whose catcher listens."""
    assert desk.channel.start is not None
    await desk.channel.start()
    return desk


async def test_catches_what_would_have_been_sent(catching: Desk) -> None:
    mail = await caught_mail(catching)
    assert set(mail) == {"id", "to", "subject", "text", "html", "at"}
    assert (mail["to"], mail["subject"]) == (BO, "Approval needed: Make the toy rocket")
    assert "/account/confirm/" in mail["text"]
    assert mail["html"].lstrip().startswith("<!doctype html>")
    assert catching.channel.ready is not None
    assert await catching.channel.ready() == ""


async def test_says_so_when_it_does_not_listen(desk: Desk) -> None:
    assert desk.channel.ready is not None
    assert "catcher" in await desk.channel.ready()


async def test_shows_newest_first(catching: Desk) -> None:
    for name in ("one", "two", "three"):
        await caught_mail(catching, name=name)
    mails = (await catching.client.get("/dev/mail")).json()
    assert [m["subject"].rpartition(" ")[2] for m in mails] == ["three", "two", "one"]


async def test_keeps_mails_for_the_next_process(catching: Desk, make_desk: Callable[..., Any]) -> None:
    await caught_mail(catching)
    another: Desk = await make_desk()
    assert len((await another.client.get("/dev/mail")).json()) == 1


async def test_says_which_port_is_taken(tmp_path: Path) -> None:
    first = MailCatcher(MailFolder(tmp_path, CLOCK.now), "127.0.0.1", 0)
    await first.start()
    try:
        assert first.port is not None
        second = MailCatcher(MailFolder(tmp_path, CLOCK.now), "127.0.0.1", first.port)
        with pytest.raises(SettingsError, match=str(first.port)):
            await second.start()
    finally:
        await first.stop()
    assert first.port is None


async def test_says_when_there_is_no_such_port(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="65537"):
        await MailCatcher(MailFolder(tmp_path, CLOCK.now), "127.0.0.1", 65537).start()


async def test_stops_while_somebody_is_connected(tmp_path: Path) -> None:
    catcher = MailCatcher(MailFolder(tmp_path, CLOCK.now), "127.0.0.1", 0)
    await catcher.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", catcher.port)
    assert (await reader.readline()).startswith(b"220")
    async with asyncio.timeout(5):
        await catcher.stop()
        assert await reader.read() == b""
    writer.close()
    await catcher.stop()


def test_keeps_the_newest_only(tmp_path: Path) -> None:
    folder = MailFolder(tmp_path, CLOCK.now, keep=3)
    ids = [folder.put(MAIL, [BO]) for _ in range(5)]
    assert [m.id for m in folder.newest_first()] == ids[:1:-1]


def test_orders_mails_by_arrival_when_the_clock_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = MailFolder(tmp_path, CLOCK.now)
    first = folder.put(MAIL, [BO])
    monkeypatch.setattr("time.time_ns", lambda: 1)
    second = folder.put(MAIL, [BO])
    assert [m.id for m in folder.newest_first()] == [second, first]


async def test_says_when_mails_came_in_the_time_that_everything_else_shows(catching: Desk) -> None:
    first = await caught_mail(catching)
    catching.clock.advance(days=30)
    second = await caught_mail(catching, name="later")
    assert (first["at"], second["at"]) == ("2026-11-22T10:00:00.000Z", "2026-12-22T10:00:00.000Z")
    page = await catching.client.get("/dev/mail", headers={"accept": "text/html"})
    assert "2026-12-22 10:00:00 UTC" in page.text


@pytest.mark.parametrize("header", [b"", b"X-Caught-At: yesterday\r\n", b"X-Caught-At: 2026-01-01T00:00:00Z\r\n"])
def test_believes_no_sender_about_the_time(tmp_path: Path, header: bytes) -> None:
    folder = MailFolder(tmp_path, CLOCK.now)
    folder.put(header + MAIL, [BO])
    assert folder.newest_first()[0].at == CLOCK.at


def test_takes_the_time_from_the_name_where_a_mail_has_no_stamp(tmp_path: Path) -> None:
    (tmp_path / "01700000000000000000-x.eml").write_bytes(MAIL)
    [mail] = MailFolder(tmp_path, CLOCK.now).newest_first()
    assert mail.at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_shows_no_half_written_mail(tmp_path: Path) -> None:
    folder = MailFolder(tmp_path, CLOCK.now)
    (tmp_path / ".00000000000000000001-x.part").write_bytes(MAIL)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "foreign.eml").write_bytes(MAIL)
    assert folder.newest_first() == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"\xff\xfe\x00",
        b"Subject: =?utf-8?b?!!!?=\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xff",
        b"Content-Type: multipart/alternative\r\n\r\nno boundary",
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n###",
        b"Content-Type: message/rfc822\r\n\r\nx",
        b"no headers at all",
        b"Subject: " + b"x" * 100_000,
    ],
)
def test_reads_any_mail_somehow(tmp_path: Path, content: bytes) -> None:
    folder = MailFolder(tmp_path, CLOCK.now)
    folder.put(content, [BO])
    [mail] = folder.newest_first()
    assert mail.to == BO


def test_keeps_a_mail_that_was_acknowledged_before_kill_9(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from adapters.email.catcher import MailFolder\n"
        "from bot.clock import SystemClock\n"
        "MailFolder(Path(sys.argv[1]), SystemClock().now).put(b'Subject: s\\r\\n\\r\\nt', ['bo@corp.example'])\n"
        "os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert done.returncode == -9
    assert [m.subject for m in MailFolder(tmp_path, CLOCK.now).newest_first()] == ["s"]


async def test_shows_a_page_to_browsers(catching: Desk) -> None:
    mail = await caught_mail(catching, name='"><script>alert(1)</script>')
    browser = {"accept": "text/html,*/*;q=0.8"}
    page = await catching.client.get("/dev/mail", headers=browser)
    assert page.headers["content-type"].startswith("text/html")
    assert "<script>alert" not in page.text
    assert 'sandbox="allow-top-navigation-by-user-activation"' in page.text
    one = await catching.client.get("/dev/mail", params={"id": mail["id"]}, headers=browser)
    assert "srcdoc=" in one.text
    none = await catching.client.get("/dev/mail", params={"id": "../x"}, headers=browser)
    assert none.status_code == 200
    assert "srcdoc=" not in none.text


async def test_says_that_no_mail_has_come_yet(desk: Desk) -> None:
    assert (await desk.client.get("/dev/mail")).json() == []
    assert "No mail yet" in (await desk.client.get("/dev/mail", headers={"accept": "text/html"})).text


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"x-real-ip": "127.0.0.1"},
        {"via": "1.1 proxy"},
        {"host": "bot.corp.example"},
    ],
)
async def test_is_not_there_for_anyone_else(desk: Desk, headers: dict[str, str]) -> None:
    assert (await desk.client.get("/dev/mail", headers=headers)).status_code == 404


async def test_is_not_there_for_another_machine(desk: Desk) -> None:
    transport = desk.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    elsewhere = httpx.ASGITransport(app=transport.app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://127.0.0.1") as client:
        assert (await client.get("/dev/mail")).status_code == 404


async def test_is_not_there_outside_the_embedded_default(make_desk: Callable[..., Any]) -> None:
    desk: Desk = await make_desk(aws_endpoint_url="", smtp_url="smtp://127.0.0.1:1")
    assert desk.channel.start is None
    assert (await desk.client.get("/dev/mail")).status_code == 404
