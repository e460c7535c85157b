"""Tokens at rest: who has the database has none of them, nor can they be moved about."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from adapters.slack.install.sealing import Sealer, Unopenable, parse_keys
from adapters.slack.install.stores import InstallationStore
from bot.database import Transaction
from bot.database.tables import slack_bots, slack_installations
from bot.errors import SettingsError
from tests.slack.install.conftest import KEY, NEXT_KEY, Open, Replica
from tests.support.slack.oauth_server import CLIENT_ID, Grant, OAuthServer

OLD, NEW = parse_keys([KEY])[0], parse_keys([NEXT_KEY])[0]


@given(text=st.text(min_size=1), place=st.text())
def test_what_is_sealed_opens_in_its_place(text: str, place: str) -> None:
    sealer = Sealer([OLD])
    sealed = sealer.seal(text, place)
    assert sealer.open(sealed, place) == text
    assert sealer.seal(text, place) != sealed
    with pytest.raises(Unopenable, match="moved here"):
        sealer.open(sealed, place + "x")


@given(position=st.integers(min_value=0, max_value=10_000), bit=st.integers(min_value=0, max_value=7))
def test_one_changed_bit_is_noticed(position: int, bit: int) -> None:
    sealer = Sealer([OLD])
    name, _, body = sealer.seal("xoxb-token", "T1").partition(".")
    raw = bytearray(base64.urlsafe_b64decode(body))
    raw[position % len(raw)] ^= 1 << bit
    with pytest.raises(Unopenable):
        sealer.open(f"{name}.{base64.urlsafe_b64encode(bytes(raw)).decode()}", "T1")


@pytest.mark.parametrize("sealed", ["", "xoxb-in-the-clear", ".", "deadbeef.AAAA"])
def test_what_was_never_sealed_does_not_open(sealed: str) -> None:
    with pytest.raises(Unopenable):
        Sealer([OLD]).open(sealed, "T1")


def test_a_cut_text_does_not_open() -> None:
    sealed = Sealer([OLD]).seal("token", "T1")
    for length in range(9, len(sealed)):
        with pytest.raises(Unopenable):
            Sealer([OLD]).open(sealed[:length], "T1")


def test_every_key_opens_and_the_first_one_seals() -> None:
    former = Sealer([OLD]).seal("token", "T1")
    both = Sealer([NEW, OLD])
    assert both.open(former, "T1") == "token"
    assert not both.is_current(former)
    assert both.is_current(both.seal("token", "T1"))
    with pytest.raises(Unopenable) as caught:
        Sealer([NEW]).open(former, "T1")
    assert not caught.value.has_key


@pytest.mark.parametrize("text", ["short", "", "!" * 44, KEY + "AAAA", KEY[:-8]])
def test_a_key_that_is_not_32_bytes_is_refused(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_keys([text])
    assert "openssl rand -base64 32" in caught.value.sentence()
    assert not text or text not in caught.value.sentence()


def test_keys_may_be_written_in_either_alphabet_of_base64() -> None:
    key = bytes([0xFB, 0xFF] * 16)
    standard = base64.b64encode(key).decode()
    assert "/" in standard
    assert parse_keys([standard, base64.urlsafe_b64encode(key).decode().rstrip("=")]) == (key, key)


async def test_a_new_key_takes_over_what_the_former_sealed(open_replica: Open, slack: OAuthServer) -> None:
    replica = await open_replica()
    await replica.install_into(slack, Grant(expires_in=43_200))
    token = (await replica.find("T0001")).token
    both = await open_replica(slack_token_key=f"{NEXT_KEY},{KEY}")
    assert (await both.find("T0001")).token == token
    alone = await open_replica(slack_token_key=NEXT_KEY)
    assert (await alone.find("T0001")).token == token
    with pytest.raises(SettingsError) as caught:
        await open_replica(slack_token_key=KEY)
    assert "Add the former key" in caught.value.sentence()


async def test_the_embedded_default_makes_a_key_of_its_own(open_replica: Open, slack: OAuthServer) -> None:
    replica = await open_replica(slack_token_key="")
    await replica.install_into(slack, Grant())
    again = await open_replica(slack_token_key="")
    assert (await again.find("T0001")).token in slack.live


async def test_a_token_moved_to_another_workspaces_row_is_not_served(replica: Replica, slack: OAuthServer) -> None:
    await replica.install_into(slack, Grant())
    await replica.install_into(slack, Grant(team="T0002", organization="E0001"))

    async def swap(transaction: Transaction) -> None:
        theirs = select(slack_bots.c.bot_token).where(slack_bots.c.team_id == "T0001")
        stolen = (await transaction.execute(theirs)).scalar_one()
        for table in (slack_bots, slack_installations):
            await transaction.execute(update(table).where(table.c.team_id == "T0002").values(bot_token=stolen))

    await replica.services.database.write(swap)
    replica.install.workspaces.forget_found()
    assert await replica.install.workspaces.find("T0002") is None
    assert (await replica.find("T0001")).token in slack.live


async def test_a_damaged_token_does_not_keep_the_bot_from_starting(open_replica: Open, slack: OAuthServer) -> None:
    replica = await open_replica()
    await replica.install_into(slack, Grant())
    await replica.install_into(slack, Grant(team="T0002", organization="E0001"))

    async def spoil(transaction: Transaction) -> None:
        for table in (slack_bots, slack_installations):
            kept = select(table.c.bot_token).where(table.c.team_id == "T0001")
            sealed = (await transaction.execute(kept)).scalar_one()
            await transaction.execute(update(table).where(table.c.team_id == "T0001").values(bot_token=sealed[:-6]))

    await replica.services.database.write(spoil)
    later = await open_replica(slack_token_key=f"{NEXT_KEY},{KEY}")
    assert await later.install.workspaces.find("T0001") is None
    assert (await later.find("T0002")).token in slack.live


async def test_another_apps_installations_are_not_ours(replica: Replica, slack: OAuthServer) -> None:
    await replica.install_into(slack, Grant())
    assert CLIENT_ID != "333.444"
    other = InstallationStore(replica.services.database, "333.444", Sealer([OLD]))
    assert await other.places() == []
    assert await other.async_find_bot(enterprise_id=None, team_id="T0001") is None
