"""How a mail leaves: a relay over SMTP, or the SES API. Failures say whether trying again can help."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from adapters.email.letter import Envelope
from bot.channel import DeliveryFailed
from bot.cloud import Cloud
from bot.errors import CloudError, SettingsError
from bot.settings import is_loopback_host

COMMAND_TIMEOUT = 20.0
"""Seconds that the relay may take for one answer."""
TOTAL_TIMEOUT = 40.0
"""Seconds for one mail, from the connection to the relay's last answer."""
LOGIN_PAUSE = 300.0
"""Seconds until a refused login is tried again: soon enough for a mended password, too rare to lock it."""


class Transport(Protocol):
    """Carries one mail away."""

    async def send(self, envelope: Envelope) -> None:
        """Return when the mail is accepted for delivery; raises DeliveryFailed."""
        ...


@dataclass(frozen=True)
class Relay:
    """An SMTP server, as SMTP_URL names it."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    implicit_tls: bool = False

    @staticmethod
    def parse(url: str) -> Relay:
        """Parse smtp://user:password@host:port (STARTTLS when offered) or smtps://…; raises SettingsError.

        User and password are percent-decoded. Ports when left out: smtps 465, with a user 587, else 25.
        """
        try:
            parts: SplitResult = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise SettingsError("SMTP_URL has a malformed host or port.") from error
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise SettingsError("SMTP_URL must read smtp://user:password@host:port or smtps://….")
        implicit_tls = parts.scheme == "smtps"
        username = unquote(parts.username or "")
        default_port = 465 if implicit_tls else 587 if username else 25
        return Relay(parts.hostname, port or default_port, username, unquote(parts.password or ""), implicit_tls)


class SmtpTransport:
    """Sends each mail over a connection of its own.

    `relay` is asked anew for each mail, because the mail catcher knows its port only once it listens.
    Certificates are verified, but not on loopback, where relays have self-made ones and nobody is between.
    """

    def __init__(self, relay: Callable[[], Relay], *, greeting_name: str) -> None:
        self._relay = relay
        self._greeting_name = greeting_name

    async def send(self, envelope: Envelope) -> None:
        """Hand the mail to the relay; SMTP answers of 5xx are final, all else can be tried again."""
        relay = self._relay()
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT):
                await self._transmit(relay, envelope)
        except (SMTPException, OSError, TimeoutError) as error:
            raise refusal(relay, error) from error

    async def _transmit(self, relay: Relay, envelope: Envelope) -> None:
        smtp = await open_relay(relay, greeting_name=self._greeting_name)
        try:
            await smtp.sendmail(envelope.sender, [envelope.to], envelope.content)
            await _take_leave(smtp)
        finally:
            smtp.close()


async def open_relay(relay: Relay, *, greeting_name: str) -> SMTP:
    """Return a connection that is greeted and logged in; raises SMTPException, OSError or TimeoutError."""
    smtp = SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.implicit_tls,
        validate_certs=not is_loopback_host(relay.host),
        local_hostname=greeting_name,
        timeout=COMMAND_TIMEOUT,
    )
    try:
        await smtp.connect()
        if relay.username:
            if not is_loopback_host(relay.host) and smtp.get_transport_info("sslcontext") is None:
                raise SMTPException("it offers no encryption, and the password is not sent without it")
            await smtp.login(relay.username, relay.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


async def _take_leave(smtp: SMTP) -> None:
    """Say QUIT; the mail is accepted by now, so that nothing which happens here is a failure."""
    try:
        await smtp.quit(timeout=5)
    except (SMTPException, OSError):
        return


def refusal(relay: Relay, error: Exception) -> DeliveryFailed:
    """Return what went wrong with a relay, in words; whether trying again can help."""
    where = f"The mail relay {relay.host}:{relay.port}"
    if isinstance(error, SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if isinstance(error, SMTPAuthenticationError):
        return DeliveryFailed(f"{where} refused the login with {error.code}.", retryable=True, retry_after=LOGIN_PAUSE)
    if isinstance(error, SMTPResponseException):
        is_final = 500 <= error.code < 600
        return DeliveryFailed(f"{where} answered {error.code} {error.message[:200]}", retryable=not is_final)
    words = str(error) or type(error).__name__
    return DeliveryFailed(f"{where} could not be used: {words[:200]}", retryable=True)


class SesTransport:
    """Sends through the SES API (sesv2 SendEmail, raw content), with the process's AWS credentials."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        self._cloud = cloud
        self._region = region

    async def send(self, envelope: Envelope) -> None:
        """Hand the mail to SES; what SES itself calls passing can be tried again."""
        try:
            await self._cloud.call(
                "sesv2",
                "SendEmail",
                region=self._region,
                FromEmailAddress=envelope.sender,
                Destination={"ToAddresses": [envelope.to]},
                Content={"Raw": {"Data": envelope.content}},
            )
        except CloudError as error:
            raise DeliveryFailed(error.detail, retryable=error.retryable) from error
