"""What was not understood is kept masked, sealed and for 30 days, and proposed to a person."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.commands import main
from bot.database import Database
from bot.database.migrating import migrate
from bot.database.tables import misses as table
from bot.errors import SettingsError
from bot.misses import Misses, key_of, mask, parse_key
from bot.settings import Settings
from tests.core.clock import HandClock
from tests.understanding.talks import Sentence, open_talks

KEY = secrets.token_bytes(32)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path}/misses.sqlite"
    migrate(url)
    database = Database(url)
    await database.start()
    yield database
    await database.close()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("do away with 444466667777", "do away with {account}"),
        ("why is qm-7k3m9qxa so slow", "why is {request} so slow"),
        ("mail jo.doe+x@corp.example about it", "mail {email} about it"),
        ("see https://corp.example/x?y=1 and arn:aws:s3:::secret-bucket", "see {link} and {arn}"),
        ('call it "Project Zebra" please', "call it {quoted} please"),
        ("give payments-dev back to Maria Silva", "give {name} back to {name}"),
        ("my password is [withheld]", "my password is {secret}"),
        ("put the demo booth into bay 42", "put the {name} into bay {number}"),
        ("shrink db01 by 20%", "shrink {id} by {number}%"),
        ("Please do what I said on AWS", "Please do what I said on AWS"),
    ],
)
def test_values_are_masked_before_anything_is_kept(text: str, masked: str) -> None:
    assert mask(text, ["Demo Booth", "a"]) == masked


async def test_what_is_kept_opens_with_its_key_alone_and_is_gone_after_30_days(database: Database) -> None:
    clock = HandClock()
    kept = Misses(database, clock, KEY)
    await database.write(lambda transaction: kept.note(transaction, "do away with 444466667777"))
    assert [miss.text for miss in await kept.read()] == ["do away with {account}"]
    assert await Misses(database, clock, secrets.token_bytes(32)).read() == []
    async with database.read() as connection:
        sealed = (await connection.execute(select(table.c.sealed))).scalar_one()
    assert b"away" not in base64.b64decode(sealed)
    assert "away" not in sealed
    clock.move(days=31)
    assert await kept.read() == []
    await kept.job.work(clock.now())
    async with database.read() as connection:
        assert (await connection.execute(select(table))).all() == []


async def test_nothing_is_kept_without_a_key(database: Database) -> None:
    kept = Misses(database, HandClock(), None)
    await database.write(lambda transaction: kept.note(transaction, "anything"))
    async with database.read() as connection:
        assert (await connection.execute(select(table))).all() == []


def test_a_key_is_32_bytes_and_the_embedded_default_makes_a_private_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MISSES_KEY"):
        parse_key("c2hvcnQ=")
    sandbox = Settings(aws_endpoint_url="http://127.0.0.1:1", var_dir=tmp_path)
    assert key_of(sandbox) is not None
    assert key_of(sandbox) == key_of(sandbox)
    assert (tmp_path / "misses.key").stat().st_mode & 0o077 == 0
    assert key_of(Settings(aws_endpoint_url="", var_dir=tmp_path / "elsewhere")) is None
    assert not (tmp_path / "elsewhere").exists()


async def test_only_what_was_not_understood_is_kept_of_a_conversation(tmp_path: Path) -> None:
    async with open_talks(tmp_path, misses_key=base64.b64encode(KEY).decode()) as talks:
        for text in ("my requests", "please sing about jo@corp.example", "make account vanish"):
            await talks.play(Sentence((text,), "fresh", "nothing", None, "", held_out=False))
        assert [miss.text for miss in await talks.misses.read()] == ["please sing about {email}", "make account vanish"]


def test_without_a_database_the_command_says_so_and_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.sqlite")
    monkeypatch.setenv("MISSES_KEY", base64.b64encode(bytes(32)).decode())
    assert main(["lex", "misses"]) == 2
    assert "python -m bot migrate" in capsys.readouterr().err
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "none.sqlite").touch()
    assert main(["lex", "misses"]) == 2
    assert "can't be read: no such table" in capsys.readouterr().err
