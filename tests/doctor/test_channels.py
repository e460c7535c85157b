"""Mail, REST and the console: open, off, or broken in one way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from adapters.console import doctor as console
from adapters.email import doctor as email
from adapters.rest import doctor as rest
from bot.doctor import Patient
from bot.settings import Settings
from tests.doctor.conftest import SettingsMade, find
from tests.email.relay import FakeRelay, running_relay


def exposed(patient: Patient) -> Settings:
    """Return settings with which others can reach the bot, unchecked."""
    return Settings(aws_endpoint_url=patient.settings.aws_endpoint_url, host="0.0.0.0")


async def test_a_relay_that_greets_and_lets_in_is_ok_and_gets_no_mail(
    patient: Patient, make_settings: SettingsMade
) -> None:
    async with running_relay(FakeRelay(logins={"qm": "secret"})) as relay:
        settings = make_settings(smtp_url=f"smtp://qm:secret@127.0.0.1:{relay.port}")
        finding = await find(email.checks(replace(patient, settings=settings)), "mail")
    assert finding.state == "ok", finding
    assert relay.mails == []


async def test_a_refused_login_has_failed_without_telling_the_password(
    patient: Patient, make_settings: SettingsMade
) -> None:
    async with running_relay(FakeRelay(logins={"qm": "secret"})) as relay:
        settings = make_settings(smtp_url=f"smtp://qm:mistaken@127.0.0.1:{relay.port}")
        finding = await find(email.checks(replace(patient, settings=settings)), "mail")
    assert finding.state == "failed"
    assert "refused the login" in finding.text
    assert "SMTP_URL" in finding.fix
    assert "mistaken" not in finding.text + finding.fix


async def test_a_relay_that_is_not_there_has_failed(patient: Patient, make_settings: SettingsMade) -> None:
    settings = make_settings(smtp_url="smtp://127.0.0.1:1")
    finding = await find(email.checks(replace(patient, settings=settings)), "mail")
    assert finding.state == "failed"
    assert "127.0.0.1:1 could not be used" in finding.text


async def test_a_sender_that_is_no_address_has_failed(patient: Patient) -> None:
    settings = patient.settings.model_copy(update={"mail_from": "Bot <nobody@@>"})
    finding = await find(email.checks(replace(patient, settings=settings)), "mail")
    assert finding.state == "failed"
    assert "MAIL_FROM" in finding.fix


async def test_no_way_for_mail_at_all_has_failed(patient: Patient) -> None:
    settings = exposed(patient)
    finding = await find(email.checks(replace(patient, settings=settings)), "mail")
    assert finding.state == "failed"
    assert finding.fix == "Set SMTP_URL, or MAIL_TRANSPORT=ses."


async def test_the_mail_catcher_runs_with_the_bot(patient: Patient) -> None:
    settings = patient.settings.model_copy(update={"port": 65530})
    assert (await find(email.checks(replace(patient, settings=settings)), "mail")).state == "warning"
    async with running_relay(FakeRelay()) as relay:
        settings = patient.settings.model_copy(update={"port": relay.port - 2})
        assert (await find(email.checks(replace(patient, settings=settings)), "mail")).state == "ok"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "open to this machine"),
        ({"api_keys": "long-and-random:portal,another-random:ci"}, "2 keys, of ci, portal"),
    ],
)
async def test_rest_says_who_may_call(
    patient: Patient, make_settings: SettingsMade, changes: dict[str, str], words: str
) -> None:
    finding = await find(rest.checks(replace(patient, settings=make_settings(**changes))), "REST")
    assert (finding.state, words in finding.text) == ("ok", True), finding


async def test_rest_is_off_without_keys_and_a_short_key_has_failed(patient: Patient) -> None:
    off = exposed(patient)
    assert "off" in (await find(rest.checks(replace(patient, settings=off)), "REST")).text
    short = Settings(aws_endpoint_url=off.aws_endpoint_url, api_keys="short")
    assert (await find(rest.checks(replace(patient, settings=short)), "REST")).state == "failed"


@asynccontextmanager
async def provider(answer: dict[str, Any]) -> AsyncIterator[str]:
    """Serve one metadata document at any path."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps(answer).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    answer.setdefault("issuer", address)
    try:
        yield address
    finally:
        server.close()
        await server.wait_closed()


async def test_the_console_signs_people_in_where_its_issuer_says(patient: Patient, make_settings: SettingsMade) -> None:
    client = {"oidc_client_id": "qm", "oidc_client_secret": "secret"}
    async with provider({}) as issuer:
        settings = make_settings(oidc_issuer=issuer, **client)
        assert (await find(console.checks(replace(patient, settings=settings)), "console")).state == "ok"
    gone = await find(console.checks(replace(patient, settings=settings)), "console")
    assert gone.state == "failed"
    assert "can't be read" in gone.text
    async with provider({"issuer": "https://another.example"}) as issuer:
        settings = make_settings(oidc_issuer=issuer, **client)
        other = await find(console.checks(replace(patient, settings=settings)), "console")
    assert (other.state, other.fix) == ("failed", "Set OIDC_ISSUER=https://another.example")


async def test_a_console_that_nobody_can_enter_is_a_warning(patient: Patient) -> None:
    assert (await find(console.checks(patient), "console")).state == "ok"
    closed = exposed(patient)
    finding = await find(console.checks(replace(patient, settings=closed)), "console")
    assert finding.state == "warning"
    assert "OIDC_ISSUER" in finding.fix
